"""Denoising of projections by penalised weighted least squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import at_least, positive, same_shape, whole
from .._kernels.select import Edge, edge_of
from .._memory import require_memory
from ..errors import DataError, ShapeError

__all__ = ["denoise_projections"]


def denoise_projections(
    projections: Any,
    *,
    photons: float | None = None,
    weights: Any = None,
    strength: float = 200.0,
    electronic_noise: float = 0.0,
    couplings: Sequence[float] = (0.25, 1.0, 1.0),
    iterations: int = 200,
    tol: float = 1e-4,
) -> Any:
    """Line integrals smoothed according to how much each can be trusted.

    Minimises ``sum_i w_i (q_i - p_i)^2 + strength * sum_(i,j) c_ij (q_i - q_j)^2`` over q, the
    second sum over all pairs of neighbours along views, rows and columns. Readings behind dense
    parts, which few photons reached, are smoothed most; those in open beam hardly change.

    Parameters
    ----------
    projections : array, shape (views, columns) or (views, rows, columns)
        Noisy line integrals; float32 or float64, integers become float32.
    photons : float
        Mean open-beam counts per pixel and view: the weights are the inverse variances
        ``n^2 / (n + electronic_noise^2)`` with ``n = photons * exp(-p)``.
    weights : array, shape of ``projections``
        Inverse variances >= 0, instead of ``photons``; 0 for readings to be filled in.
    strength : float
        How strongly neighbours are tied: the inverse variance expected of their differences,
        for example ``1 / 0.07**2``. It does not depend on the dose; the weights do.
    electronic_noise : float
        Standard deviation of the detector's additive noise in counts.
    couplings : (float, float, float)
        ``c`` between neighbours along views, rows and columns.
    iterations, tol :
        Conjugate gradients (preconditioned by the diagonal) stop when the residual has fallen by
        ``tol`` or after so many iterations.

    Returns
    -------
    array, shape and precision of ``projections``

    Raises
    ------
    DataError
        NaN or Inf; neither photons nor weights, or both; negative or all-zero weights;
        ``strength``, ``tol`` or ``iterations`` <= 0; negative couplings.
    ShapeError
        Weights of another shape.

    References
    ----------
    J. Wang, T. Li, H. Lu, Z. Liang, IEEE Trans. Med. Imaging 25, 1272, 2006,
    doi:10.1109/TMI.2006.882141.

    Examples
    --------
    >>> import numpy as np
    >>> noisy = np.full((8, 16), 3.0) + np.random.default_rng(0).normal(0, 0.1, (8, 16))
    >>> calm = denoise_projections(noisy, photons=2e3, strength=1e4)
    >>> bool(calm.std() < 0.3 * noisy.std())
    True
    """
    edge = edge_of(projections=projections, weights=weights)
    given = edge.real("projections", ndim=(2, 3))
    if (photons is None) == (weights is None):
        raise DataError("give either photons or weights")
    force = positive("strength", strength)
    ties = tuple(force * c for c in _couplings(couplings))
    rounds, limit = whole("iterations", iterations, 1), positive("tol", tol)
    if not edge.on_gpu:
        require_memory("the solver's arrays", 5 * given.nbytes, "denoise fewer rows at a time")
    noise = at_least("electronic_noise", electronic_noise, 0)
    if photons is not None:
        trust = _inverse_variance(edge.xp, given, positive("photons", photons), noise)
    else:
        trust = _given_weights(edge, given)
    grid = (given.shape[0], -1, given.shape[-1])
    lines = given.reshape(grid)
    calm = _solve(edge, lines, trust.reshape(grid), ties, rounds, limit)
    return edge.answer(calm.reshape(given.shape))


def _solve(
    edge: Edge, lines: Any, weights: Any, ties: tuple[float, ...], iterations: int, tol: float
) -> Any:
    """Conjugate gradients for (W + L) q = W p from q = p, where the residual is -L p."""
    kernels, xp = edge.kernels, edge.xp
    calm, applied = lines.copy(), xp.empty_like(lines)
    kernels.pwls_apply(calm, weights, ties, applied)
    rest = weights * calm
    rest -= applied
    direction = xp.zeros_like(lines)
    size = kernels.pwls_step(0.0, direction, direction, weights, ties, calm, rest)
    first, beta = size, 0.0
    for _ in range(iterations):
        if size <= tol**2 * first or size == 0:
            break
        kernels.pwls_direction(beta, rest, weights, ties, direction)
        curvature = kernels.pwls_apply(direction, weights, ties, applied)
        former = size
        size = kernels.pwls_step(size / curvature, direction, applied, weights, ties, calm, rest)
        beta = size / former
    return calm


def _inverse_variance(xp: Any, lines: Any, photons: float, noise: float) -> Any:
    counts = photons * xp.exp(-lines)
    return (counts**2 / (counts + noise**2)).astype(lines.dtype)


def _given_weights(edge: Edge, lines: Any) -> Any:
    weights = edge.real("weights", dtype=lines.dtype)
    same_shape("weights", weights.shape, "projections", lines.shape)
    lowest, highest = float(weights.min()), float(weights.max())
    if lowest < 0 or highest <= 0:
        raise DataError(f"weights run from {lowest:g} to {highest:g}; expected >= 0, some > 0")
    return weights


def _couplings(couplings: Sequence[float]) -> tuple[float, ...]:
    values = tuple(at_least("couplings", c, 0) for c in couplings)
    if len(values) != 3:
        raise ShapeError(f"couplings has {len(values)} values; expected view, row, column")
    if max(values) == 0:
        raise DataError("couplings are all 0; nothing would be smoothed")
    return values
