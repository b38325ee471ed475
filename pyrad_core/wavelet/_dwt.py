"""Decimated wavelet transforms: one level (dwt, dwtn) and many (wavedec, wavedecn).

Names, arguments, layouts and values are those of PyWavelets (doi:10.21105/joss.01237).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ._arguments import AxisStep, axis_steps, checked_level, require_samples, take
from ._transform import band_names, dwt_forward, dwt_inverse

__all__ = ["dwt", "dwtn", "idwt", "idwtn", "wavedec", "wavedecn", "waverec", "waverecn"]

Axes = Iterable[int] | None


def dwt(data: Any, wavelet: Any, mode: str = "symmetric", axis: int = -1) -> tuple[Any, Any]:
    """One level of the discrete wavelet transform along one axis.

    Parameters
    ----------
    data : array
        Any shape. float32, float64, complex64 and complex128 stay what they are; integers become
        float32.
    wavelet : str, Wavelet or four filters
        A name of :func:`wavelist`, or ``(dec_lo, dec_hi, rec_lo, rec_hi)``.
    mode : str
        How the signal goes on beyond its ends: zero, constant, symmetric, reflect, periodic,
        smooth, periodization, antisymmetric or antireflect.
    axis : int
        Axis to transform.

    Returns
    -------
    cA, cD : array
        Approximation and detail, ``ceil(n / 2)`` long for periodization, else
        ``(n + F - 1) // 2`` with F filter taps.

    Raises
    ------
    DataError
        Unknown wavelet or mode, no such axis, NaN or Inf in ``data``.
    ShapeError
        An empty axis, or one sample with mode reflect or antireflect.

    References
    ----------
    S. Mallat, IEEE PAMI 11, 1989, doi:10.1109/34.192463.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> cA, cD = prc.wavelet.dwt(np.arange(8.0), "haar")
    >>> cA.shape
    (4,)
    """
    edge = edge_of(data=data)
    x = take(edge, "data")
    steps = axis_steps(x.ndim, [axis], wavelet, mode)
    low, high = _one_level(edge, x, steps)
    return edge.answer(low), edge.answer(high)


def idwt(cA: Any, cD: Any, wavelet: Any, mode: str = "symmetric", axis: int = -1) -> Any:
    """Inverse of :func:`dwt`.

    Parameters
    ----------
    cA, cD : array or None
        Approximation and detail of one shape; None stands for zeros, but not both.
    wavelet, mode, axis
        As given to :func:`dwt`.

    Returns
    -------
    array
        ``2 m`` samples for periodization, else ``2 m - F + 2``: one more than were transformed
        where that number was odd.

    Raises
    ------
    ShapeError
        The shapes differ (the text holds both), or are too short for the wavelet.
    DataError
        As for :func:`dwt`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> x = np.arange(8.0)
    >>> bool(np.allclose(prc.wavelet.idwt(*prc.wavelet.dwt(x, "db2"), "db2"), x))
    True
    """
    if cA is None and cD is None:
        raise DataError("cA and cD are both None; at least one must be an array")
    edge = edge_of(cA=cA, cD=cD)
    bands = {
        name: take(edge, key) for name, key in (("a", "cA"), ("d", "cD")) if key in edge.arrays
    }
    if len(bands) == 2 and bands["a"].shape != bands["d"].shape:
        raise ShapeError(f"cA has shape {bands['a'].shape}, but cD has {bands['d'].shape}")
    bands = _of_one_dtype(bands)
    ndim = next(iter(bands.values())).ndim
    return edge.answer(_inverse_level(edge, bands, axis_steps(ndim, [axis], wavelet, mode)))


def dwtn(data: Any, wavelet: Any, mode: Any = "symmetric", axes: Axes = None) -> dict[str, Any]:
    """One level of the separable discrete wavelet transform of an nD array.

    Parameters
    ----------
    data : array
        Any shape; dtypes as in :func:`dwt`.
    wavelet : str, Wavelet, or one per axis
    mode : str, or one per axis
        As in :func:`dwt`.
    axes : sequence of int, optional
        Axes to transform, all by default; a repeated axis is transformed repeatedly.

    Returns
    -------
    dict
        Name -> band. The letters of a name, 'a' approximation or 'd' detail, follow ``axes``:
        'aad' is the detail along the third axis. The bands are views of one array.

    Raises
    ------
    DataError, ShapeError
        As :func:`dwt`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> sorted(prc.wavelet.dwtn(np.ones((8, 8), np.float32), "haar"))
    ['aa', 'ad', 'da', 'dd']
    """
    edge = edge_of(data=data)
    x = take(edge, "data")
    steps = axis_steps(x.ndim, axes, wavelet, mode, repeats=True)
    bands = _one_level(edge, x, steps)
    return dict(zip(band_names(len(steps)), (edge.answer(b) for b in bands), strict=True))


def idwtn(
    coeffs: Mapping[str, Any], wavelet: Any, mode: Any = "symmetric", axes: Axes = None
) -> Any:
    """Inverse of :func:`dwtn`.

    Parameters
    ----------
    coeffs : dict
        Name -> band, all of one shape; missing ones and None stand for zeros.
    wavelet, mode, axes
        As given to :func:`dwtn`.

    Returns
    -------
    array
        Lengths as in :func:`idwt`.

    Raises
    ------
    ShapeError
        Bands of different shapes (the text holds both), or too short for the wavelet.
    DataError
        Wrong names, and as for :func:`dwt`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> x = np.random.default_rng(0).normal(size=(6, 8))
    >>> y = prc.wavelet.idwtn(prc.wavelet.dwtn(x, "db2"), "db2")
    >>> bool(np.allclose(x, y))
    True
    """
    edge, bands, letters = band_arrays(coeffs)
    ndim = next(iter(bands.values())).ndim
    steps = axis_steps(ndim, axes, wavelet, mode, repeats=True)
    require_letters(letters, steps)
    return edge.answer(_inverse_level(edge, bands, steps))


def wavedecn(
    data: Any, wavelet: Any, mode: Any = "symmetric", level: int | None = None, axes: Axes = None
) -> list[Any]:
    """Multilevel separable discrete wavelet transform of an nD array.

    Parameters
    ----------
    data, wavelet, mode, axes
        As in :func:`dwtn`; an axis may be named only once.
    level : int, optional
        Number of levels; the deepest one (:func:`dwt_max_level`) by default.

    Returns
    -------
    list
        ``[cAn, details_n, ..., details_1]``: the coarsest approximation, then one dict of detail
        bands per level, coarsest first.

    Raises
    ------
    DataError
        ``level`` is deeper than the data allows (the text holds the maximum), and as :func:`dwt`.
    ShapeError
        As :func:`dwt`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> coeffs = prc.wavelet.wavedecn(np.ones((32, 32), np.float32), "db2", level=2)
    >>> coeffs[0].shape, sorted(coeffs[1])
    ((10, 10), ['ad', 'da', 'dd'])
    """
    edge = edge_of(data=data)
    x = take(edge, "data")
    steps = axis_steps(x.ndim, axes, wavelet, mode)
    require_samples(x.shape, steps)
    names = band_names(len(steps))[1:]
    approximation, levels = x, []
    for _ in range(checked_level(level, x.shape, steps)):
        require_samples(approximation.shape, steps)
        bands = dwt_forward(edge.kernels, edge.xp, approximation, steps)
        approximation = bands[0]
        levels.append(dict(zip(names, (edge.answer(b) for b in bands[1:]), strict=True)))
    refuse_non_finite(edge, "data", x, approximation)
    return [edge.answer(approximation), *reversed(levels)]


def waverecn(
    coeffs: Sequence[Any], wavelet: Any, mode: Any = "symmetric", axes: Axes = None
) -> Any:
    """Inverse of :func:`wavedecn`.

    Parameters
    ----------
    coeffs : list
        ``[cAn, details_n, ..., details_1]``. Missing detail bands, also all of a level (``{}``),
        stand for zeros; ``cAn`` may be None if the coarsest level has details.
    wavelet, mode, axes
        As given to :func:`wavedecn`.

    Returns
    -------
    array
        One longer than what was transformed along axes of odd length.

    Raises
    ------
    ShapeError
        Bands of a level differ in shape, or do not follow from the level below.
    DataError
        As :func:`idwtn`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> x = np.random.default_rng(0).normal(size=(32, 32))
    >>> y = prc.wavelet.waverecn(prc.wavelet.wavedecn(x, "db2", level=2), "db2")
    >>> bool(np.allclose(x, y))
    True
    """
    if not isinstance(coeffs, (list, tuple)) or not coeffs:
        raise DataError("coeffs must be a list [cAn, details_n, ..., details_1]")
    approximation = _array(coeffs[0])
    if len(coeffs) == 1 and approximation is None:
        raise DataError("coeffs is [None]; expected an approximation or details")
    for given in coeffs[1:]:
        if not isinstance(given, Mapping):
            raise DataError(f"coeffs holds a {type(given).__name__}; expected dicts of details")
        details = {name: _array(band) for name, band in given.items() if band is not None}
        if details:
            letters, shape = next((len(name), band.shape) for name, band in details.items())
            if approximation is not None:
                approximation = _trimmed(approximation, shape)
        elif approximation is None:
            raise DataError("a level of coeffs holds no bands; give zeros of the right shape")
        else:
            letters = len(axis_steps(approximation.ndim, axes, wavelet, mode))
        approximation = idwtn({**details, "a" * letters: approximation}, wavelet, mode, axes)
    return approximation


def wavedec(
    data: Any, wavelet: Any, mode: str = "symmetric", level: int | None = None, axis: int = -1
) -> list[Any]:
    """Multilevel transform along one axis: ``[cAn, cDn, ..., cD1]``; see :func:`wavedecn`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> [c.size for c in prc.wavelet.wavedec(np.ones(32, np.float32), "haar", level=2)]
    [8, 8, 16]
    """
    approximation, *levels = wavedecn(data, wavelet, mode, level, [axis])
    return [approximation, *(details["d"] for details in levels)]


def waverec(coeffs: Sequence[Any], wavelet: Any, mode: str = "symmetric", axis: int = -1) -> Any:
    """Inverse of :func:`wavedec`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> coeffs = prc.wavelet.wavedec(np.ones(32, np.float32), "haar", level=2)
    >>> prc.wavelet.waverec(coeffs, "haar").shape
    (32,)
    """
    if not isinstance(coeffs, (list, tuple)) or not coeffs:
        raise DataError("coeffs must be a list [cAn, cDn, ..., cD1]")
    return waverecn([coeffs[0], *({"d": c} for c in coeffs[1:])], wavelet, mode, [axis])


def band_arrays(coeffs: Mapping[str, Any]) -> tuple[Edge, dict[str, Any], int]:
    """Checked bands of one level, all of one dtype and shape, and the length of their names."""
    if not isinstance(coeffs, Mapping):
        raise DataError(f"coeffs is {type(coeffs).__name__}; expected a dict of bands")
    given = {name: band for name, band in coeffs.items() if band is not None}
    lengths = {len(name) for name in given}
    if len(lengths) != 1 or any(set(name) - set("ad") or not name for name in given):
        raise DataError(
            f"coeffs has the bands {sorted(given)}; expected names of 'a' and 'd', one letter per "
            "transformed axis"
        )
    edge = edge_of(**given)
    bands = _of_one_dtype({name: take(edge, name) for name in given})
    first = next(iter(bands))
    for name, band in bands.items():
        if band.shape != bands[first].shape:
            raise ShapeError(
                f"band {name!r} has shape {band.shape}, but band {first!r} has {bands[first].shape}"
            )
    return edge, bands, lengths.pop()


def _of_one_dtype(bands: Mapping[str, Any]) -> dict[str, Any]:
    dtype = np.result_type(*(band.dtype for band in bands.values()))
    return {name: band.astype(dtype, copy=False) for name, band in bands.items()}


def require_letters(letters: int, steps: Sequence[AxisStep]) -> None:
    if letters != len(steps):
        raise DataError(
            f"the bands' names have {letters} letters, but {len(steps)} axes are transformed"
        )


def refuse_non_finite(edge: Edge, name: str, data: Any, result: Any) -> None:
    """NaN and Inf of the input always reach the lowest band, so only that one is looked at.

    The input itself is searched when something was found there; a finite input that overflowed
    keeps its result.
    """
    flat = result.reshape(-1)
    if edge.kernels.count_nonfinite(flat.view(flat.real.dtype))[0]:
        edge.check_finite(name, data)


def _one_level(edge: Edge, x: Any, steps: Sequence[AxisStep]) -> Any:
    require_samples(x.shape, steps)
    bands = dwt_forward(edge.kernels, edge.xp, x, steps)
    refuse_non_finite(edge, "data", x, bands[0])
    return bands


def _inverse_level(edge: Edge, bands: Mapping[str, Any], steps: Sequence[AxisStep]) -> Any:
    shape = next(iter(bands.values())).shape
    require_samples(shape, (), "coeffs")
    for step in steps:
        if step.samples(shape[step.axis]) < 1:
            raise ShapeError(
                f"coeffs has shape {shape}: axis {step.axis} is shorter than the "
                f"{step.wavelet.rec_len // 2} coefficients that {step.wavelet.name} needs"
            )
    some = next(iter(bands.values()))
    zeros = None
    ordered = []
    for name in band_names(len(steps)):
        if name not in bands and zeros is None:
            zeros = edge.xp.zeros_like(some)
        ordered.append(bands.get(name, zeros))
    x = dwt_inverse(edge.kernels, edge.xp, ordered, steps)
    flat = x.reshape(-1)
    if edge.kernels.count_nonfinite(flat.view(flat.real.dtype))[0]:
        for name, band in bands.items():
            edge.check_finite(f"band {name!r}", band)
    return x


def _array(band: Any) -> Any:
    """Lists as arrays; arrays of any kind as they are."""
    return band if band is None or hasattr(band, "shape") else np.asarray(band)


def _trimmed(approximation: Any, want: Sequence[int]) -> Any:
    """The approximation without the extra sample that odd lengths leave behind."""
    have, want = tuple(approximation.shape), tuple(want)
    excess = [h - w for h, w in zip(have, want, strict=False)]
    if len(have) != len(want) or any(e not in (0, 1) for e in excess):
        raise ShapeError(
            f"the approximation has shape {have}, but the details of this level have {want}"
        )
    return approximation[tuple(slice(n) for n in want)]
