"""Denoising by the counts: any Gaussian denoiser on projections, and noise maps for images."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import at_least, positive, same_shape, whole
from .._kernels.select import edge_of
from .._memory import require_memory
from ..denoise import nlm, stabilise_poisson, unstabilise_poisson
from ..errors import DataError
from ..filters import mean
from .dose import simulate_dose

__all__ = ["denoise_counts", "noise_map"]


def denoise_counts(
    projections: Any,
    denoiser: Callable[[Any], Any] | None = None,
    *,
    photons: float,
    electronic_noise: float = 0.0,
) -> Any:
    """Line integrals denoised where their noise is known: as counts of unit standard deviation.

    Line integrals become counts, counts become values whose noise is 1 everywhere (Anscombe), the
    denoiser works on these, and the exact unbiased inverse leads back. Unlike smoothing of line
    integrals this adds no bias where few photons arrive, since the logarithm comes last.

    Parameters
    ----------
    projections : array, shape (views, columns) or (views, rows, columns)
        Noisy line integrals; float32 or float64, integers become float32.
    denoiser : callable, optional
        Takes an array of the projections' shape with noise of standard deviation 1 and returns it
        denoised; :func:`pyrad_core.denoise.nlm` with ``sigma=1`` by default.
    photons : float
        Mean open-beam counts per pixel and view.
    electronic_noise : float
        Standard deviation of the detector's additive noise in counts.

    Returns
    -------
    array, shape and precision of ``projections``
        Readings below half a count are raised to it, as in :func:`simulate_dose`.

    Raises
    ------
    DataError
        NaN or Inf, ``photons <= 0``, ``electronic_noise < 0``, line integrals so negative that
        counts overflow.
    ShapeError
        The denoiser changed the shape.

    See Also
    --------
    denoise_projections : penalised weighted least squares.

    References
    ----------
    M. Makitalo, A. Foi, IEEE Trans. Image Process. 22, 91, 2013, doi:10.1109/TIP.2012.2202675.

    Examples
    --------
    >>> import numpy as np
    >>> noisy = simulate_dose(np.full((64, 64), 3.0), 2e3)
    >>> calm = denoise_counts(noisy, photons=2e3)
    >>> bool(calm.std() < 0.5 * noisy.std())
    True
    """
    edge = edge_of(projections=projections)
    lines = edge.real("projections", ndim=(2, 3))
    open_beam = positive("photons", photons)
    noise = at_least("electronic_noise", electronic_noise, 0)
    require_memory("counts and their transforms", 4 * lines.nbytes, "denoise fewer rows", edge)
    lowest = float(lines.min()) if lines.size else 0.0
    if math.log(open_beam) - lowest > math.log(np.finfo(lines.dtype).max):
        raise DataError(f"projections begin at {lowest:g}, whose counts overflow {lines.dtype}")
    counts = lines.dtype.type(open_beam) * edge.xp.exp(-lines)
    even = stabilise_poisson(counts, electronic_noise=noise)
    calm = nlm(even, sigma=1.0) if denoiser is None else denoiser(even)
    same_shape("the denoiser's result", calm.shape, "projections", lines.shape)
    counts = unstabilise_poisson(calm, electronic_noise=noise)
    result = -edge.xp.log(edge.xp.maximum(counts, 0.5) / open_beam)
    return edge.answer(result.astype(lines.dtype, copy=False))


def noise_map(
    reconstruct: Callable[[Any], Any],
    projections: Any,
    *,
    photons: float,
    electronic_noise: float = 0.0,
    draws: int = 4,
    support: int = 9,
    seed: int = 0,
) -> Any:
    """Standard deviation of the noise in each voxel of a linear reconstruction.

    Differences of two simulated scans of the same dose are reconstructed, and their squares
    averaged over the draws and over a neighbourhood; whatever the reconstruction does to noise
    (filter, geometry, attenuation) is in it. The map serves as ``sigma`` of a denoiser.

    Parameters
    ----------
    reconstruct : callable
        Projections -> slice or volume, linear, for example
        ``lambda p: fbp(p, geometry, volume)``.
    projections : array, shape (views, columns) or (views, rows, columns)
        The scan's line integrals, noisy or not.
    photons, electronic_noise : float
        The scan's dose, as in :func:`simulate_dose`.
    draws : int
        Number of reconstructions.
    support : int
        Odd width in voxels of the neighbourhood; the relative error of the map is about
        ``1 / sqrt(draws * support^2)`` in two dimensions, more where noise is correlated.
    seed : int
        Same seed, same map.

    Returns
    -------
    array of the reconstruction's shape, in its units

    Raises
    ------
    DataError
        NaN or Inf, ``photons <= 0``, ``electronic_noise < 0``, ``draws < 1``, an even support.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> beam = prc.ParallelBeam(np.arange(90) * np.pi / 90, 64)
    >>> grid = prc.Volume((48, 48))
    >>> lines = np.full(beam.projection_shape, 2.0)
    >>> run = lambda p: prc.ct.fbp(p, beam, grid)
    >>> low, high = (float(noise_map(run, lines, photons=n).mean()) for n in (4e4, 1e4))
    >>> round(high / low, 1)
    2.0
    """
    edge = edge_of(projections=projections)
    lines = edge.real("projections", ndim=(2, 3))
    count, first = whole("draws", draws, 1), whole("seed", seed)
    if whole("support", support, 1) % 2 == 0:
        raise DataError(f"support is {support}; expected an odd width")
    squares: Any = 0.0
    for draw in range(count):
        pair = (first + 2 * draw, first + 2 * draw + 1)
        one, other = (simulate_dose(lines, photons, electronic_noise, number) for number in pair)
        one -= other
        noise = reconstruct(one)
        squares = squares + noise * noise
    squares = mean(squares / (2 * count), support=support)
    return edge.answer(edge.xp.sqrt(edge.xp.maximum(squares, 0)))
