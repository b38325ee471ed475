"""GRAPPA: missing k-space samples from their measured neighbours in all coils."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._kernels.select import Edge, edge_of, host_array
from .._memory import require_memory
from ..errors import DataError, PyradWarning, ShapeError
from .grappa_noise import combined_kernel, noise_gain
from .grappa_plan import (
    Chunk,
    Gram,
    Patterns,
    calibration_of,
    kernel_shape,
    lanes_for,
    sampled_block,
    three,
)

__all__ = ["Grappa", "given_mask", "grappa"]

_CHUNK_BYTES = 64 << 20  # of weights that grappa() holds at a time


def grappa(
    kspace: Any,
    calibration: Any = None,
    *,
    mask: Any = None,
    kernel: int | Sequence[int] = (5, 5),
    regularization: float = 0.005,
) -> Any:
    """Fill undersampled Cartesian k-space from its own coils.

    Parameters
    ----------
    kspace : complex array (coil, y, x) or (coil, z, y, x)
        DC at ``n // 2``; samples that were not measured are 0 (or ``mask`` says which).
    calibration : complex array (coil, ...), optional
        Fully sampled lines, of any size not below the kernel. By default the largest fully sampled
        block around the centre of ``kspace``.
    mask : array of one coil's shape (or broadcasting to it), optional
        Non-zero where measured; by default where any coil is not exactly 0.
    kernel : int or sequence
        Window of neighbours per axis, counted in grid cells; a shorter sequence goes on with its
        last size. Cell ``k // 2`` of the window is the one to be filled.
    regularization : float
        Tikhonov weight on the kernel, relative to the mean squared calibration sample (times the
        number of windows), so that it does not depend on the data's scale.

    Returns
    -------
    complex array of k-space's shape and dtype
        Measured samples unchanged, missing ones filled; those without any measured neighbour
        within the kernel stay 0.

    Raises
    ------
    ShapeError
        Calibration smaller than the kernel (both sizes are in the text), arrays that do not fit.
    DataError
        NaN (with count and first index), real or all-zero k-space.

    Warns
    -----
    PyradWarning
        Acceleration beyond the number of coils; samples without measured neighbours.

    Notes
    -----
    Every distinct pattern of measured neighbours has a kernel of its own, so that regular and
    CAIPIRINHA sampling in one or two directions, variable density, Poisson discs and the borders of
    the calibration region are treated alike. The normal equations of all patterns are parts of one
    matrix, which is made from lagged products of the calibration data. For many slices or frames
    with one calibration see :class:`Grappa`.

    References
    ----------
    Griswold et al., Magn. Reson. Med. 47 (2002), doi:10.1002/mrm.10171; 2D patterns: Breuer et al.,
    Magn. Reson. Med. 55 (2006), doi:10.1002/mrm.20787.

    Examples
    --------
    >>> image = prc.mr.combine_coils(prc.mr.ifft(prc.mr.grappa(kspace)))
    """
    edge = edge_of(kspace=kspace, calibration=calibration, mask=mask)
    y = edge.complex("kspace", ndim=(3, 4))
    data, sampled = _interleave(edge, y)
    if "mask" in edge.arrays:
        sampled = given_mask(edge, y.shape[1:])
    _require_samples(edge, y, sampled)
    window = kernel_shape(kernel, y.ndim - 1)
    host = host_array(sampled).reshape(y.shape[1:])
    centre, block = calibration_of(edge, y, host, window)
    _warn_of_rate(host, block if block is not None else sampled_block(host), y.shape[0])
    gram = Gram(edge, centre, window, regularization)
    patterns = Patterns(edge, sampled.reshape(three(y.shape[1:])), window)
    _warn_of_blind(patterns)
    lanes = data.shape[1]
    per_source = gram.coils * lanes * y.dtype.itemsize
    for chunk in patterns.chunks(edge, per_source, _CHUNK_BYTES):
        weights = gram.weights(edge, chunk.sources, chunk.begin, lanes, y.dtype)
        _fill(edge, patterns, chunk, weights, data)
    return edge.answer(_separate(edge, data, y.shape))


class Grappa:
    """GRAPPA kernels of one calibration and one mask, for many slices or frames.

    Parameters
    ----------
    calibration : complex array (coil, y, x) or (coil, z, y, x)
        Fully sampled lines.
    mask : array (y, x) or (z, y, x)
        Non-zero where k-space is measured.
    kernel, regularization
        As in :func:`grappa`.

    Raises
    ------
    ShapeError
        Calibration smaller than the kernel.
    DeviceMemoryError
        The weights do not fit into memory, which is the case for large irregular masks;
        :func:`grappa` makes them in parts.

    Examples
    --------
    >>> fill = prc.mr.Grappa(calibration, mask)
    >>> kspace = fill(kspace)                                # (..., coil, y, x)
    """

    def __init__(
        self,
        calibration: Any,
        mask: Any,
        *,
        kernel: int | Sequence[int] = (5, 5),
        regularization: float = 0.005,
    ):
        edge = edge_of(calibration=calibration, mask=mask)
        data = edge.complex("calibration", ndim=(3, 4))
        self.dtype, self.coils = data.dtype, data.shape[0]
        if edge["mask"].ndim != data.ndim - 1:
            raise ShapeError(
                f"mask has shape {edge['mask'].shape}, calibration {data.shape}; expected one axis "
                "less, the coils'"
            )
        self.shape = tuple(edge["mask"].shape)
        self._window = window = kernel_shape(kernel, len(self.shape))
        sampled = given_mask(edge, self.shape)
        host = host_array(sampled).reshape(self.shape)
        centre, _ = calibration_of(edge, data, host, window)
        _warn_of_rate(host, sampled_block(host), self.coils)
        gram = Gram(edge, centre, window, regularization)
        self._patterns = Patterns(edge, sampled.reshape(three(self.shape)), window)
        _warn_of_blind(self._patterns)
        lanes = lanes_for(self.coils, self.dtype.itemsize)
        per_source = self.coils * lanes * self.dtype.itemsize
        require_memory(
            f"the weights of {self._patterns.count} sampling patterns",
            per_source * self._patterns.sources,
            "call grappa(), which makes them in parts",
        )
        most = per_source * max(1, self._patterns.sources)
        self._plan = [
            (chunk, gram.weights(edge, chunk.sources, chunk.begin, lanes, self.dtype))
            for chunk in self._patterns.chunks(edge, per_source, most)
        ]

    def __call__(self, kspace: Any) -> Any:
        """Fill k-space (..., coil, y, x) or (..., coil, z, y, x); the dtype is the calibration's.

        What ``kspace`` holds where the mask is 0 is ignored.
        """
        edge = edge_of(kspace=kspace)
        y = edge.complex("kspace", dtype=self.dtype)
        each = (self.coils, *self.shape)
        if tuple(y.shape[-len(each) :]) != each:
            raise ShapeError(
                f"kspace has shape {tuple(y.shape)}, the kernels are for (..., {each})"
            )
        frames = y.reshape(-1, *each)
        out = edge.xp.empty_like(frames)
        for i in range(frames.shape[0]):
            data, _ = _interleave(edge, frames[i])
            for chunk, weights in self._plan:
                _fill(edge, self._patterns, chunk, weights, data)
            _separate(edge, data, each, out[i])
        return edge.answer(out.reshape(y.shape))

    def g_factor(self, covariance: Any = None) -> Any:
        """How much more noise each coil's image has than the acceleration alone explains.

        Parameters
        ----------
        covariance : complex array (coil, coil), optional
            Of the coils' noise; uncorrelated and equal by default.

        Returns
        -------
        real array (coil, ...) : ``SNR_full / (SNR_accelerated sqrt(R))`` per pixel, for a regular
        lattice (CAIPI included) of rate R; calibration lines are not counted.

        Raises
        ------
        DataError
            The mask is no regular lattice.

        References
        ----------
        Breuer et al., Magn. Reson. Med. 62 (2009), doi:10.1002/mrm.22066.

        Examples
        --------
        >>> g = prc.mr.Grappa(calibration, mask).g_factor()
        """
        edge = edge_of(mask=self._patterns.cells, covariance=covariance)
        root = None if covariance is None else edge.complex("covariance", real_ok=True)
        if not self._plan:
            return edge.xp.ones((self.coils, *self.shape), self.dtype.type(0).real.dtype)
        chunk, weights = self._plan[0]
        starts, begin = host_array(chunk.starts), host_array(chunk.begin)
        size, cells = self._window, math.prod(self._window)
        kernel, rate = combined_kernel(
            edge.xp, np.diff(starts), begin, chunk.sources, weights, cells
        )
        kernel[np.ravel_multi_index([k // 2 for k in size], size)] = edge.xp.eye(self.coils)
        gain = noise_gain(edge, kernel, size, self.shape, root) / rate
        return edge.answer(gain.astype(self.dtype.type(0).real.dtype))


def given_mask(edge: Edge, shape: Sequence[int]) -> Any:
    """The caller's mask as uint8, 0 or 1, flat."""
    mask = edge.arrays["mask"]
    if mask.dtype.kind not in "fiub":
        raise DataError(f"mask has dtype {mask.dtype}; accepted are bool, integers and floats")
    try:
        full = edge.xp.broadcast_to(mask, tuple(shape))
    except ValueError:
        raise ShapeError(
            f"mask has shape {tuple(mask.shape)}, but one coil of kspace {tuple(shape)}"
        ) from None
    return edge.xp.ascontiguousarray(full != 0).view(np.uint8).reshape(-1)


