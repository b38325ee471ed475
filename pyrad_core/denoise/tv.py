"""Total-variation denoising (Rudin-Osher-Fatemi) with a duality gap as stop rule."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .._checks import at_least, choice, same_shape, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError
from ._common import per_axis, result_like

__all__ = ["TVInfo", "tv"]

_CHECK_EVERY = 12  # iterations between two looks at the gap
_STEP_GAIN = 1.3  # PDHG: tau sigma ||K||^2; up to 4/3 (Banert, Upadhyaya, Giselsson 2023)
_FIRST_TAU = 4.0
_ROUNDING = 1e-5
_CONVEXITY = 0.35  # of the data term (at most 1): smaller values begin slower and end faster


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
        The dual field, ``(axes, *image.shape)`` (complex images: ``(2, axes, *image.shape)``);
        pass it as ``dual=`` of a later call on a similar image to start from there.
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
    weight: float,
    method: str = "pdhg",
    tol: float = 1e-4,
    max_iterations: int = 1000,
    spacing: float | tuple[float, ...] = 1.0,
    isotropic: bool = True,
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
    image : array, (x), (y, x) or (z, y, x)
        float32, float64, complex64 or complex128; integers are converted to float32. The real and
        imaginary parts of a complex image are coupled: edges are shared.
    weight : float
        Multiplies TV, >= 0; in units of intensity times length. 0 returns the image.
    method : {"pdhg", "fgp"}
        Accelerated primal-dual hybrid gradient (the faster one) or fast gradient projection.
    tol : float
        Relative duality gap to stop at; float32 reaches about 1e-6. 0 runs ``max_iterations``.
    max_iterations : int
        Iterations at most.
    spacing : float or one per axis
        Voxel size; differences are divided by it.
    isotropic : bool
        Euclidean length of the gradient, or (False) the sum of its absolute components.
    dual : array, optional
        ``TVInfo.dual`` of a former call, used as the start and updated in place.
    return_info : bool
        Also return a :class:`TVInfo`.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array, or (array, TVInfo)
        Same shape and, but for integers, same dtype as the image. The mean is kept.

    Raises
    ------
    DataError
        NaN or Inf in the image, negative weight or tol, spacing <= 0, dtype not listed above.
    ShapeError
        More than three dimensions, or ``dual``, ``out`` or ``spacing`` that do not fit.

    References
    ----------
    Rudin, Osher, Fatemi, Physica D 60 (1992) 259, doi:10.1016/0167-2789(92)90242-F.
    Chambolle, Pock, J. Math. Imaging Vis. 40 (2011) 120, doi:10.1007/s10851-010-0251-1.
    Beck, Teboulle, IEEE Trans. Image Process. 18 (2009) 2419, doi:10.1109/TIP.2009.2028250.

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
    edge = edge_of(image=image)
    is_complex = edge["image"].dtype.kind == "c"
    x = edge.complex("image", ndim=(1, 2, 3)) if is_complex else edge.real("image", ndim=(1, 2, 3))
    weight = at_least("weight", weight, 0)
    choice("method", method, ("pdhg", "fgp"))
    tol = at_least("tol", tol, 0)
    max_iterations = whole("max_iterations", max_iterations)
    spacing = per_axis("spacing", spacing, x.ndim)
    if x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    result = result_like(edge, x, out)
    dual = _start(edge, x, dual)
    problem = _Problem(edge, x, dual, weight, spacing, bool(isotropic))
    if weight == 0:
        solution, info = problem.f, TVInfo(0, 0.0, 0.0, 0.0, True, dual)
    else:
        solve = _pdhg if method == "pdhg" else _fgp
        solution, info = solve(problem, tol, max_iterations)
    if is_complex:
        result.real, result.imag = solution.reshape(2, *x.shape)
    else:
        result[...] = solution.reshape(x.shape)
    answer = edge.answer(result) if out is None else out
    return (answer, info) if return_info else answer


def _start(edge: Edge, x: Any, dual: Any) -> Any:
    """The given dual field, checked, or zeros."""
    shape = (2, x.ndim, *x.shape) if x.dtype.kind == "c" else (x.ndim, *x.shape)
    if dual is None:
        return edge.xp.zeros(shape, x.real.dtype)
    if not isinstance(dual, edge.xp.ndarray) or dual.dtype != x.real.dtype:
        raise DataError(
            f"dual must be a {edge.xp.__name__} array of dtype {x.real.dtype}, "
            "as TVInfo.dual of a former call is"
        )
    same_shape("dual", dual.shape, "image", shape)
    if not dual.flags.c_contiguous:
        raise DataError("dual must be C-contiguous, as TVInfo.dual of a former call is")
    edge.check_finite("dual", dual)
    for axis, part in enumerate(edge.xp.moveaxis(dual, -x.ndim - 1, 0)):
        edge.xp.moveaxis(part, axis - x.ndim, 0)[-1] = 0  # no difference beyond the far edge
    return dual


class _Problem:
    """ROF-TV of one image in the kernels' shapes, and what each kernel call has in common."""

    def __init__(
        self,
        edge: Edge,
        x: Any,
        dual: Any,
        weight: float,
        spacing: tuple[float, ...],
        isotropic: bool,
    ):
        parts = edge.xp.stack([x.real, x.imag]) if x.dtype.kind == "c" else x[None]
        grid = (1,) * (3 - x.ndim) + x.shape
        self.kernels = edge.kernels
        self.xp = edge.xp
        self.f = parts.reshape(len(parts), *grid)
        self.dual = dual.reshape(len(parts), x.ndim, *grid)
        self.given_dual = dual
        self.weight = weight
        self.isotropic = isotropic
        self.inverse_spacing = [1 / h for h in spacing]
        squares = [s * s for s, n in zip(self.inverse_spacing, x.shape, strict=True) if n > 1]
        self.norm2 = 4 * sum(squares) or 4.0  # bound on ||grad||^2; 4 where there is no gradient

    def arguments(self) -> tuple[Any, ...]:
        return self.f, self.weight, self.inverse_spacing, self.isotropic

    def primal(self, out: Any) -> None:
        self.kernels.tv_primal(self.f, self.weight, self.inverse_spacing, self.dual, out)

    def state(self, iterations: int, image: Any, tol: float) -> TVInfo:
        primal, lower = self.kernels.tv_objectives(
            self.f, image, self.weight, self.inverse_spacing, self.isotropic, self.dual
        )
        gap = max(primal - lower, 0.0)  # |dual| <= 1 holds up to rounding
        relative = gap / primal if primal > 0 else 0.0
        feasible = lower <= primal * (1 + _ROUNDING)  # not so for a wild start
        return TVInfo(
            iterations, primal, gap, relative, relative <= tol and feasible, self.given_dual
        )


