"""Argument handling that the denoisers share."""

from __future__ import annotations

from typing import Any

from .._checks import entries, number, positive, same_shape, usable_out, whole
from .._kernels.select import Edge
from ..errors import BackendMismatchError, DataError, ShapeError

_MOST_COILS = 64


def per_axis(name: str, value: Any, ndim: int, *, odd: bool = False) -> tuple[Any, ...]:
    """One value per axis from a number or a sequence: positive reals, or odd whole numbers."""
    given = entries(value)
    values = (value,) * ndim if given is None else given
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


def coil_count(coils: Any) -> int:
    """Coils combined by the sum of squares."""
    count = whole("coils", coils, 1)
    if count > _MOST_COILS:
        raise DataError(f"coils is {coils}; expected at most {_MOST_COILS}")
    return count


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
    return edge.xp.ascontiguousarray(as_bool(edge, name))


def as_bool(edge: Edge, name: str = "mask") -> Any:
    """The mask where it is not zero."""
    mask = edge[name]
    if mask.dtype.kind not in "biu":
        raise DataError(
            f"{name} has dtype {mask.dtype}; expected bool or integers, such as {name} > 0"
        )
    return mask != 0


def is_map(sigma: Any) -> bool:
    """Whether this is a noise level per voxel, rather than a number or one per volume."""
    return getattr(sigma, "ndim", 0) >= 2


def noise_levels(edge: Edge, x: Any, spatial: tuple[int, ...], sigma: Any) -> Any:
    """A list with a number per volume, or (where ``sigma`` is a map) an array (volumes, *spatial).

    The map, which the edge holds, may be of one volume or of all.
    """
    count = x.shape[0] if x.ndim == 4 else 1
    if "sigma" in edge.arrays:
        level = edge.real("sigma", dtype=x.dtype)
        if level.shape not in (spatial, x.shape):
            raise ShapeError(
                f"sigma has shape {level.shape}, but image has shape {x.shape}; "
                f"expected a number, one per volume, or a map of shape {spatial}"
            )
        if bool((level < 0).any()):
            raise DataError(f"sigma holds {int((level < 0).sum())} negative values; expected >= 0")
        return level.reshape(-1, *spatial)
    given = entries(sigma)
    if given is None:
        return [nonnegative("sigma", sigma)] * count
    if x.ndim != 4 or len(given) != count:
        raise ShapeError(
            f"sigma has {len(given)} entries, but image has {count} volumes (shape {x.shape})"
        )
    return [nonnegative("sigma", s) for s in given]


def axes_of(name: str, axes: Any, ndim: int) -> list[int]:
    """Different axes of an image, counted from the front and in order."""
    given = entries(axes)
    if given is None:
        raise DataError(f"{name} is {axes!r}; expected a sequence of axes, such as (-2, -1)")
    found = [one_axis(name, a, ndim) for a in given]
    if not found or len(set(found)) < len(found):
        raise DataError(f"{name} is {given}; expected each axis once")
    return sorted(found)


def one_axis(name: str, axis: Any, ndim: int, image: str = "image") -> int:
    """An axis of an image, counted from the front."""
    found = whole(name, axis, -(1 << 30))
    if not -ndim <= found < ndim:
        raise ShapeError(f"{name} is {axis}, but {image} has {ndim} dimensions")
    return found % ndim
