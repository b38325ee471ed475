"""Local binary patterns: in slices (scikit-image's) and on spheres (spherical harmonics).

The second follows Banerjee et al., ACCV 2012 Workshops, LNCS 7728 (2013) 26,
doi:10.1007/978-3-642-37410-4_3, in the form that PyRadiomics gives it.
Both run on the host, also for CuPy arrays.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import _checks
from ..errors import PyradWarning
from ._sizes import host
from .filtering import Source

__all__ = ["icosphere", "lbp2d", "lbp3d"]

_METHODS = ("default", "ror", "uniform", "var")
_SPLINE_REACH = 40  # voxels after which the prefilter's answer is below 1e-22
_BATCH = 1 << 21  # samples on spheres at a time


def lbp2d(
    source: Source, radius: float = 1, samples: int = 8, method: str = "uniform"
) -> Iterator[tuple[str, Any]]:
    """Codes of the ``samples`` neighbours on a circle, slice by slice."""
    from skimage.feature import local_binary_pattern

    radius = _checks.positive("radius", radius)
    samples = _checks.whole("samples", samples, 1)
    _checks.choice("method", method, _METHODS)
    if not source.by_slice and not source.flat:
        warnings.warn(
            "lbp2d looks at slices, but features are taken in 3D", PyradWarning, stacklevel=2
        )
    axis, reach = source.settings.slice_axis, int(np.ceil(radius)) + 2
    z, y, x = (0 if d == axis else reach for d in range(3))
    data, cut = source.wide((z, y, x))
    pixels = np.moveaxis(host(data).astype(source.pixel_type), axis, 0)
    out = np.empty(pixels.shape, source.pixel_type)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # images of floats: as PyRadiomics does it
        for before, after in zip(pixels, out, strict=True):
            after[...] = local_binary_pattern(before, P=samples, R=radius, method=method)
    result = np.moveaxis(out, 0, axis)[cut]
    yield "lbp-2D", source.xp.asarray(result.astype(np.float64))


def icosphere(subdivision: int) -> np.ndarray:
    """(n, 3) vertices of an icosahedron whose edges were halved so often, on the unit sphere."""
    t = (1 + np.sqrt(5)) / 2
    corners = np.array(
        [[-1, t, 0], [1, t, 0], [-1, -t, 0], [1, -t, 0], [0, -1, t], [0, 1, t],
         [0, -1, -t], [0, 1, -t], [t, 0, -1], [t, 0, 1], [-t, 0, -1], [-t, 0, 1]]
    )  # fmt: skip
    vertices = corners / np.sqrt(2 + t)
    apart = np.linalg.norm(vertices[:, None] - vertices, axis=2)
    near = np.isclose(apart, apart[apart > 0].min())
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    for _ in range(subdivision):
        points = [*vertices]
        middles: dict[tuple[int, int], int] = {}

        def middle(a: int, b: int, points: Any = points, middles: Any = middles) -> int:
            edge = (min(a, b), max(a, b))
            if edge not in middles:
                middles[edge] = len(points)
                points.append((points[a] + points[b]) / 2)
            return middles[edge]

        finer = []
        for a, b, c in faces:
            ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
            finer += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces, vertices = finer, np.array(points)
        vertices = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    return vertices


def lbp3d(
    source: Source, levels: int = 2, radius: float = 1, subdivision: int = 1
) -> Iterator[tuple[str, Any]]:
    """Energy per degree of the sign pattern on a sphere around each voxel, and the kurtosis there.

    Samples are cubic-spline interpolated, in voxels; only voxels of the region have values.
    """
    levels = _checks.whole("levels", levels, 1)
    radius = _checks.positive("radius", radius)
    subdivision = _checks.whole("subdivision", subdivision)
    if source.by_slice:
        warnings.warn("lbp3d with features of slices", PyradWarning, stacklevel=2)
    vertices = icosphere(subdivision) * radius
    harmonics, degree = _harmonics(vertices / radius, levels)
    reach = int(np.ceil(radius)) + _SPLINE_REACH
    data, cut = source.wide((reach, reach, reach))
    pixels = host(data).astype(source.pixel_type)
    at = np.argwhere(host(source.inside[source.window]) != 0)
    first = [part.start for part in cut]
    energies, peaks = _patterns(pixels, at + first, vertices, harmonics, degree, levels)
    shape = tuple(part.stop - part.start for part in source.window)
    for number in range(levels + 1):
        volume = np.zeros(shape)
        volume[tuple(at.T)] = energies[:, number] if number < levels else peaks
        name = f"m{number + 1}" if number < levels else "k"
        yield f"lbp-3D-{name}", source.xp.asarray(volume)


def _harmonics(unit: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """(vertices, orders) spherical harmonics and the degree of each column.

    PyRadiomics hands polar and azimuth to SciPy in the other order; so does this.
    """
    from scipy.special import gammaln, lpmv

    azimuth = np.arccos(np.clip(unit[:, 2], -1, 1))
    polar = np.arctan2(unit[:, 1], unit[:, 0])
    columns, degree = [], []
    for n in range(levels):
        for m in range(-n, n + 1):
            k = abs(m)
            scale = (2 * n + 1) / (4 * np.pi) * np.exp(gammaln(n - k + 1) - gammaln(n + k + 1))
            value = lpmv(k, n, np.cos(polar)) * np.sqrt(scale) * np.exp(1j * k * azimuth)
            columns.append((-1) ** k * np.conj(value) if m < 0 else value)
            degree.append(n)
    return np.stack(columns, axis=1), np.array(degree)


def _patterns(
    pixels: np.ndarray, at: np.ndarray, vertices: np.ndarray, harmonics: np.ndarray,
    degree: np.ndarray, levels: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(energies per voxel and degree, kurtosis per voxel)."""
    from scipy.ndimage import map_coordinates, spline_filter

    spline = spline_filter(pixels, order=3, output=np.float64)
    energies, peaks = np.empty((len(at), levels)), np.empty(len(at))
    batch = max(1, _BATCH // len(vertices))
    for begin in range(0, len(at), batch):
        some = at[begin : begin + batch]
        places = np.moveaxis(some[:, None, :] + vertices, -1, 0)
        samples = map_coordinates(
            spline, places, order=3, prefilter=False, output=pixels.dtype
        ).astype(np.float64)
        centred = samples - samples.mean(axis=1, keepdims=True)
        variance = (centred**2).mean(axis=1)
        square = np.where(variance > 0, variance, 1.0) ** 2  # equal samples: 0 - 3
        peaks[begin : begin + batch] = (centred**4).mean(axis=1) / square - 3
        signs = (samples >= pixels[tuple(some.T)][:, None]).astype(np.float64)
        weights = signs @ harmonics
        for n in range(levels):
            own = degree == n
            rebuilt = weights[:, own] @ harmonics[:, own].T
            energies[begin : begin + batch, n] = np.sqrt((rebuilt**2).sum(axis=1)).real
    return energies, peaks
