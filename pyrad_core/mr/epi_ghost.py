"""Echo-planar imaging: Nyquist ghosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._checks import choice, whole
from .._kernels.select import Edge, edge_of, host_array
from ..errors import DataError, ShapeError
from ._epi_phase import entropy_phase, fitted_phase
from .fourier import fft, ifft

__all__ = ["correct_epi_ghost", "epi_phase"]


def correct_epi_ghost(
    kspace: Any,
    navigators: Any = None,
    *,
    reflected: Any = None,
    navigator_reflected: Sequence[bool] | None = None,
    method: str | None = None,
    order: int | str = 1,
    per_coil: bool = False,
    phase: Any = None,
    return_phase: bool = False,
) -> Any:
    """Remove the N/2 ghost: align lines read forwards and backwards.

    Parameters
    ----------
    kspace : complex array (coil, ..., y, x)
        Every line in the order of growing k, DC at ``n // 2``, reversed ones turned round
        already (as :func:`~pyrad_core.io.read_kspace` gives them).
    navigators, navigator_reflected, method, order, per_coil
        How the phase is found, see :func:`epi_phase`.
    reflected : bool array (y,), optional
        Lines that were read backwards; ``scan.header["reflected"]``. Default: every second one,
        beginning with the second.
    phase : real array (x,) or (coil, x), optional
        A known phase, of :func:`epi_phase`, instead of navigators and method.
    return_phase : bool
        Also return the phase.

    Returns
    -------
    complex array of k-space's shape and dtype, or (array, phase)
        Half of the phase is taken from either kind of lines.

    Raises
    ------
    ShapeError
        Navigators, phase or ``reflected`` that do not fit k-space.
    DataError
        NaN, navigators of one direction only, or without signal.

    Examples
    --------
    >>> scan = prc.io.read_kspace("epi.dat")                              # doctest: +SKIP
    >>> kspace = prc.mr.correct_epi_ghost(                                # doctest: +SKIP
    ...     scan.data, scan.header["navigators"], reflected=scan.header["reflected"])
    """
    edge = edge_of(kspace=kspace, phase=phase)
    y = edge.complex("kspace")
    if y.ndim < 3:
        raise ShapeError(f"kspace has shape {y.shape}; expected (coil, ..., y, x)")
    lines = _reflected(reflected, y.shape[-2])
    if phase is None:
        angle = _phase(y, navigators, lines, navigator_reflected, method, order, per_coil)
    else:
        if navigators is not None or method is not None:
            raise DataError("give phase, or navigators and method to find it, not both")
        angle = edge.real("phase", ndim=(1, 2), dtype=np.float64)
        if angle.shape not in (y.shape[-1:], (y.shape[0], y.shape[-1])):
            raise ShapeError(f"phase has shape {angle.shape}, but kspace {y.shape}")
    hybrid = ifft(y, axes=(-1,))
    each = angle if angle.ndim == 1 else angle.reshape((y.shape[0], *(1,) * (y.ndim - 2), -1))
    half = edge.xp.asarray(np.where(lines, 0.5, -0.5))[:, None] * each
    hybrid *= edge.xp.exp(1j * half).astype(y.dtype)
    result = edge.answer(fft(hybrid, axes=(-1,)))
    return (result, edge.answer(angle)) if return_phase else result


def epi_phase(
    kspace: Any,
    navigators: Any = None,
    *,
    reflected: Any = None,
    navigator_reflected: Sequence[bool] | None = None,
    method: str | None = None,
    order: int | str = 1,
    per_coil: bool = False,
) -> Any:
    """The phase between EPI lines read forwards and backwards, along the readout.

    Parameters
    ----------
    kspace : complex array (coil, ..., y, x)
        As in :func:`correct_epi_ghost`.
    navigators : complex array (navigator, coil, x) or sequence of records, optional
        Lines without phase encoding, in the order of their time and of growing k, or
        ``scan.header["navigators"]``. Three (backwards, forwards, backwards) are usual.
    reflected : bool array (y,), optional
        Lines that were read backwards; default every second one, beginning with the second.
    navigator_reflected : sequence of bool, optional
        The same for the navigators; default: alternating, the first one backwards. Records know.
    method : {"navigator", "entropy", "both"}, optional
        "navigator" takes the phase from the navigators; "entropy", which needs none, looks for
        the linear phase that makes the image least spread out; "both" looks for a small one
        beside the navigators'. Default: navigators if there are any. The image must not be
        undersampled along y for "entropy" and "both".
    order : int or "pointwise"
        Of the polynomial along x that the phase is fitted by: 1 (delay and constant), or higher
        for eddy currents; "pointwise" adds what a linear fit leaves, smoothed over 3 pixels.
    per_coil : bool
        A phase per coil; by default one for all, to which a coil counts by its signal.

    Returns
    -------
    float64 array (x,) or (coil, x)
        Radian: forward minus backward lines in the hybrid (y encoded, x image) space.

    Notes
    -----
    Between two navigators of one direction the echo at the time of the other one is their mean,
    so that the phase which off-resonance adds from echo to echo drops out. The linear part is
    estimated by autocorrelation, polynomials by least squares weighted with the signal.
    For "entropy" the image is ``E exp(-i phi / 2) + O exp(i phi / 2)`` with the images of the
    two kinds of lines, so that only ``sum |E|^2 + |O|^2`` and ``sum E conj(O)`` over coils and
    frames are needed; phases phi and phi + pi swap image and ghost, and the one with more signal
    in the middle half of the field of view is taken.

    References
    ----------
    Ahn and Cho, IEEE Trans. Med. Imaging 6 (1987), doi:10.1109/TMI.1987.4307795; Heid, Proc.
    ISMRM 2000, 2014 (three navigators); Clare, Proc. ISMRM 2003, 1041 (entropy).

    Examples
    --------
    >>> phase = prc.mr.epi_phase(scan.data, method="entropy")             # doctest: +SKIP
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace")
    if y.ndim < 3:
        raise ShapeError(f"kspace has shape {y.shape}; expected (coil, ..., y, x)")
    lines = _reflected(reflected, y.shape[-2])
    found = _phase(y, navigators, lines, navigator_reflected, method, order, per_coil)
    return edge.answer(found)


