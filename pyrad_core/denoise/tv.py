"""Total-variation denoising (Rudin-Osher-Fatemi) with a duality gap as stop rule."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .._checks import at_least, choice, number, same_shape, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ._common import as_channels, from_channels, per_axis, real_or_complex, result_like, take_mask
from ._tv_problem import fgp, is_enough, pdhg, problem_of

__all__ = ["TVInfo", "tv"]


@dataclass(frozen=True)
class TVInfo:
    """How a total-variation solve ended.

    Attributes
    ----------
    iterations : int
        Iterations run.
    primal : float
        ``0.5 * ||u - f||^2 + weight * TV(u)`` of the returned image.
    gap : float
        Duality gap: ``primal`` is at most this far above the minimum, and
        ``0.5 * ||u - minimiser||^2 <= gap``.
    relative_gap : float
        ``gap / primal`` (0 when both are 0).
    converged : bool
        Whether ``relative_gap <= tol`` was reached.
    dual : array
        The dual field, ``(axes, *image.shape)``; with channels ``(channels, axes, *volume)``, real
        and imaginary parts being two channels. Pass it as ``dual=`` of a later call on a similar
        image to start from there.
    """

    iterations: int
    primal: float
    gap: float
    relative_gap: float
    converged: bool
    dual: Any = field(repr=False)


def tv(
    image: Any,
    *,
    weight: Any,
    method: str = "pdhg",
    tol: float = 1e-4,
    max_iterations: int = 1000,
    spacing: float | tuple[float, ...] = 1.0,
    isotropic: bool = True,
    channel_axis: int | None = None,
    coupling: str = "frobenius",
    bounds: Any = None,
    mask: Any = None,
    dual: Any = None,
    return_info: bool = False,
    out: Any = None,
) -> Any:
    """Minimise ``0.5 * ||u - image||^2 + weight * TV(u)``.

    TV is the sum over voxels of the length of the forward-difference gradient (zero at the far
    edge). Iterations stop when the duality gap, which bounds the distance to the minimum, falls to
    ``tol`` times the objective; it is looked at every 12 iterations and at the end.

    Parameters
    ----------
    image : array, (x), (y, x) or (z, y, x), and an axis of channels if ``channel_axis`` says so
        float32, float64, complex64 or complex128; integers are converted to float32. The real and
        imaginary parts of a complex image are coupled: edges are shared.
    weight : float or array
        Multiplies TV, >= 0; in units of intensity times length. 0 returns the image. An array of
        the image's shape (without channels) multiplies the length of each voxel's gradient.
    method : {"pdhg", "fgp"}
        Accelerated primal-dual hybrid gradient (the faster one) or fast gradient projection.
    tol : float
        Relative duality gap to stop at; float32 reaches about 1e-6. 0 runs ``max_iterations``.
    max_iterations : int
        Iterations at most.
    spacing : float or one per axis
        Voxel size (of the axes without channels); differences are divided by it.
    isotropic : bool
        Euclidean length of the gradient, or (False) the sum of its absolute components.
    channel_axis : int, optional
        Axis of channels (echoes, b-values, energies, colours) that are denoised together.
    coupling : {"frobenius", "nuclear"}
        Length of the gradients of all channels at a voxel: Euclidean, so that edges are at the
        same places, or the sum of their singular values, so that they have the same direction too.
        One channel knows no difference; anisotropic TV is of the first kind.
    bounds : (low, high), optional
        Minimise over images between these: numbers, None for no bound, or arrays of the image's
        shape (without channels). Real images only.
    mask : array of bool, optional
        Shape of the image without channels. Voxels outside are returned unchanged, and no
        difference to them is counted: the mask is the whole domain.
    dual : array, optional
        ``TVInfo.dual`` of a former call, used as the start and updated in place.
    return_info : bool
        Also return a :class:`TVInfo`.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array, or (array, TVInfo)
        Same shape and, but for integers, same dtype as the image. Without bounds the mean is kept.

    Raises
    ------
    DataError
        NaN or Inf in the image, negative weight or tol, spacing <= 0, bounds that exclude each
        other, dtype not listed above.
    ShapeError
        More than three dimensions beside the channels, or ``weight``, ``mask``, ``bounds``,
        ``dual``, ``out`` or ``spacing`` that do not fit.
    DeviceMemoryError
        Not enough memory for the fields, up to 11 times the image.

    References
    ----------
    Rudin, Osher, Fatemi, Physica D 60 (1992) 259, doi:10.1016/0167-2789(92)90242-F.
    Chambolle, Pock, J. Math. Imaging Vis. 40 (2011) 120, doi:10.1007/s10851-010-0251-1.
    Beck, Teboulle, IEEE Trans. Image Process. 18 (2009) 2419, doi:10.1109/TIP.2009.2028250.
    Holt, IEEE Trans. Image Process. 23 (2014) 3975, doi:10.1109/TIP.2014.2332397 (nuclear).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> step = np.repeat([0.0, 1.0], 50)[:, None] * np.ones(100)
    >>> noisy = step + np.random.default_rng(0).normal(0, 0.1, step.shape)
    >>> clean, info = prc.denoise.tv(noisy, weight=0.2, return_info=True)
    >>> bool(abs(clean - step).mean() < abs(noisy - step).mean() / 4), info.converged
    (True, True)
    """
    weights = weight if getattr(weight, "ndim", 0) else None
    low, high = _pair(bounds)
    arrays = {"low": low, "high": high}
    arrays = {name: value for name, value in arrays.items() if getattr(value, "ndim", 0)}
    edge = edge_of(image=image, mask=mask, weight=weights, **arrays)
    x = real_or_complex(edge, (1, 2, 3) if channel_axis is None else (2, 3, 4))
    axis, shape = _channels(x, channel_axis)
    choice("method", method, ("pdhg", "fgp"))
    choice("coupling", coupling, ("frobenius", "nuclear"))
    if not isotropic and coupling == "nuclear":
        raise DataError("coupling is 'nuclear', but isotropic is False; choose one of them")
    tol = at_least("tol", tol, 0)
    max_iterations = whole("max_iterations", max_iterations)
    spacing = per_axis("spacing", spacing, len(shape))
    grid = (1,) * (3 - len(shape)) + shape
    most, limit = _weight(edge, weight, weights, x, shape)
    within = _within(edge, x, low, high, shape)
    inside = take_mask(edge, shape)
    result = result_like(edge, x, out)
    f = as_channels(edge, x, axis)
    start = _start(edge, f, dual, x.dtype.kind == "c" or axis is not None, shape)
    if inside is not None:
        f = edge.xp.where(inside.reshape(grid), f, f.dtype.type(0))
    problem = problem_of(
        edge, f, start.reshape(len(f), len(shape), *grid), most, spacing,
        coupling if isotropic else "separate",
        limit=limit, links=_links(edge, inside, grid, len(shape)), bounds=within,
    )  # fmt: skip
    # a result of our own that is laid out as f holds the iterate; `out` may be the image itself
    own = out is None and x.dtype.kind == "f" and axis is None and result.flags.c_contiguous
    solution = result.reshape(f.shape) if own else edge.xp.empty_like(f)
    if most == 0:
        iterations, state = 0, (0.0, 0.0)
        solution[...] = f
        if within is not None:
            problem.dual[...] = 0
            problem.image(solution)
    else:
        solve = pdhg if method == "pdhg" else fgp
        iterations, state = solve(problem, solution, tol, max_iterations)
    if not own:
        from_channels(edge, solution, result, axis)
    if inside is not None:
        wide = inside if axis is None else edge.xp.expand_dims(inside, axis)
        edge.xp.copyto(result, x, where=~wide)
    answer = edge.answer(result) if out is None else out
    return (answer, _info(iterations, state, tol, start)) if return_info else answer


def _info(iterations: int, state: tuple[float, float], tol: float, dual: Any) -> TVInfo:
    primal, lower = state
    gap = max(primal - lower, 0.0)  # |dual| <= 1 holds up to rounding
    relative = gap / primal if primal > 0 else 0.0
    return TVInfo(iterations, primal, gap, relative, is_enough(state, tol), dual)


def _channels(x: Any, channel_axis: int | None) -> tuple[int | None, tuple[int, ...]]:
    """The axis of the channels, counted from the front, and the shape without it."""
    if channel_axis is None:
        return None, tuple(x.shape)
    axis = int(number("channel_axis", channel_axis))
    if axis != channel_axis or not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"channel_axis is {channel_axis}, but image has shape {x.shape}")
    axis %= x.ndim
    return axis, tuple(n for i, n in enumerate(x.shape) if i != axis)


def _weight(
    edge: Edge, weight: Any, weights: Any, x: Any, shape: tuple[int, ...]
) -> tuple[float, Any]:
    """The largest weight, and the voxels' weights over it (None where they are equal)."""
    if weights is None:
        return at_least("weight", weight, 0), None
    found = edge.real("weight", dtype=x.real.dtype)
    same_shape("weight", found.shape, "image", shape)
    if bool((found < 0).any()):
        raise DataError(f"weight holds {int((found < 0).sum())} negative values; expected >= 0")
    most = float(found.max())
    limit = found / found.dtype.type(most or 1.0)
    return most, limit.reshape((1,) * (3 - len(shape)) + shape)


