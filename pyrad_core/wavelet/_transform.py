"""One level of the separable transforms on checked arrays: axis by axis, all bands in one array.

Bands are numbered as ``itertools.product("ad", repeat=axes)`` lists their names. Complex arrays are
handled as real ones with a last axis of length 2.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._arguments import AxisStep
from .filters import Wavelet


def band_names(count: int) -> list[str]:
    """Names of the bands of ``count`` transformed axes: 'aa', 'ad', 'da', 'dd'."""
    return ["".join(letters) for letters in itertools.product("ad", repeat=count)]


def dwt_forward(kernels: Any, xp: Any, x: Any, steps: Sequence[AxisStep]) -> Any:
    """x -> (bands, ...): one decimated level."""
    current = _as_real(x)
    if _is_volume(x.ndim, steps):
        lengths = [step.coefficients(x.shape[step.axis]) for step in steps]
        bands = xp.empty([8, *x.shape[:-3], *lengths, current.shape[-1]], current.dtype)
        filters, mode = steps[0].wavelet.decomposition, steps[0].mode_number
        for index in np.ndindex(x.shape[:-3]):
            to = [band[index] for band in bands]
            kernels.dwt_analysis_3d(current[index], filters, mode, to)
        return _like(bands, x.dtype)
    bands = current[None]
    for step in steps:
        axis = step.axis + 1
        shape = list(bands.shape)
        shape[0] *= 2
        shape[axis] = step.coefficients(shape[axis])
        out = xp.empty(shape, bands.dtype)
        for i, band in enumerate(bands):
            kernels.dwt_analysis(
                _rows(band, step.axis),
                step.wavelet.decomposition,
                step.mode_number,
                _rows(out[2 * i], step.axis),
                _rows(out[2 * i + 1], step.axis),
            )
        bands = out
    return _like(bands, x.dtype)


def dwt_inverse(kernels: Any, xp: Any, bands: Sequence[Any], steps: Sequence[AxisStep]) -> Any:
    """Bands of one decimated level, all of one shape and dtype -> x."""
    current = [_as_real(band) for band in bands]
    shape = list(current[0].shape)
    if _is_volume(bands[0].ndim, steps):
        for step in steps:
            shape[step.axis] = step.samples(shape[step.axis])
        out = xp.empty(shape, current[0].dtype)
        filters, periodization = steps[0].wavelet.reconstruction, steps[0].periodization
        for index in np.ndindex(bands[0].shape[:-3]):
            of_volume = [band[index] for band in current]
            kernels.dwt_synthesis_3d(of_volume, filters, periodization, out[index])
        return _like(out, bands[0].dtype)
    for step in reversed(steps):
        shape[step.axis] = step.samples(shape[step.axis])
        joined = xp.empty([len(current) // 2, *shape], current[0].dtype)
        for i, out in enumerate(joined):
            kernels.dwt_synthesis(
                _rows(current[2 * i], step.axis),
                _rows(current[2 * i + 1], step.axis),
                step.wavelet.reconstruction,
                step.periodization,
                _rows(out, step.axis),
            )
        current = list(joined)
    return _like(current[0], bands[0].dtype)


def transposed(wavelet: Wavelet) -> Wavelet:
    """The bank whose synthesis is the adjoint of this one's periodic analysis."""
    bank = wavelet.decomposition
    return Wavelet(wavelet.name, [*bank, *bank[:, ::-1]])