def _phase(
    y: Any, navigators: Any, lines: np.ndarray, navigator_reflected: Sequence[bool] | None,
    method: str | None, order: int | str, per_coil: bool,
) -> Any:  # fmt: skip
    samples, backwards = _navigators(navigators, navigator_reflected)
    edge = edge_of(kspace=y, navigators=_beside(y, samples))
    name = choice("method", method or _usual(samples), ("navigator", "entropy", "both"))
    degree = order if order == "pointwise" else whole("order", order, 1)
    if name == "entropy":
        if per_coil or degree != 1:
            raise DataError("method entropy fits one linear phase; leave out order and per_coil")
        return entropy_phase(edge.xp, ifft(y, axes=(-1,)), lines)
    if samples is None:
        raise DataError(f"method {name} needs navigators")
    product = _product(edge, y, backwards)
    phase = fitted_phase(edge.xp, product if per_coil else product.sum(axis=0), degree)
    if name == "both":
        phase = entropy_phase(edge.xp, ifft(y, axes=(-1,)), lines, near=phase)
    return phase


def _usual(samples: Any) -> str:
    return "entropy" if samples is None else "navigator"


def _navigators(given: Any, reflected: Sequence[bool] | None) -> tuple[Any, np.ndarray | None]:
    """(navigator, coil, x) and which were read backwards; records know that themselves."""
    if given is None:
        return None, None
    if isinstance(given, (list, tuple)) and all(isinstance(n, Mapping) for n in given):
        if not given:
            raise DataError("navigators is empty; leave it out for method entropy")
        shapes = {tuple(n["samples"].shape) for n in given}
        if len(shapes) > 1:
            raise ShapeError(f"navigators differ in shape: {sorted(shapes)}")
        if reflected is None:
            reflected = [bool(n["reflected"]) for n in given]
        given = np.stack([np.asarray(n["samples"]) for n in given])
    count = given.shape[0] if hasattr(given, "shape") and given.ndim else 0
    backwards = np.arange(count) % 2 == 0 if reflected is None else np.asarray(reflected, bool)
    if backwards.shape != (count,):
        raise ShapeError(f"navigator_reflected has {backwards.size} entries for {count} navigators")
    if count and (backwards.all() or not backwards.any()):
        raise DataError("navigators all run in one direction; forward and backward ones are needed")
    return given, backwards


def _beside(kspace: Any, samples: Any) -> Any:
    """Navigators of a file's header, on the device where k-space is."""
    if isinstance(samples, np.ndarray) and hasattr(kspace, "__cuda_array_interface__"):
        import cupy

        return cupy.asarray(samples)
    return samples


def _reflected(given: Any, rows: int) -> np.ndarray:
    if given is None:
        return np.arange(rows) % 2 == 1
    lines = host_array(given).astype(bool)
    if lines.shape != (rows,):
        raise ShapeError(f"reflected has shape {lines.shape}, but kspace has {rows} lines")
    if lines.all() or not lines.any():
        raise DataError("reflected marks all lines or none; an EPI scan reads them in turns")
    return lines


def _product(edge: Edge, y: Any, backwards: np.ndarray | None) -> Any:
    """Forward times conjugate backward navigators in the hybrid space, (coil, x)."""
    n = edge.complex("navigators", dtype=y.dtype, ndim=3)
    if n.shape[1:] != (y.shape[0], y.shape[-1]):
        raise ShapeError(
            f"navigators has shape {n.shape}, but kspace {y.shape} asks for (n, {y.shape[0]}, "
            f"{y.shape[-1]})"
        )
    assert backwards is not None
    hybrid = ifft(n, axes=(-1,))
    total = edge.xp.zeros(n.shape[1:], y.dtype)
    found = False
    for i in range(1, len(n) - 1):
        if backwards[i - 1] == backwards[i + 1] != backwards[i]:
            between = (hybrid[i - 1] + hybrid[i + 1]) / 2
            forward, back = (between, hybrid[i]) if backwards[i] else (hybrid[i], between)
            total += forward * back.conj()
            found = True
    if not found:
        first, last = hybrid[~backwards].mean(axis=0), hybrid[backwards].mean(axis=0)
        total = first * last.conj()
    if not total.any():
        raise DataError("navigators hold no signal")
    return total