def _interleave(edge: Edge, y: Any) -> tuple[Any, Any]:
    """k-space as (cell, lanes), and the cells where any coil is not 0."""
    cells = math.prod(y.shape[1:])
    data = edge.xp.empty((cells, lanes_for(y.shape[0], y.dtype.itemsize)), y.dtype)
    sampled = edge.xp.empty(cells, np.uint8)
    edge.kernels.interleave_coils(y.reshape(y.shape[0], cells), data, sampled)
    return data, sampled


def _separate(edge: Edge, data: Any, shape: Sequence[int], out: Any = None) -> Any:
    out = edge.xp.empty(tuple(shape), data.dtype) if out is None else out
    edge.kernels.separate_coils(data, out.reshape(shape[0], -1))
    return out


def _fill(edge: Edge, patterns: Patterns, chunk: Chunk, weights: Any, data: Any) -> None:
    edge.kernels.grappa_fill(
        patterns.cells, chunk.starts, chunk.begin, chunk.offsets, weights, data
    )


def _require_samples(edge: Edge, y: Any, sampled: Any) -> None:
    if not bool(sampled.any()):
        what = "mask keeps no sample" if "mask" in edge.arrays else "kspace holds only zeros"
        raise DataError(what)
    if "mask" in edge.arrays and not bool(y.any()):
        raise DataError("kspace holds only zeros")


def _warn_of_rate(mask: np.ndarray, block: tuple[slice, ...], coils: int) -> None:
    """Of an acceleration outside the calibration block that the coils cannot make up for."""
    inside = mask[block].size
    cells, kept = mask.size - inside, int(mask.sum()) - int(mask[block].sum())
    if cells > coils * kept:
        rate = f"{cells / kept:.1f}" if kept else "infinity"
        warnings.warn(
            f"acceleration {rate} outside the calibration region, but only {coils} coils: parallel "
            "imaging alone cannot make up for that",
            PyradWarning,
            stacklevel=3,
        )


def _warn_of_blind(patterns: Patterns) -> None:
    if patterns.blind:
        warnings.warn(
            f"{patterns.blind} of {patterns.missing} missing samples have no measured neighbour "
            "within the kernel and stay 0; a larger kernel reaches further",
            PyradWarning,
            stacklevel=3,
        )
