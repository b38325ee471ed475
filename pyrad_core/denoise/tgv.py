"""Denoising by second-order total generalised variation, with a duality gap as stop rule."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import at_least, positive, same_shape, whole
from .._kernels.select import Edge, edge_of
from .._memory import require_memory
from ..errors import DataError
from ._common import as_channels, from_channels, per_axis, real_or_complex, result_like

__all__ = ["TGVInfo", "minimal_fields", "tgv"]

_CHECK_EVERY = 25  # iterations between two looks at the gap
_TAU, _RELAXATION = 0.03, 1.7  # of the primal-dual method


@dataclass(frozen=True)
class TGVInfo:
    """How a solve with total generalised variation ended.

    Attributes
    ----------
    iterations : int
        Iterations run.
    primal : float
        ``0.5 * ||u - f||^2 + TGV(u)`` of the returned image, with the best field w found.
    gap : float
        Duality gap: ``primal`` is at most this far above the minimum, and
        ``0.5 * ||u - minimiser||^2 <= gap``.
    relative_gap : float
        ``gap / primal`` (0 when both are 0).
    converged : bool
        Whether ``relative_gap <= tol`` was reached (or ``primal`` is zero but for rounding).
    state : tuple of three arrays
        The vector field w and the duals of both terms, ``(axes, *image.shape)`` twice and
        ``(axes * (axes + 1) / 2, *image.shape)`` (complex images: a 2 in front); pass it as
        ``state=`` of a later call on a similar image to start from there.
    """

    iterations: int
    primal: float
    gap: float
    relative_gap: float
    converged: bool
    state: Any = field(repr=False)


def tgv(
    image: Any,
    *,
    weight: float,
    ratio: float = 2.0,
    tol: float = 1e-3,
    max_iterations: int = 1000,
    spacing: float | tuple[float, ...] = 1.0,
    state: Any = None,
    return_info: bool = False,
    out: Any = None,
) -> Any:
    """Minimise ``0.5 * ||u - image||^2 + TGV(u)``, which keeps edges and smooth slopes.

    ``TGV(u) = min over w of weight * sum |grad u - w| + ratio * weight * sum |E w|`` with the
    symmetrised gradient E and Euclidean (Frobenius) lengths. It is zero for affine images, so
    that slopes do not turn into the staircases of total variation. grad is made of forward
    differences; E of differences between entries of w that exist, so that borders are no edges.
    Iterations stop when the duality gap, which bounds the distance to the minimum, falls to
    ``tol`` times the objective; it is looked at every 25 iterations and at the end.

    Parameters
    ----------
    image : array, (x), (y, x) or (z, y, x)
        float32, float64, complex64 or complex128; integers are converted to float32. The real and
        imaginary parts of a complex image are coupled: edges are shared.
    weight : float
        alpha1 >= 0, in units of intensity times length. 0 returns the image.
    ratio : float
        alpha0 / alpha1 > 0, in units of length. Large values approach total variation with an
        affine part, small ones remove second differences less.
    tol : float
        Relative duality gap to stop at; float32 reaches about 1e-5. 0 runs ``max_iterations``.
    max_iterations : int
        Iterations at most.
    spacing : float or one per axis
        Voxel size; differences are divided by it.
    state : tuple of arrays, optional
        ``TGVInfo.state`` of a former call, used as the start and updated in place.
    return_info : bool
        Also return a :class:`TGVInfo`.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array, or (array, TGVInfo)
        Same shape and, but for integers, same dtype as the image. The mean is kept.

    Raises
    ------
    DataError
        NaN or Inf in the image, negative weight or tol, ratio or spacing <= 0, dtype not listed
        above.
    ShapeError
        More than three dimensions, or ``state``, ``out`` or ``spacing`` that do not fit.
    DeviceMemoryError
        Not enough memory for the fields, 9 (1D), 16 (2D) or 24 (3D) times the image.

    References
    ----------
    Bredies, Kunisch, Pock, SIAM J. Imaging Sci. 3 (2010) 492, doi:10.1137/090769521.
    Knoll, Bredies, Pock, Stollberger, Magn. Reson. Med. 65 (2011) 480, doi:10.1002/mrm.22595.
    Condat, J. Optim. Theory Appl. 158 (2013) 460, doi:10.1007/s10957-012-0245-9 (relaxation).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> slope = np.add.outer(np.linspace(0, 1, 64), np.linspace(0, 1, 64))
    >>> noisy = slope + np.random.default_rng(0).normal(0, 0.1, slope.shape)
    >>> clean, info = prc.denoise.tgv(noisy, weight=0.2, return_info=True)
    >>> bool(abs(clean - slope).mean() < abs(noisy - slope).mean() / 5), info.converged
    (True, True)
    """
    edge = edge_of(image=image)
    x = real_or_complex(edge, (1, 2, 3))
    weight = at_least("weight", weight, 0)
    ratio = positive("ratio", ratio)
    tol = at_least("tol", tol, 0)
    max_iterations = whole("max_iterations", max_iterations)
    spacing = per_axis("spacing", spacing, x.ndim)
    result = result_like(edge, x, out)
    problem = _Problem(edge, x, weight, ratio, spacing, state)
    if weight == 0:
        solution, info = problem.f, TGVInfo(0, 0.0, 0.0, 0.0, True, problem.state)
    else:
        solution, info = problem.solve(tol, max_iterations)
    from_channels(edge, solution, result)
    answer = edge.answer(result) if out is None else out
    return (answer, info) if return_info else answer


def minimal_fields(
    edge: Edge,
    x: Any,
    *,
    weight: float,
    ratio: float,
    tol: float,
    max_iterations: int,
    spacing: Any,
    state: Any = None,
) -> TGVInfo:
    """``TGVInfo`` of TGV(x) itself, a minimisation over w alone; ``primal`` is its value."""
    spacing = per_axis("spacing", spacing, x.ndim)
    problem = _Problem(edge, x, weight, ratio, spacing, state, fixed=True)
    return problem.solve(tol, max_iterations)[1]


def _start(edge: Edge, x: Any, state: Any) -> tuple[Any, Any, Any]:
    """The given vector field and duals, checked and zero where they do not exist, or zeros."""
    lead = (2,) if x.dtype.kind == "c" else ()
    axes, real = x.ndim, x.real.dtype
    counts = (axes, axes, axes * (axes + 1) // 2)
    if state is None:
        vector, dual, tensor = (edge.xp.zeros((*lead, n, *x.shape), real) for n in counts)
        return vector, dual, tensor
    if not isinstance(state, tuple | list) or len(state) != 3:
        raise DataError("state must be three arrays, as TGVInfo.state of a former call is")
    for i, (part, count) in enumerate(zip(state, counts, strict=True)):
        name = f"state[{i}]"
        if not isinstance(part, edge.xp.ndarray) or part.dtype != real:
            raise DataError(
                f"{name} must be a {edge.xp.__name__} array of dtype {real}, "
                "as TGVInfo.state of a former call is"
            )
        same_shape(name, part.shape, "image", (*lead, count, *x.shape))
        if not part.flags.c_contiguous:
            raise DataError(f"{name} must be C-contiguous, as TGVInfo.state of a former call is")
        edge.check_finite(name, part)
    vector, dual, tensor = state
    for field_ in (vector, dual):
        _clear(edge.xp, field_, axes, [((d, -1),) for d in range(axes)])
    pairs = [(d, e) for d in range(axes) for e in range(d, axes)]
    ends = [((d, 0), (d, -1)) if d == e else ((d, -1), (e, -1)) for d, e in pairs]
    _clear(edge.xp, tensor, axes, ends)
    return vector, dual, tensor


def _clear(xp: Any, field_: Any, axes: int, places: Any) -> None:
    """Zeros in component k at the given (axis, index) of places[k]."""
    for part, ends in zip(xp.moveaxis(field_, -axes - 1, 0), places, strict=True):
        for axis, at in ends:
            xp.moveaxis(part, axis - axes, 0)[at] = 0


class _Problem:
    """One image and its fields in the kernels' shapes; ``fixed`` keeps u at the image."""

    def __init__(
        self,
        edge: Edge,
        x: Any,
        weight: float,
        ratio: float,
        spacing: tuple[float, ...],
        state: Any,
        fixed: bool = False,
    ):
        axes = x.ndim
        fields = 5 + 4 * axes + axes * (axes + 1) // 2
        if not edge.on_gpu:
            require_memory("the fields of TGV", fields * x.nbytes, "denoise smaller blocks")
        self.kernels, self.xp = edge.kernels, edge.xp
        self.f = as_channels(edge, x)
        self.is_new = state is None
        self.state = _start(edge, x, state)
        self.vector, self.dual, self.tensor = (
            part.reshape(len(self.f), -1, *self.f.shape[1:]) for part in self.state
        )
        self.weight, self.ratio, self.fixed = weight, ratio, fixed
        self.inverse_spacing = [1 / h for h in spacing]
        self.sizes = x.shape

    def solve(self, tol: float, limit: int) -> tuple[Any, TGVInfo]:
        image = self.f.copy()
        # What rounding of the image does to the objective
        eps = float(np.finfo(self.f.dtype).eps)
        self.rounding = 4 * eps * self.weight * float(self.xp.abs(self.f).sum(dtype="float64"))
        self.rounding *= max(self.inverse_spacing) * (1 + self.ratio * max(self.inverse_spacing))
        if self.is_new:
            self._begin(image)
        elif not self.fixed:
            self.kernels.tv_primal(self.f, self.weight, self.inverse_spacing, self.dual, image)
        steps = self._steps()
        done, state = 0, self.look(0, image, tol)
        while done < limit and not (tol > 0 and state.converged):
            count = min(_CHECK_EVERY, limit - done)
            self.kernels.tgv_pdhg(
                self.f, self.inverse_spacing, steps, count,
                image, self.vector, self.dual, self.tensor,
            )  # fmt: skip
            done += count
            if tol > 0 or done == limit:
                state = self.look(done, image, tol)
        return image, state

    def _begin(self, image: Any) -> None:
        """w = 0 or w = grad f, whichever has the smaller objective."""
        flat = self._terms(image)
        for axis, scale in enumerate(self.inverse_spacing):
            along = axis - len(self.sizes)
            to = self.xp.moveaxis(self.vector[:, axis], along, 0)
            to[:-1] = self.xp.diff(self.xp.moveaxis(image, along, 0), axis=0) * image.dtype.type(
                scale
            )
        if self._terms(image)[2] * self.ratio > flat[1]:
            self.vector[...] = 0

    def _steps(self) -> list[float]:
        """Factors of an iteration (Steps of tgv_math.hpp), made for voxels of size 1."""
        lengths = [s for s, n in zip(self.inverse_spacing, self.sizes, strict=True) if n > 1]
        bound = 2 * math.sqrt(max(len(lengths), 1))  # of ||grad|| and ||E||
        size = math.sqrt(len(lengths) / sum(s * s for s in lengths)) if lengths else 1.0
        tau = _TAU
        sigma = 1 / (tau * float(np.linalg.norm([[bound, 1], [0, bound]], 2)) ** 2)
        into_w = tau / size**2 * self.weight
        return [
            0.0 if self.fixed else tau / (1 + tau),
            self.weight,
            into_w,
            into_w * self.ratio,
            sigma * size**2 / self.weight,
            sigma * size**4 / (self.ratio * self.weight),
            _RELAXATION,
        ]

    def _terms(self, image: Any) -> list[float]:
        """Terms of the objectives, those of v = ratio E^T q among them."""
        v = self.xp.empty_like(self.vector)
        self.kernels.tgv_back(self.f, self.inverse_spacing, self.tensor, self.ratio, v)
        return list(
            self.kernels.tgv_objectives(
                self.f, self.inverse_spacing, image, self.vector, self.tensor, v
            )
        )

    def look(self, iterations: int, image: Any, tol: float) -> TGVInfo:
        """Objective and gap. The dual point is v, made as small as |v| <= 1 and |q| <= 1 want."""
        fidelity, first, second, product, norm2, longest, largest = self._terms(image)
        primal = fidelity + self.weight * (first + self.ratio * second)
        most = 1 / max(longest, largest) if longest > 0 else 0.0
        if self.fixed:
            lower = max(most * self.weight * product, 0.0)
        else:
            best = max(product, 0.0) / (self.weight * norm2) if norm2 > 0 else 0.0
            scale = min(most, best) * self.weight
            lower = scale * product - 0.5 * scale**2 * norm2
        gap = max(primal - lower, 0.0)
        relative = gap / primal if primal > 0 else 0.0
        done = relative <= tol or primal <= self.rounding
        return TGVInfo(iterations, primal, gap, relative, done, self.state)