def _pair(bounds: Any) -> tuple[Any, Any]:
    """Low and high, None where there is no bound."""
    if bounds is None:
        return None, None
    try:
        low, high = bounds
    except (TypeError, ValueError):
        raise DataError(f"bounds is {bounds!r}; expected (low, high)") from None
    return low, high


def _within(edge: Edge, x: Any, low: Any, high: Any, shape: tuple[int, ...]) -> Any:
    """Bounds as the kernels take them: None, two numbers, or one array of both."""
    if low is None and high is None:
        return None
    if x.dtype.kind == "c":
        raise DataError(f"bounds are for real data; image has dtype {x.dtype}")
    ends = []
    for name, value, none in (("low", low, -math.inf), ("high", high, math.inf)):
        if name in edge.arrays:
            value = edge.real(name, dtype=x.dtype, finite=False)
            same_shape(f"{name} bound", value.shape, "image", shape)
        elif value is None or value in (-math.inf, math.inf):
            value = none if value is None else float(value)
        else:
            value = number(f"{name} bound", value)
        ends.append(value)
    if not bool(edge.xp.all(edge.xp.asarray(ends[0] <= ends[1]))):
        raise DataError("bounds exclude each other: low is above high (or NaN)")
    if not edge.arrays.keys() & {"low", "high"}:
        return tuple(ends)
    both = edge.xp.empty((2, *shape), x.dtype)
    both[0], both[1] = ends
    return both.reshape(2, *(1,) * (3 - len(shape)), *shape)


