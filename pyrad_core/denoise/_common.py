"""Argument handling that the denoisers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import number, positive, same_shape, usable_out, whole
from .._kernels.select import Edge
from ..errors import BackendMismatchError, DataError, ShapeError


def per_axis(name: str, value: Any, ndim: int, *, odd: bool = False) -> tuple[Any, ...]:
    """One value per axis from a number or a sequence: positive reals, or odd whole numbers."""
    is_sequence = isinstance(value, Sequence | np.ndarray) and np.ndim(value) > 0
    values = tuple(value) if is_sequence else (value,) * ndim
    if len(values) != ndim:
        raise ShapeError(f"{name} has {len(values)} entries, but image has {ndim} dimensions")
    if not odd:
        return tuple(positive(name, v) for v in values)
    widths = tuple(whole(name, v, 1) for v in values)
    for width in widths:
        if width % 2 == 0:
            raise DataError(f"{name} is {value}; expected an odd width, such as {width + 1}")
    return widths


def result_like(edge: Any, x: Any, out: Any) -> Any:
    """``out`` if it can hold a result like x, or a new array."""
    if out is None:
        return edge.xp.empty_like(x)
    if not isinstance(out, edge.xp.ndarray):
        raise BackendMismatchError(
            f"out is {type(out).__name__}, but image asks for {edge.xp.ndarray.__name__}"
        )
    return usable_out(out, tuple(x.shape), x.dtype, "the result")


def nonnegative(name: str, value: Any) -> float:
    result = number(name, value)
    if result < 0:
        raise DataError(f"{name} is {value}; expected a number >= 0")
    return result


def real_or_complex(edge: Edge, ndim: tuple[int, ...]) -> Any:
    """The image in floating point, with at least one voxel."""
    is_complex = edge["image"].dtype.kind == "c"
    x = edge.complex("image", ndim=ndim) if is_complex else edge.real("image", ndim=ndim)
    if x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    return x


def as_channels(edge: Edge, x: Any, axis: int | None = None) -> Any:
    """(channels, nz, ny, nx): the real and imaginary part of each channel, missing axes of size 1.

    A view of a real x whose channels (if any) come first.
    """
    x = x[None] if axis is None else edge.xp.moveaxis(x, axis, 0)
    if x.dtype.kind == "c":
        x = edge.xp.stack([x.real, x.imag], 1).reshape(2 * len(x), *x.shape[1:])
    else:
        x = edge.xp.ascontiguousarray(x)
    return x.reshape(len(x), *(1,) * (4 - x.ndim), *x.shape[1:])


def from_channels(edge: Edge, channels: Any, result: Any, axis: int | None = None) -> None:
    """The inverse of :func:`as_channels`, into ``result``."""
    to = result[None] if axis is None else edge.xp.moveaxis(result, axis, 0)
    if result.dtype.kind == "c":
        parts = channels.reshape(len(to), 2, *to.shape[1:])
        to.real, to.imag = parts[:, 0], parts[:, 1]
    else:
        to[...] = channels.reshape(to.shape)


def take_mask(edge: Edge, shape: tuple[int, ...], name: str = "mask") -> Any:
    """A mask of the volume's shape as bool; None where none was given."""
    if name not in edge.arrays:
        return None
    mask = edge[name]
    same_shape(name, mask.shape, "image", shape)
    if mask.dtype.kind not in "biu":
        raise DataError(f"{name} has dtype {mask.dtype}; expected bool or integers")
    return edge.xp.ascontiguousarray(mask != 0)
