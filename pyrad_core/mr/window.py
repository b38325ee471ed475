"""Windows over k-space against Gibbs ringing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._checks import at_least, choice, positive
from .._kernels.select import edge_of
from ..errors import DataError

__all__ = ["WINDOWS", "window"]


def _raised_cosine(r: np.ndarray, foot: float) -> np.ndarray:
    return (1 + foot) / 2 + (1 - foot) / 2 * np.cos(np.pi * r)


def _tukey(r: np.ndarray, taper: float) -> np.ndarray:
    if taper == 0:
        return np.ones_like(r)
    return 0.5 + 0.5 * np.cos(np.pi * np.clip((r - (1 - taper)) / taper, 0, 1))


def _kaiser(r: np.ndarray, beta: float) -> np.ndarray:
    return np.i0(beta * np.sqrt(np.clip(1 - r**2, 0, None))) / np.i0(beta)


#: name -> (function of |k| / k_max and the parameter, the parameter's default or None)
_SHAPES: dict[str, tuple[Callable[[np.ndarray, float], np.ndarray], float | None]] = {
    "hann": (lambda r, _: _raised_cosine(r, 0.0), None),
    "hamming": (lambda r, _: _raised_cosine(r, 0.08), None),
    "blackman": (lambda r, _: 0.42 + 0.5 * np.cos(np.pi * r) + 0.08 * np.cos(2 * np.pi * r), None),
    "cosine": (lambda r, _: np.cos(np.pi / 2 * r), None),
    "lanczos": (lambda r, _: np.sinc(r), None),
    "tukey": (_tukey, 0.5),
    "kaiser": (_kaiser, 4.0),
    "gauss": (lambda r, sigma: np.exp(-0.5 * (r / sigma) ** 2), 0.5),
    "fermi": (lambda r, width: 1 / (1 + np.exp(np.clip((r - 0.9) / width, -700, 700))), 0.05),
}
WINDOWS = tuple(_SHAPES)


def window(
    kspace: Any,
    *,
    kind: str = "hann",
    axes: Sequence[int] = (-2, -1),
    parameter: float | None = None,
    cutoff: float = 1.0,
    radial: bool = False,
) -> Any:
    """Taper k-space towards its edge, which trades resolution for less Gibbs ringing.

    Parameters
    ----------
    kspace : complex array
        DC at ``n // 2`` along the axes.
    kind : str
        With ``r = |k| / (cutoff k_max)``: "hann", "hamming", "blackman", "cosine", "lanczos"
        (sinc r), "tukey" (flat to ``1 - parameter``, 0.5), "kaiser" (beta = ``parameter``, 4),
        "gauss" (exp(-r^2 / 2 parameter^2), 0.5), "fermi" (1 / (1 + exp((r - 0.9) / parameter)),
        0.05).
    axes : sequence of int
        Axes to taper; the last two by default.
    parameter : float, optional
        Of the kinds that name one; the number after it is the default.
    cutoff : float
        Part of k_max, in (0, 1], where r = 1; beyond, k-space becomes 0 (gauss and fermi go on).
    radial : bool
        One window of the distance from DC (an ellipsoid's) instead of a product along the axes.

    Returns
    -------
    complex array of k-space's shape and dtype
        DC is unchanged (fermi: divided by its value there), so that the mean stays.

    Raises
    ------
    DataError
        NaN, an unknown kind, an axis that does not exist, a parameter the kind does not take.

    References
    ----------
    Harris, Proc. IEEE 66 (1978), doi:10.1109/PROC.1978.10837; fermi: Bernstein, King, Zhou,
    Handbook of MRI Pulse Sequences, 2004, section 13.1.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> k = np.ones((2, 8, 8), complex)
    >>> prc.mr.window(k, kind="hamming")[0, 4, ::2].real.round(2).tolist()
    [0.08, 0.54, 1.0, 0.54]
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace")
    shape, default = _SHAPES[choice("kind", kind, WINDOWS)]
    if parameter is not None and default is None:
        raise DataError(f"parameter is {parameter}, but the window {kind!r} takes none")
    value = _parameter(kind, parameter if parameter is not None else default)
    cutoff = positive("cutoff", cutoff)
    if cutoff > 1:
        raise DataError(f"cutoff is {cutoff}; expected a part of k_max in (0, 1]")
    if not all(-y.ndim <= axis < y.ndim for axis in axes):
        raise DataError(f"axes is {tuple(axes)}, but kspace has {y.ndim} dimensions")
    squares = [_distance(n, cutoff) ** 2 for n in (y.shape[axis] for axis in axes)]
    places = [axis % y.ndim for axis in axes]
    endless = kind in ("gauss", "fermi")

    def of(r: np.ndarray) -> np.ndarray:
        w = shape(r, value) / shape(np.zeros(1), value)[0]
        return w if endless else np.where(r <= 1 + 1e-12, np.clip(w, 0, None), 0.0)

    if radial:
        total = sum(_along(s, axis, y.ndim) for s, axis in zip(squares, places, strict=True))
        return edge.answer(y * edge.xp.asarray(of(np.sqrt(total)), y.real.dtype))
    out = y
    for s, axis in zip(squares, places, strict=True):
        out = out * edge.xp.asarray(_along(of(np.sqrt(s)), axis, y.ndim), y.real.dtype)
    return edge.answer(out)


def _parameter(kind: str, value: float | None) -> float:
    if value is None:
        return 0.0
    if kind == "tukey":
        taper = at_least("parameter", value, 0)
        if taper > 1:
            raise DataError(f"parameter is {value}; a tukey window tapers a part in [0, 1]")
        return taper
    return at_least("parameter", value, 0) if kind == "kaiser" else positive("parameter", value)


def _distance(n: int, cutoff: float) -> np.ndarray:
    """|k| / (cutoff k_max) of the n samples, DC at n // 2."""
    return np.abs(np.arange(n) - n // 2) / (cutoff * max(n / 2, 1))


def _along(values: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    shape = [1] * ndim
    shape[axis] = values.size
    return values.reshape(shape)
