"""Anisotropic diffusion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import at_least, choice, positive, whole
from .._kernels.select import Edge, edge_of
from .._memory import require_memory
from ..errors import DataError
from ._common import result_like
from ._windows import PaddedImage, expand, outside_of

__all__ = ["anisotropic_diffusion"]

_METHODS = ("gradient", "curvature")
_CONDUCTANCES = ("exponential", "reciprocal")
_ROUNDING = 1 + 1e-9


def anisotropic_diffusion(
    image: Any,
    *,
    iterations: int = 5,
    method: str = "gradient",
    conductance: float | None = None,
    kappa: float | None = None,
    function: str = "exponential",
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

    Parameters
    ----------
    image : array, (x), (y, x), (z, y, x) or (volume, z, y, x)
        float32 or float64; integers are converted to float32. Four dimensions are filtered volume
        by volume.
    iterations : int
        Number of steps.
    method : {"gradient", "curvature"}
    conductance : float, optional
        Strength relative to the image, as in ITK: ``kappa^2 = 2 conductance^2 mean(|grad u|^2)``,
        worked out anew before every step. Default 1, unless ``kappa`` is given.
    kappa : float, optional
        Gradient, in intensity per mm, above which edges stay; instead of ``conductance``.
    function : {"exponential", "reciprocal"}
        The conductance: favours edges of high contrast, or wide regions over small ones.
    time_step : float, optional
        Default ``min(spacing)^2 / 2^(d + 1)`` with d axes longer than one voxel. Steps beyond the
        limit of stability, ``1 / (2 sum 1 / spacing^2)`` for "gradient" and the default for
        "curvature", are an error.
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
        "gradient" keeps the mean.

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
    outside = outside_of(edge, x, mask)
    result = result_like(edge, x, out)
    filtered = result if outside is None else edge.xp.empty_like(x)  # out may be the image
    volumes = x.reshape(-1, *((1, 1, 1) + x.shape)[-3:])
    inverse = [1 / h for h in ([1.0, 1.0, *steps])[-3:]]
    run = _Diffusion(edge, volumes.shape[1:], x.dtype, inverse, tau, method, function)
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


class _Diffusion:
    """Steps on volumes of one shape: two images with margins that take turns."""

    def __init__(
        self,
        edge: Edge,
        shape: tuple[int, ...],
        dtype: Any,
        inverse: list[float],
        tau: float,
        method: str,
        function: str,
    ):
        self.edge, self.inverse, self.tau = edge, inverse, tau
        self.reciprocal, self.curvature = function == "reciprocal", method == "curvature"
        self.padded = PaddedImage(edge, shape, (0, 0, 1), (0, 0, 1))
        size = math.prod(self.padded.padded) * np.dtype(dtype).itemsize
        require_memory("two images of the diffusion", 2 * size, "filter it in parts", edge)
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
            target = out if k == iterations - 1 else self.free
            self.edge.kernels.diffuse(
                u, self.inverse, self.tau, threshold, self.reciprocal, self.curvature, target
            )
            u, self.free = self.free, u

    def _threshold(self, u: Any, conductance: float) -> float:
        mean = self.edge.kernels.squared_gradient(u, self.inverse) / math.prod(self.padded.shape)
        return math.sqrt(2 * mean) * conductance or 1.0  # any number where nothing can flow