def _links(edge: Edge, inside: Any, grid: tuple[int, ...], dims: int) -> Any:
    """Bit d: this voxel and the next one along axis d lie inside."""
    if inside is None:
        return None
    xp, volume = edge.xp, inside.reshape(grid)
    links = xp.zeros(grid, xp.uint8)
    for d in range(dims):
        axis = d - dims
        here = xp.moveaxis(volume, axis, 0)
        to = xp.moveaxis(links, axis, 0)
        to[:-1] |= (here[:-1] & here[1:]).astype(links.dtype) << links.dtype.type(d)
    return links


def _start(edge: Edge, f: Any, dual: Any, has_channels: bool, spatial: tuple[int, ...]) -> Any:
    """The given dual field, checked, or zeros."""
    axes = len(spatial)
    shape = (len(f), axes, *spatial) if has_channels else (axes, *spatial)
    if dual is None:
        return edge.xp.zeros(shape, f.dtype)
    if not isinstance(dual, edge.xp.ndarray) or dual.dtype != f.dtype:
        raise DataError(
            f"dual must be a {edge.xp.__name__} array of dtype {f.dtype}, "
            "as TVInfo.dual of a former call is"
        )
    same_shape("dual", dual.shape, "image", shape)
    if not dual.flags.c_contiguous:
        raise DataError("dual must be C-contiguous, as TVInfo.dual of a former call is")
    edge.check_finite("dual", dual)
    for axis, part in enumerate(edge.xp.moveaxis(dual, -axes - 1, 0)):
        edge.xp.moveaxis(part, axis - axes, 0)[-1] = 0  # no difference beyond the far edge
    return dual
