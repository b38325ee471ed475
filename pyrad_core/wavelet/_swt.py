"""Stationary (undecimated, a-trous) wavelet transform: every band keeps the shape of the data.

Names, arguments, layouts and values are those of PyWavelets (doi:10.21105/joss.01237). The bands
are exactly shift-equivariant. G. P. Nason and B. W. Silverman, 1995,
doi:10.1007/978-1-4612-2544-7_17.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import _checks
from .._kernels.select import edge_of
from ..errors import DataError, ShapeError
from ._arguments import AxisStep, axis_steps, require_samples, take
from ._dwt import Axes, band_arrays, refuse_non_finite, require_letters
from ._transform import band_names, swt_forward, swt_inverse

__all__ = ["iswtn", "swt_max_level", "swtn"]


def swtn(
    data: Any,
    wavelet: Any,
    level: int,
    start_level: int = 0,
    axes: Axes = None,
    trim_approx: bool = False,
    norm: bool = False,
) -> list[Any]:
    """Multilevel stationary wavelet transform of an nD array, periodic along each axis.

    Parameters
    ----------
    data : array
        Any shape; the transformed lengths must be multiples of ``2 ** (start_level + level)``.
        float32, float64, complex64 and complex128 stay what they are; integers become float32.
    wavelet : str, Wavelet, or one per axis
    level : int
        Number of levels, at least 1.
    start_level : int
        Taps of the first level are ``2 ** start_level`` samples apart.
    axes : sequence of int, optional
        Axes to transform, all by default.
    trim_approx : bool
        Keep only the coarsest approximation, as first element of the list.
    norm : bool
        Scale the filters by 1 / sqrt(2): with an orthogonal wavelet and ``trim_approx`` the
        coefficients keep the energy of the data.

    Returns
    -------
    list of dict
        ``[bands_n, ..., bands_1]``, coarsest level first; names of the bands as in :func:`dwtn`.

    Raises
    ------
    ShapeError
        A length is no multiple of ``2 ** levels``, or zero.
    DataError
        Unknown wavelet, no such axis, NaN or Inf in ``data``.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> bands = prc.wavelet.swtn(np.ones((8, 8), np.float32), "coif1", level=1)[0]
    >>> bands["ad"].shape
    (8, 8)
    """
    edge = edge_of(data=data)
    x = take(edge, "data")
    steps = axis_steps(x.ndim, axes, wavelet)
    level = _checks.whole("level", level, 1)
    start_level = _checks.whole("start_level", start_level)
    require_multiples(x.shape, steps, start_level + level)
    factor = math.sqrt(0.5) if norm else 1.0
    names = band_names(len(steps))
    approximation, levels = x, []
    for i in range(start_level, start_level + level):
        bands = swt_forward(edge.kernels, edge.xp, approximation, steps, 2**i, factor)
        approximation = bands[0]
        named = dict(zip(names, (edge.answer(b) for b in bands), strict=True))
        if trim_approx:
            del named[names[0]]
        levels.append(named)
    refuse_non_finite(edge, "data", x, approximation)
    if trim_approx:
        levels.append(edge.answer(approximation))
    return levels[::-1]


def iswtn(coeffs: Sequence[Any], wavelet: Any, axes: Axes = None, norm: bool = False) -> Any:
    """Inverse of :func:`swtn` (with ``start_level=0``): the mean over all shifted inverses.

    Parameters
    ----------
    coeffs : list
        What :func:`swtn` returned, trimmed or not. Only the coarsest approximation is used.
    wavelet, axes, norm
        As given to :func:`swtn`.

    Returns
    -------
    array
        Of the bands' shape.

    Raises
    ------
    ShapeError
        Bands of different shapes; the text holds both.
    DataError
        Wrong band names, and as for :func:`swtn`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> x = np.random.default_rng(0).normal(size=(8, 8))
    >>> y = prc.wavelet.iswtn(prc.wavelet.swtn(x, "db2", level=2), "db2")
    >>> bool(np.allclose(x, y))
    True
    """
    if not isinstance(coeffs, (list, tuple)) or not coeffs or not isinstance(coeffs[-1], dict):
        raise DataError("coeffs must be a list of dicts of bands, coarsest level first")
    trimmed = not isinstance(coeffs[0], dict)
    levels = coeffs[1:] if trimmed else coeffs
    approximation = coeffs[0] if trimmed else None
    factor = math.sqrt(2.0) if norm else 1.0
    for i, bands in enumerate(levels):
        letters = max((len(name) for name in bands), default=0)
        named = dict(bands)
        if approximation is not None:
            named["a" * letters] = approximation
        elif named.get("a" * letters) is None:
            raise DataError(f"coeffs[0] has the bands {sorted(bands)}, but no approximation")
        approximation = _inverse_level(named, wavelet, axes, 2 ** (len(levels) - 1 - i), factor)
    return approximation


def swt_max_level(input_len: int) -> int:
    """How often ``input_len`` can be halved.

    Examples
    --------
    >>> import pyrad_core as prc
    >>> prc.wavelet.swt_max_level(48)
    4
    """
    n = _checks.whole("input_len", input_len, 1)
    return (n & -n).bit_length() - 1


def _inverse_level(named: Any, wavelet: Any, axes: Axes, spacing: int, factor: float) -> Any:
    edge, bands, letters = band_arrays(named)
    some = next(iter(bands.values()))
    steps = axis_steps(some.ndim, axes, wavelet)
    require_letters(letters, steps)
    require_multiples(some.shape, steps, spacing.bit_length(), "coeffs")
    missing = [name for name in band_names(len(steps)) if name not in bands]
    if missing:
        raise DataError(f"coeffs lacks the bands {missing}; give zeros of the right shape")
    ordered = [bands[name] for name in band_names(len(steps))]
    x = swt_inverse(edge.kernels, edge.xp, ordered, steps, spacing, factor)
    flat = x.reshape(-1)
    if edge.kernels.count_nonfinite(flat.view(flat.real.dtype))[0]:
        for name, band in bands.items():
            edge.check_finite(f"band {name!r}", band)
    return edge.answer(x)


def require_multiples(
    shape: Sequence[int], steps: Sequence[AxisStep], levels: int, name: str = "data"
) -> None:
    require_samples(shape, steps, name)
    for step in steps:
        n = shape[step.axis]
        if n % 2**levels:
            deepest = swt_max_level(n)
            raise ShapeError(
                f"{name} has {n} samples along axis {step.axis}, which is no multiple of "
                f"2**{levels} = {2**levels}; at most {deepest} levels are possible, or pad the data"
            )
