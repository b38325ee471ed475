"""Areas of Voronoi cells in the plane, in space and on the sphere."""

from __future__ import annotations

import numpy as np

__all__ = ["spherical_areas", "voronoi_areas"]

_SAME = 6  # decimals of a cycle within which samples are at one place


def voronoi_areas(points: np.ndarray) -> np.ndarray:
    """Area (length, volume) of each point's cell within the convex hull, widened by half the
    distance to the nearest neighbour; points at one place share their cell.

    A cell is the sum of its pyramids over the faces to its neighbours, all cells at once.
    """
    unique, inverse, counts = np.unique(
        np.round(points, _SAME), axis=0, return_inverse=True, return_counts=True
    )
    inverse = inverse.reshape(-1)
    cells = _line(unique[:, 0]) if points.shape[1] == 1 else _cells(unique)
    return (cells / counts)[inverse]


def _line(x: np.ndarray) -> np.ndarray:
    """Sorted positions."""
    if x.size == 1:
        return np.ones(1)
    gaps = np.diff(x)
    return (np.append(gaps, gaps[-1]) + np.insert(gaps, 0, gaps[0])) / 2


def _cells(points: np.ndarray) -> np.ndarray:
    from scipy.spatial import ConvexHull, QhullError, Voronoi, cKDTree

    from ..errors import DataError

    try:
        hull = ConvexHull(points)
    except QhullError as error:
        raise DataError(
            "coordinates lie on one line (or plane), where Voronoi cells have no area; use "
            "method='pipe-menon'"
        ) from error
    gap = cKDTree(points).query(points, k=2)[0][:, 1]
    ghosts = _mirrored(points, hull, gap)
    diagram = Voronoi(np.concatenate([points, ghosts]))
    return _volumes(diagram, len(points))


def _mirrored(points: np.ndarray, hull, gap: np.ndarray) -> np.ndarray:
    """Points near the hull, reflected by its faces moved outwards by half their gap; far ones."""
    faces = np.unique(np.round(hull.equations, 9), axis=0)
    normals, offsets = faces[:, :-1], faces[:, -1]
    ghosts = []
    for part in np.array_split(np.arange(len(points)), max(1, len(points) * len(faces) // 10**7)):
        depth = -(points[part] @ normals.T + offsets)  # 0 on the face
        point, face = np.nonzero(depth < 1.5 * gap[part, None])
        away = 2 * depth[point, face] + gap[part][point]
        ghosts.append(points[part][point] + away[:, None] * normals[face])
    # Few far points close the cells that no reflection has closed.
    centre, reach = points.mean(axis=0), 10 * np.ptp(points, axis=0).max()
    axes = np.eye(points.shape[1])
    ghosts.append(centre + reach * np.concatenate([axes, -axes]))
    return np.concatenate(ghosts)


def _volumes(diagram, count: int) -> np.ndarray:
    """Sum over faces of (half the distance to the neighbour) * area / dims, for cells < count."""
    points, vertices = diagram.points, diagram.vertices
    dims = points.shape[1]
    pairs = diagram.ridge_points
    distance = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    lengths = np.array([len(r) for r in diagram.ridge_vertices])
    flat = np.concatenate([np.asarray(r) for r in diagram.ridge_vertices])
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    bounded = np.minimum.reduceat(flat, first) >= 0
    if dims == 2:
        area = np.linalg.norm(vertices[flat[first]] - vertices[flat[first + 1]], axis=1)
    else:
        # Fan of triangles around each face's first vertex; the next of its last is its first.
        following = np.arange(flat.size) + 1
        following[first + lengths - 1] = first
        origin = np.repeat(vertices[flat[first]], lengths, axis=0)
        cross = np.cross(vertices[flat] - origin, vertices[flat[following]] - origin)
        area = np.linalg.norm(np.add.reduceat(cross, first, axis=0), axis=1) / 2
    area = np.where(bounded, area, 0)
    volume = np.zeros(len(points))
    np.add.at(volume, pairs[:, 0], area * distance / (2 * dims))
    np.add.at(volume, pairs[:, 1], area * distance / (2 * dims))
    return volume[:count]


def spherical_areas(directions: np.ndarray) -> np.ndarray:
    """Solid angle of each unit vector's cell on the sphere; equal directions share theirs."""
    from scipy.spatial import SphericalVoronoi

    unique, inverse, counts = np.unique(
        np.round(directions, 9), axis=0, return_inverse=True, return_counts=True
    )
    if len(unique) < 5:
        areas = np.full(len(unique), 4 * np.pi / len(unique))
    else:
        unit = unique / np.linalg.norm(unique, axis=1, keepdims=True)
        areas = SphericalVoronoi(unit, threshold=1e-8).calculate_areas()
    return (areas / counts)[inverse.reshape(-1)]
