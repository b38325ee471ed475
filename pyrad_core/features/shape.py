"""Shape of a region in three dimensions (IBSI: morphology)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._kernels.select import cpu_kernels
from ._autocorrelation import moran_geary
from ._enclosing import oriented_box, smallest_ellipsoid
from ._names import Entry, entries
from ._run import family_result
from ._sizes import host
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["principal_moments", "shape", "shape_mask"]

_LEGENDRE_TERMS = 21
_UNDEFINED = {
    "Elongation": "the region is a point",
    "Flatness": "the region is a point",
    "VolumeDensityAEE": "the region is flat",
    "AreaDensityAEE": "the region is flat",
    "MoransI": "all intensities are equal",
    "GearysC": "all intensities are equal",
}


def shape(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Volume, surface, diameters, axes and densities of a region, and how intensities lie in it.

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`; the voxel size
    must be known (else NaN with a reason). Computed once, for the first image of
    ``settings.filters``.

    Notes
    -----
    The morphological mask counts (before re-segmentation, unless ``settings.resegment_shape``).
    The mesh is marching cubes at 0.5, with PyRadiomics' choice of triangles; diameters are largest
    distances of its vertices, in a plane of equal z (slice), y (column), x (row) or in space. Axis
    lengths are 4 sqrt(eigenvalue) of the covariance of the voxel centres, normalised by n - 1
    (IBSI's reference values) or n (PyRadiomics). Densities relate volume
    and area to the axis-aligned box (AABB), the smallest box of any orientation (OMBB), the
    ellipsoid of the axes (AEE), the ellipsoid of least volume around the mesh (MVEE) and the convex
    hull. IBSI defines those of OMBB and MVEE without having standardised them.
    CentreOfMassShift, IntegratedIntensity, Moran's I and Geary's C take the intensities of the
    intensity mask; the last two weigh all pairs of voxels by 1 / distance, summed over lags through
    an FFT, so they are exact for regions of any size.

    Examples
    --------
    >>> import numpy as np
    >>> found = shape(np.ones((1, 1, 1)), np.ones((1, 1, 1), np.uint8), spacing=(1, 1, 2))
    >>> round(found["MeshVolume"], 3), found["VoxelVolume"]
    (0.333, 2.0)

    References
    ----------
    IBSI reference manual, section 3.1 (HCUG), doi:10.1148/radiol.2020191145.
    Lorensen & Cline, Computer Graphics 21 (1987) 163, doi:10.1145/37401.37422.
    Dale et al., Ecography 25 (2002) 558, doi:10.1034/j.1600-0587.2002.250506.x.
    """
    return family_result("shape", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    chosen = entries("shape", region.settings.conventions)
    if region.spacing is None:
        reason = "the voxel size is unknown; pass spacing="
        return dict.fromkeys(chosen, np.nan), {entry.name: reason for entry in chosen}
    region = _upright(region)
    assert region.spacing is not None
    mask, first = shape_mask(region)
    mesh = _mesh(mask, region.spacing)
    count, centre, moments = principal_moments(mask, region.spacing)
    if region.settings.rule("axis_lengths") == "n-1" and count > 1:
        moments *= count / (count - 1)
    values = _mesh_values(mesh) | _axis_values(moments)
    values["VoxelVolume"] = count * float(np.prod(region.spacing))
    if region.settings.conventions == "ibsi":
        values |= _densities(mesh, mask.shape, region.spacing, moments)
        centre = centre + np.array(first) * region.spacing
        values |= _intensity_values(region, mesh.volume, centre)
    reasons = {
        e.name: _UNDEFINED.get(e.name, "the region is a point")
        for e in chosen
        if np.isnan(values[e.name])
    }
    return {entry: values[entry.name] for entry in chosen}, reasons


def _upright(region: Region) -> Region:
    """The region with its axes in the order (z, y, x) of the image, whatever the slice axis."""
    axis = region.settings.slice_axis
    if axis == 0 or region.spacing is None:
        return region
    xp = region.xp
    mask, morphological, values = (
        xp.ascontiguousarray(xp.moveaxis(a, 0, axis))
        for a in (region.mask, region.morphological, region.values)
    )
    spacing = list(region.spacing[1:])
    spacing.insert(axis, region.spacing[0])
    z, y, x = spacing
    return replace(region, mask=mask, morphological=morphological, values=values, spacing=(z, y, x))


def shape_mask(region: Region) -> tuple[np.ndarray, tuple[int, ...]]:
    """(the mask whose shape counts, cropped to its voxels, on the host; its first voxel)."""
    mask = host(region.mask if region.settings.resegment_shape else region.morphological)
    faces = (mask[0], mask[-1], mask[:, 0], mask[:, -1], mask[:, :, 0], mask[:, :, -1])
    if all(face.any() for face in faces):
        return mask, (0, 0, 0)
    box = []
    for axis in range(3):
        at = np.flatnonzero(mask.any(axis=tuple(d for d in range(3) if d != axis)))
        box.append(slice(int(at[0]), int(at[-1]) + 1))
    return np.ascontiguousarray(mask[tuple(box)]), tuple(part.start for part in box)


@dataclass
class _Mesh:
    area: float
    volume: float
    diameters: tuple[float, ...]  # slice, column, row, space
    vertices: np.ndarray  # candidates of the convex hull, mm


def _mesh(mask: np.ndarray, spacing: tuple[float, float, float]) -> _Mesh:
    capacity = 2 * (2 * mask.shape[0] + 1) * (2 * mask.shape[1] + 1)
    vertices = np.empty((capacity, 3), np.int32)
    area, volume, *diameters, count = cpu_kernels().mesh_shape(mask, spacing, vertices)
    return _Mesh(area, volume, tuple(diameters), vertices[: int(count)] * (np.array(spacing) / 2))


def principal_moments(
    mask: np.ndarray, spacing: tuple[float, float, float]
) -> tuple[int, np.ndarray, np.ndarray]:
    """(voxels, centre in mm from the first voxel's, eigenvalues of the covariance, ascending)."""
    out = np.empty(10, np.int64)
    cpu_kernels().mask_moments(mask, out)
    n, z, y, x, zz, yy, xx, zy, zx, yx = (int(v) for v in out)  # exact whole numbers
    first, second = (z, y, x), ((zz, zy, zx), (zy, yy, yx), (zx, yx, xx))
    products = [[n * second[a][b] - first[a] * first[b] for b in range(3)] for a in range(3)]
    covariance = np.array(products, dtype=np.float64) / n**2 * np.outer(spacing, spacing)
    eigenvalues = np.linalg.eigvalsh(covariance)
    eigenvalues[eigenvalues < 1e-12 * eigenvalues[-1]] = 0.0  # rounding
    return n, np.array(first) / n * spacing, eigenvalues


def _mesh_values(mesh: _Mesh) -> dict[str, float]:
    area, volume = mesh.area, mesh.volume
    ball = (36 * np.pi * volume**2) ** (1 / 3)  # surface of a ball of that volume
    across = ("Maximum2DDiameterSlice", "Maximum2DDiameterColumn", "Maximum2DDiameterRow")
    return {
        "MeshVolume": volume,
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "Sphericity": ball / area,
        "Compactness1": volume / (np.sqrt(np.pi) * area**1.5),
        "Compactness2": 36 * np.pi * volume**2 / area**3,
        "SphericalDisproportion": area / ball,
        "Asphericity": area / ball - 1,
        "Maximum3DDiameter": mesh.diameters[3],
        **dict(zip(across, mesh.diameters[:3], strict=True)),
    }


def _axis_values(moments: np.ndarray) -> dict[str, float]:
    least, minor, major = 4 * np.sqrt(moments)
    return {
        "MajorAxisLength": float(major),
        "MinorAxisLength": float(minor),
        "LeastAxisLength": float(least),
        "Elongation": float(minor / major) if major else np.nan,
        "Flatness": float(least / major) if major else np.nan,
    }


def _densities(
    mesh: _Mesh, extent: tuple[int, ...], spacing: tuple[float, float, float], moments: np.ndarray
) -> dict[str, float]:
    from scipy.spatial import ConvexHull

    z, y, x = (n * step for n, step in zip(extent, spacing, strict=True))
    hull = ConvexHull(mesh.vertices)
    corners = mesh.vertices[hull.vertices]
    box = oriented_box(corners, hull.equations[:, :3])
    p, q, r = smallest_ellipsoid(corners)
    c, b, a = 2 * np.sqrt(moments)
    solid, skin = 4 / 3 * np.pi * a * b * c, _ellipsoid_area(a, b, c)
    return {
        "VolumeDensityAABB": mesh.volume / (z * y * x),
        "AreaDensityAABB": mesh.area / (2 * (z * y + y * x + z * x)),
        "VolumeDensityOMBB": mesh.volume / box.prod(),
        "AreaDensityOMBB": mesh.area / (2 * (box * np.roll(box, 1)).sum()),
        "VolumeDensityMVEE": mesh.volume / (4 / 3 * np.pi * p * q * r),
        "AreaDensityMVEE": mesh.area / _ellipsoid_area(p, q, r),
        "VolumeDensityAEE": mesh.volume / solid if c > 0 else np.nan,
        "AreaDensityAEE": mesh.area / skin if c > 0 else np.nan,
        "VolumeDensityConvexHull": mesh.volume / hull.volume,
        "AreaDensityConvexHull": mesh.area / hull.area,
    }


def _ellipsoid_area(a: float, b: float, c: float) -> float:
    """Surface of an ellipsoid with semi-axes a >= b >= c, by IBSI's Legendre series."""
    if not c > 0:
        return np.nan
    alpha, beta = np.sqrt(1 - (b / a) ** 2), np.sqrt(1 - (c / a) ** 2)
    product = alpha * beta
    total, power, before, now = 1.0, 1.0, 0.0, 1.0
    if product > 0:
        argument = (alpha**2 + beta**2) / (2 * product)
        for order in range(1, _LEGENDRE_TERMS):
            before, now = (
                now,
                ((2 * order - 1) * argument * now - (order - 1) * before) / order,
            )
            power *= product
            total += power / (1 - 4 * order**2) * now
    elif beta > 0:  # a = b: the leading term of each polynomial is left
        for order in range(1, _LEGENDRE_TERMS):
            power *= beta**2 / 2 * (2 * order - 1) / order
            total += power / (1 - 4 * order**2)
    return float(4 * np.pi * a * b * total)


def _intensity_values(region: Region, volume: float, centre: np.ndarray) -> dict[str, float]:
    """Features of the intensities' places; ``centre`` is that of the morphological mask."""
    assert region.spacing is not None
    spacing = np.array(region.spacing)
    mask, values = host(region.mask), host(region.values).astype(np.float64)
    inside = np.where(mask != 0, values, 0.0)
    total = inside.sum()
    profiles = (inside.sum(axis=(1, 2)), inside.sum(axis=(0, 2)), inside.sum(axis=(0, 1)))
    heavy = np.array([np.arange(len(p)) @ p for p in profiles]) * spacing
    shift = np.linalg.norm(centre - heavy / total) if total else np.nan
    moran, geary = moran_geary(inside, mask != 0, spacing)
    return {
        "CentreOfMassShift": float(shift),
        "IntegratedIntensity": float(total / region.count * volume),
        "MoransI": moran,
        "GearysC": geary,
    }
