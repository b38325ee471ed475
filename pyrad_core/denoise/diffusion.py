"""Anisotropic diffusion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import at_least, choice, positive, whole
from .._kernels.select import Edge, edge_of
from .._memory import require_memory
from ..errors import DataError
from ._common import nonnegative, result_like
from ._windows import PaddedImage, expand, outside_of
from .gaussian import smooth

__all__ = ["anisotropic_diffusion"]

_METHODS = ("gradient", "curvature", "edge", "coherence")
_CONDUCTANCES = ("exponential", "reciprocal")
_ROUNDING = 1 + 1e-9
_REACH = 4.0  # of the Gaussians, in standard deviations


def anisotropic_diffusion(
    image: Any,
    *,
    iterations: int = 5,
    method: str = "gradient",
    conductance: float | None = None,
    kappa: float | None = None,
    function: str = "exponential",
    sigma: float | None = None,
    rho: float | None = None,
    alpha: float = 0.001,
    time_step: float | None = None,
    spacing: float | tuple[float, ...] = 1.0,
    mask: Any = None,
    out: Any = None,
) -> Any:
    """Smooth along edges and in flat regions, but not across edges, by explicit diffusion.

    "gradient" solves ``du/dt = div(g(|grad u|) grad u)`` (Perona and Malik), "curvature" the
    modified curvature equation ``du/dt = |grad u| div(g(|grad u|) grad u / |grad u|)``, which keeps
    thin structures better. The conductance is ``g(s) = exp(-(s / kappa)^2)`` or
    ``1 / (1 + (s / kappa)^2)``; gradients are per mm, nothing flows through the faces.

    "edge" and "coherence" are Weickert's tensors: ``du/dt = div(D grad u)``. "edge" smooths along
    edges and surfaces of the image blurred by ``sigma``, and across them by ``1 - exp(-3.315 /
    (|grad u_sigma| / kappa)^8)``. "coherence" closes gaps in lines and flow-like patterns: 1 along
    the direction of least change of the structure tensor (gradients at scale ``sigma``, averaged
    over ``rho``), ``alpha`` across.

    Parameters
    ----------
    image : array, (x), (y, x), (z, y, x) or (volume, z, y, x)
        float32 or float64; integers are converted to float32. Four dimensions are filtered volume
        by volume.
    iterations : int
        Number of steps.
    method : {"gradient", "curvature", "edge", "coherence"}
    conductance : float, optional
        Strength relative to the image, as in ITK: ``kappa^2 = 2 conductance^2 mean(|grad u|^2)``,
        worked out anew before every step. Default 1, unless ``kappa`` is given.
    kappa : float, optional
        Gradient, in intensity per mm, above which edges stay; instead of ``conductance``.
    function : {"exponential", "reciprocal"}
        The conductance of "gradient" and "curvature": favours edges of high contrast, or wide
        regions over small ones.
    sigma, rho : float, optional
        Scales of "edge" and "coherence" in mm: of the gradient, by default the smallest spacing,
        and of the averaged structure tensor, by default three times that.
    alpha : float
        Diffusivity of "coherence" across the structures and where there are none, in (0, 1].
    time_step : float, optional
        Default ``min(spacing)^2 / 2^(d + 1)`` with d axes longer than one voxel. Steps beyond the
        limit of stability, the default for "curvature" and ``1 / (2 sum 1 / spacing^2)`` for the
        others, are an error.
    spacing : float or one per axis
        Voxel size.
    mask : array of bool, shape of the image or of its last axes, optional
        Voxels outside are returned unchanged; what flows is worked out as without it.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image. Constants come back as they are;
        all but "curvature" keep the mean.

    Raises
    ------
    DataError
        NaN or Inf, a time step that is not stable, kappa or conductance not positive, or both.
    ShapeError
        More than four dimensions; ``spacing``, ``mask`` or ``out`` that do not fit.

    Notes
    -----
    With spacing 1 the results are those of ITK's GradientAnisotropicDiffusion and
    CurvatureAnisotropicDiffusion filters; other spacings divide both differences by it, as the
    equation says, ITK only the first.

    References
    ----------
    Weickert, Anisotropic Diffusion in Image Processing, Teubner 1998 (edge); Int. J. Comput. Vis.
    31 (1999) 111, doi:10.1023/A:1008009714131 (coherence).
    Perona, Malik, IEEE Trans. Pattern Anal. 12 (1990) 629, doi:10.1109/34.56205.
    Whitaker, Xue, ICIP 2001, 498, doi:10.1109/ICIP.2001.959070 (modified curvature diffusion).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> step = np.repeat([0.0, 1.0], 32)[:, None] * np.ones(64)
    >>> noisy = step + np.random.default_rng(0).normal(0, 0.05, step.shape)
    >>> clean = prc.denoise.anisotropic_diffusion(noisy, iterations=10, kappa=0.2)
    >>> bool(abs(clean - step).mean() < abs(noisy - step).mean() / 2)
    True
    >>> bool(abs(clean.mean() - noisy.mean()) < 1e-12)
    True
    """
    edge = edge_of(image=image, mask=mask)
    x = edge.real("image", ndim=(1, 2, 3, 4))
    if x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    iterations = whole("iterations", iterations)
    choice("method", method, _METHODS)
    choice("function", function, _CONDUCTANCES)
    kappa, conductance = _threshold(kappa, conductance)
    steps = [positive("spacing", h) for h in expand("spacing", spacing, x.ndim, 1.0)][-3:]
    tau = _time_step(time_step, method, x.shape[-3:], steps)
    scales = [
        factor * min(steps) if value is None else nonnegative(name, value)
        for name, value, factor in (("sigma", sigma, 1.0), ("rho", rho, 3.0))
    ]
    if positive("alpha", alpha) > 1:
        raise DataError(f"alpha is {alpha}; expected a number in (0, 1]")
    outside = outside_of(edge, x, mask)
    result = result_like(edge, x, out)
    filtered = result if outside is None else edge.xp.empty_like(x)  # out may be the image
    grid = _Grid.of(x.shape[-3:], steps)
    volumes = x.reshape(-1, *grid.shape)
    run: Any
    if method in ("edge", "coherence"):
        run = _TensorDiffusion(edge, grid, x.dtype, tau, method, scales, float(alpha))
    else:
        run = _Diffusion(edge, grid, x.dtype, tau, method, function)
    for volume, target in zip(volumes, filtered.reshape(volumes.shape), strict=True):
        run(volume, iterations, kappa, conductance, target)
    if outside is not None:
        result[...] = edge.xp.where(outside, x, filtered)
    return edge.answer(result) if out is None else out


def _threshold(kappa: Any, conductance: Any) -> tuple[float | None, float]:
    if kappa is not None and conductance is not None:
        raise DataError(f"kappa is {kappa} and conductance is {conductance}; give one of them")
    if kappa is not None:
        return positive("kappa", kappa), 0.0
    return None, positive("conductance", 1.0 if conductance is None else conductance)


def _time_step(time_step: Any, method: str, shape: tuple[int, ...], spacing: list[float]) -> float:
    """The time step, checked for stability along the axes that have differences."""
    long = [h for h, n in zip(spacing, shape, strict=True) if n > 1] or [1.0]
    usual = min(long) ** 2 / 2 ** (len(long) + 1)
    most = usual if method == "curvature" else 0.5 / sum(1 / h**2 for h in long)
    if time_step is None:
        return min(usual, most)
    tau = at_least("time_step", time_step, 0)
    if tau > most * _ROUNDING:
        raise DataError(
            f"time_step is {time_step}, beyond the limit of stability {most:.6g} of method "
            f"{method!r} at spacing {tuple(spacing)}; take a smaller step and more iterations"
        )
    return tau


@dataclass
class _Grid:
    """A volume whose axes of one voxel come first: they have no differences."""

    shape: tuple[int, ...]
    spacing: list[float]
    dims: int

    @classmethod
    def of(cls, shape: tuple[int, ...], spacing: list[float]) -> _Grid:
        long = [(n, h) for n, h in zip(shape, spacing, strict=True) if n > 1]
        axes = [(1, 1.0)] * (3 - len(long)) + long
        return cls(tuple(n for n, _ in axes), [h for _, h in axes], len(long))


class _Diffusion:
    """Steps on volumes of one shape: two images with margins that take turns."""

    copies = 2  # of the image, in memory

    def __init__(self, edge: Edge, grid: _Grid, dtype: Any, tau: float, method: str, function: str):
        self.edge, self.grid, self.tau = edge, grid, tau
        self.inverse = [1 / h for h in grid.spacing]
        self.reciprocal, self.curvature = function == "reciprocal", method == "curvature"
        self.padded = PaddedImage(edge, grid.shape, (0, 0, 1), (0, 0, 1))
        size = math.prod(self.padded.padded) * np.dtype(dtype).itemsize
        require_memory(
            "the images of the diffusion", self.copies * size, "filter it in parts", edge
        )
        self.free = edge.xp.empty(self.padded.padded, dtype)

    def __call__(
        self, volume: Any, iterations: int, kappa: float | None, conductance: float, out: Any
    ) -> None:
        if iterations == 0:
            out[...] = volume
            return
        u = self.padded.pad(volume, "nearest").reshape(self.padded.padded)
        for k in range(iterations):
            threshold = kappa if kappa is not None else self._threshold(u, conductance)
            self.step(u, threshold, out if k == iterations - 1 else self.free)
            u, self.free = self.free, u

    def step(self, u: Any, kappa: float, out: Any) -> None:
        self.edge.kernels.diffuse(
            u, self.inverse, self.tau, kappa, self.reciprocal, self.curvature, out
        )

    def _threshold(self, u: Any, conductance: float) -> float:
        mean = self.edge.kernels.squared_gradient(u, self.inverse) / math.prod(self.grid.shape)
        return math.sqrt(2 * mean) * conductance or 1.0  # any number where nothing can flow


class _TensorDiffusion(_Diffusion):
    copies = 18  # tensors of six components, and one more while they are smoothed

    def __init__(
        self,
        edge: Edge,
        grid: _Grid,
        dtype: Any,
        tau: float,
        method: str,
        scales: list[float],
        alpha: float,
    ):
        super().__init__(edge, grid, dtype, tau, method, "")
        self.coherence, self.alpha = method == "coherence", alpha
        self.sigma, self.rho = (
            [scale / h if n > 1 else 0.0 for h, n in zip(grid.spacing, grid.shape, strict=True)]
            for scale in scales
        )
        self.tensor = edge.xp.empty((6, *(n + 1 for n in grid.shape)), dtype)

    def step(self, u: Any, kappa: float, out: Any) -> None:
        kernels, xp = self.edge.kernels, self.edge.xp
        blurred = xp.empty_like(u)
        smooth(self.edge, u, self.sigma, _REACH, "nearest", blurred)
        blurred[..., 0], blurred[..., -1] = blurred[..., 1], blurred[..., -2]  # margins
        if self.coherence:
            products = xp.empty_like(self.tensor)
            kernels.gradient_products(blurred, self.inverse, products)
            smooth(self.edge, products, [0.0, *self.rho], _REACH, "nearest", self.tensor)
            kernels.coherence_tensor(self.tensor, self.grid.dims < 3, kappa, self.alpha)
        else:
            kernels.edge_tensor(blurred, self.inverse, kappa, self.tensor)
        kernels.tensor_step(u, self.tensor, self.inverse, self.tau, out)