def dwt_adjoint(
    kernels: Any,
    xp: Any,
    bands: Sequence[Any],
    steps: Sequence[AxisStep],
    turned: Sequence[AxisStep],
    shape: Sequence[int],
) -> Any:
    """Adjoint of dwt_forward: bands of one level -> x of which ``shape`` are the last lengths.

    ``turned``: the steps with transposed wavelets.
    """
    shape = [*bands[0].shape[: bands[0].ndim - len(shape)], *shape]
    if all(s.periodization and shape[s.axis] % 2 == 0 for s in steps):
        return dwt_inverse(kernels, xp, bands, turned)
    current = [_as_real(band) for band in bands]
    for step, turn in zip(reversed(steps), reversed(turned), strict=True):
        lengths = list(current[0].shape)
        lengths[step.axis] = shape[step.axis]
        joined = xp.empty([len(current) // 2, *lengths], current[0].dtype)
        for i, out in enumerate(joined):
            low, high = (_rows(band, step.axis) for band in current[2 * i : 2 * i + 2])
            _join_adjoint(kernels, xp, low, high, turn, _rows(out, step.axis))
        current = list(joined)
    return _like(current[0], bands[0].dtype)


def _join_adjoint(kernels: Any, xp: Any, low: Any, high: Any, turn: AxisStep, out: Any) -> None:
    """Adjoint of the analysis of the middle axis: synthesis of the extended signal, then fold."""
    filters, start = turn.wavelet.reconstruction, 0
    outer, m, inner = low.shape
    length = 2 * m
    if not turn.periodization:
        more = turn.wavelet.dec_len // 2 - 1
        low, high = (xp.pad(band, ((0, 0), (more, more), (0, 0))) for band in (low, high))
        start, length = -2 * more, 2 * m + 2 * more
    extended = xp.empty((outer, length, inner), low.dtype)
    kernels.dwt_synthesis(low, high, filters, turn.periodization, extended)
    kernels.dwt_fold(extended, start, turn.mode_number, out)


def swt_forward(
    kernels: Any, xp: Any, x: Any, steps: Sequence[AxisStep], spacing: int, factor: float = 1.0
) -> Any:
    """x -> (bands, ...): one undecimated level with taps ``spacing`` samples apart."""
    current = _as_real(x)
    if _is_volume(x.ndim, steps):
        bands = xp.empty([8, *current.shape], current.dtype)
        filters = factor * steps[0].wavelet.decomposition
        for index in np.ndindex(x.shape[:-3]):
            kernels.swt_analysis_3d(current[index], filters, spacing, [b[index] for b in bands])
        return _like(bands, x.dtype)
    bands = current[None]
    for step in steps:
        out = xp.empty([2 * bands.shape[0], *bands.shape[1:]], bands.dtype)
        filters = factor * step.wavelet.decomposition
        for i, band in enumerate(bands):
            kernels.swt_analysis(
                _rows(band, step.axis, spacing),
                filters,
                _rows(out[2 * i], step.axis, spacing),
                _rows(out[2 * i + 1], step.axis, spacing),
            )
        bands = out
    return _like(bands, x.dtype)


def swt_inverse(
    kernels: Any,
    xp: Any,
    bands: Sequence[Any],
    steps: Sequence[AxisStep],
    spacing: int,
    factor: float = 1.0,
) -> Any:
    """Bands of one undecimated level -> x: the mean over all decimated inverses."""
    current = [_as_real(band) for band in bands]
    if _is_volume(bands[0].ndim, steps):
        out = xp.empty_like(current[0])
        filters = factor * steps[0].wavelet.reconstruction
        for index in np.ndindex(bands[0].shape[:-3]):
            kernels.swt_synthesis_3d([b[index] for b in current], filters, spacing, out[index])
        return _like(out, bands[0].dtype)
    for step in reversed(steps):
        joined = xp.empty([len(current) // 2, *current[0].shape], current[0].dtype)
        filters = factor * step.wavelet.reconstruction
        for i, out in enumerate(joined):
            kernels.swt_synthesis(
                _rows(current[2 * i], step.axis, spacing),
                _rows(current[2 * i + 1], step.axis, spacing),
                filters,
                _rows(out, step.axis, spacing),
            )
        current = list(joined)
    return _like(current[0], bands[0].dtype)


def _is_volume(ndim: int, steps: Sequence[AxisStep]) -> bool:
    """The last three axes, all treated alike: one sweep does them together."""
    last = list(range(ndim - 3, ndim))
    return [step.axis for step in steps] == last and all(
        step.wavelet is steps[0].wavelet and step.mode == steps[0].mode for step in steps
    )


def _as_real(x: Any) -> Any:
    """x with a last axis of its real numbers: length 1 or 2."""
    if x.dtype.kind == "c":
        return x.view(x.real.dtype).reshape(*x.shape, 2)
    return x.reshape(*x.shape, 1)


def _like(x: Any, dtype: Any) -> Any:
    return x.view(dtype)[..., 0] if np.dtype(dtype).kind == "c" else x[..., 0]


def _rows(x: Any, axis: int, spacing: int = 1) -> Any:
    """x as (outer, n, inner) about ``axis``; neighbours along n are ``spacing`` samples apart."""
    inner = spacing * math.prod(x.shape[axis + 1 :])
    return x.reshape(math.prod(x.shape[:axis]), x.shape[axis] // spacing, inner)