def _pdhg(problem: _Problem, tol: float, max_iterations: int) -> tuple[Any, TVInfo]:
    """tau and sigma follow algorithm 2 of Chambolle and Pock."""
    image = problem.xp.empty_like(problem.f)
    problem.primal(image)
    previous = image.copy()
    tau, theta, done = _FIRST_TAU, 0.0, 0
    product = _STEP_GAIN / (problem.norm2 * problem.weight**2)
    state = problem.state(done, image, tol)
    while done < max_iterations and not (tol > 0 and state.converged):
        steps = []
        for _ in range(min(_CHECK_EVERY, max_iterations - done)):
            steps.append((tau, product / tau, theta))
            theta = 1 / math.sqrt(1 + 2 * _CONVEXITY * tau)
            tau *= theta
        problem.kernels.tv_pdhg(*problem.arguments(), steps, problem.dual, image, previous)
        done += len(steps)
        if tol > 0 or done == max_iterations:
            state = problem.state(done, image, tol)
    return image, state


def _fgp(problem: _Problem, tol: float, max_iterations: int) -> tuple[Any, TVInfo]:
    """Nesterov momentum, set back where the dual objective falls (O'Donoghue, Candes 2015)."""
    image = problem.xp.empty_like(problem.f)
    problem.primal(image)
    previous = problem.dual.copy()
    step = 1 / (problem.norm2 * problem.weight)
    t, factor, done = 1.0, 0.0, 0
    state = problem.state(done, image, tol)
    while done < max_iterations and not (tol > 0 and state.converged):
        momenta = []
        for _ in range(min(_CHECK_EVERY, max_iterations - done)):
            momenta.append(factor)
            following = 0.5 * (1 + math.sqrt(1 + 4 * t * t))
            factor = (t - 1) / following
            t = following
        problem.kernels.tv_fgp(*problem.arguments(), step, momenta, problem.dual, previous)
        done += len(momenta)
        if tol > 0 or done == max_iterations:
            problem.primal(image)
            former, state = state, problem.state(done, image, tol)
            if state.primal - state.gap < former.primal - former.gap:
                t, factor = 1.0, 0.0
    return image, state
