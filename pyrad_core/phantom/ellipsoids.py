"""Sums of ellipses or ellipsoids with closed-form raster, line integrals and Fourier transform.

With ``w = diag(1/a, 1/b, 1/c) R(-phi) (r - centre)`` an ellipsoid is the unit ball in w. A ray
``r = p + t d`` becomes ``q + t e``; its chord is ``2 sqrt((q.e)^2 - |e|^2 (|q|^2 - 1)) / |e|^2``
(for unit d, in mm). The Fourier transform of the unit disc is ``J1(2 pi k) / k``, that of the unit
ball ``4 pi j1(q) / q`` with ``q = 2 pi k``; axes scale, rotation and shift follow from the map.

Kak and Slaney, Principles of Computerized Tomographic Imaging (1988), doi:10.1137/1.9780898719277;
Koay, Sarlls and Ozarslan, Magn. Reson. Med. 58 (2007) 430, doi:10.1002/mrm.21292.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .._checks import positive, whole
from ..errors import DataError, ShapeError
from ..geometry import Volume
from ..threads import num_threads

__all__ = ["Ellipsoids", "shepp_logan"]

_RAYS_PER_BLOCK = 1 << 11  # keeps the work of one block in the cache
_VOXELS_PER_SLAB = 1 << 20

# Amplitude / semi-axes a b c / centre x y z / phi: contrasts of Toft (1996).
_SHEPP_LOGAN = (
    (1.0, 0.69, 0.92, 0.81, 0.0, 0.0, 0.0, 0.0),
    (-0.8, 0.6624, 0.874, 0.78, 0.0, -0.0184, 0.0, 0.0),
    (-0.2, 0.11, 0.31, 0.22, 0.22, 0.0, 0.0, -18.0),
    (-0.2, 0.16, 0.41, 0.28, -0.22, 0.0, 0.0, 18.0),
    (0.1, 0.21, 0.25, 0.41, 0.0, 0.35, -0.15, 0.0),
    (0.1, 0.046, 0.046, 0.05, 0.0, 0.1, 0.25, 0.0),
    (0.1, 0.046, 0.046, 0.05, 0.0, -0.1, 0.25, 0.0),
    (0.1, 0.046, 0.023, 0.05, -0.08, -0.605, 0.0, 0.0),
    (0.1, 0.023, 0.023, 0.02, 0.0, -0.606, 0.0, 0.0),
    (0.1, 0.023, 0.046, 0.02, 0.06, -0.605, 0.0, 0.0),
)


def shepp_logan(ndim: int = 2, *, radius: float = 1.0) -> Ellipsoids:
    """The modified Shepp-Logan head within a circle (sphere) of the given radius in mm.

    Parameters
    ----------
    ndim : {2, 3}
        Ten ellipses or ten ellipsoids.
    radius : float
        Half the side of the square (cube) that the standard table fills with [-1, 1]; the skull
        reaches 0.92 of it. Pixel values do not depend on it.

    Examples
    --------
    >>> image = shepp_logan(2, radius=128).raster(Volume((256, 256)))
    """
    if ndim not in (2, 3):
        raise DataError(f"ndim is {ndim!r}; expected 2 or 3")
    table = np.array(_SHEPP_LOGAN)
    if ndim == 2:
        table = np.delete(table, (3, 6), axis=1)
    return Ellipsoids(table).scale(positive("radius", radius))


class Ellipsoids:
    """A sum of uniform ellipses or ellipsoids.

    Parameters
    ----------
    table : array_like, shape (n, 6) or (n, 8)
        One row per body. Two dimensions: amplitude, semi-axes a b, centre x y, phi. Three
        dimensions: amplitude, semi-axes a b c, centre x y z, phi. Lengths in mm; phi in degrees
        turns the body counter-clockwise about z. Bodies add up where they overlap. Ellipses are
        cylinders along z where a third dimension asks for one.
    """

    def __init__(self, table: Any):
        rows = np.array(table, dtype=np.float64, ndmin=2)
        if rows.ndim != 2 or rows.shape[1] not in (6, 8) or not len(rows):
            raise ShapeError(f"table has shape {rows.shape}; expected (n, 6) or (n, 8)")
        if not np.isfinite(rows).all():
            raise DataError("table holds NaN or Inf")
        self.ndim = 2 if rows.shape[1] == 6 else 3
        self.table = rows
        self.amplitude = rows[:, 0]
        self.semi_axes = rows[:, 1 : 1 + self.ndim]
        self.centre = rows[:, 1 + self.ndim : -1]
        self.phi = np.deg2rad(rows[:, -1])
        if (self.semi_axes <= 0).any():
            bad = int(np.argwhere((self.semi_axes <= 0).any(axis=1))[0, 0])
            raise DataError(f"table row {bad} has a semi-axis <= 0: {self.semi_axes[bad]}")

    def scale(self, factor: float) -> Ellipsoids:
        """The same bodies with all lengths multiplied by ``factor``; amplitudes stay."""
        table = self.table.copy()
        table[:, 1:-1] *= positive("factor", factor)
        return Ellipsoids(table)

    def raster(self, volume: Volume, supersample: int = 4, *, dtype: Any = np.float32) -> Any:
        """Mean amplitude in every voxel, from ``supersample`` points per axis.

        Parameters
        ----------
        volume : Volume
            Grid; a 2D grid of a 3D table is the slice z = 0.
        supersample : int
            Sample points per axis and voxel, at (j + 1/2) / supersample.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        ndarray, shape ``volume.shape``
        """
        points = whole("supersample", supersample, 1)
        image = np.zeros(volume.shape, np.float64)
        for index in range(len(self.table)):
            self._paint(image, volume, points, index)
        return image.astype(dtype)

    def project(self, geometry: Any, *, dtype: Any = np.float32) -> Any:
        """Exact line integrals (amplitude x mm) along the ray of every detector pixel.

        Parameters
        ----------
        geometry : ParallelBeam, FanBeam or ConeBeam
        dtype : dtype
            float32 or float64.

        Returns
        -------
        ndarray, shape ``(views, columns)`` or ``(views, rows, columns)``
        """
        result = np.zeros(geometry.projection_shape, dtype)
        rays_per_view = math.prod(geometry.projection_shape[1:])
        step = max(1, 8 * _RAYS_PER_BLOCK // rays_per_view)
        quadratics = self._quadratics()

        def fill(first: int) -> None:
            views = slice(first, first + step)
            origin, direction = (part.reshape(-1, 3) for part in geometry.subset(views).rays())
            flat = result[views].reshape(-1)
            for start in range(0, len(flat), _RAYS_PER_BLOCK):
                block = slice(start, start + _RAYS_PER_BLOCK)
                flat[block] = self._chords(origin[block], direction[block], quadratics)

        with ThreadPoolExecutor(num_threads()) as pool:  # NumPy releases the GIL
            list(pool.map(fill, range(0, geometry.views, step)))
        return result

    def kspace(self, coordinates: Any, volume: Volume | None = None) -> Any:
        """Exact Fourier transform, scaled like the unitary FFT of the raster on ``volume``.

        Parameters
        ----------
        coordinates : array_like, shape (..., ndim)
            Cycles per field of view, in the order of the image axes ((z,) y, x).
        volume : Volume, optional
            Grid that the samples belong to: its sides are the field of view, and for every k
            within its Nyquist limit the result approximates
            ``sum_n x[n] exp(-2 pi i k.(n - N//2) / N) / sqrt(prod N)``. Default: a field of view
            of [-1, 1] mm without a grid; then k = 0 gives the mean over the field of view.

        Returns
        -------
        ndarray, complex128, shape ``coordinates.shape[:-1]``
        """
        k = np.asarray(coordinates, dtype=np.float64)
        if k.ndim == 0 or k.shape[-1] != self.ndim:
            raise ShapeError(f"coordinates have shape {k.shape}; expected (..., {self.ndim})")
        grid = volume or Volume((1,) * self.ndim, 2.0)
        if len(grid.shape) != self.ndim:
            raise ShapeError(f"volume has shape {grid.shape}, but the table has {self.ndim}D rows")
        counts, steps = np.array(grid.shape), np.array(grid.spacing)
        first = np.array(grid.origin)
        # voxel N//2, where the transform has its origin, stands at `zero` mm
        zero = (first + (counts // 2) * steps)[::-1]
        frequency = k[..., ::-1] / (counts * steps)[::-1]  # cycles/mm along x, y(, z)
        result = np.zeros(k.shape[:-1], np.complex128)
        for index in range(len(self.table)):
            phase = frequency @ (self.centre[index] - zero)
            result += self._unit_transform(frequency, index) * np.exp(-2j * np.pi * phase)
        return result / (math.sqrt(math.prod(grid.shape)) * math.prod(steps))

    def _unit_transform(self, frequency: np.ndarray, index: int) -> np.ndarray:
        """Amplitude x transform of one body centred at the origin."""
        from scipy.special import j1, spherical_jn

        local = frequency @ _turn(self.phi[index])[: self.ndim, : self.ndim]
        q = 2 * np.pi * np.linalg.norm(local * self.semi_axes[index], axis=-1)
        safe = np.where(q < 1e-6, 1.0, q)
        if self.ndim == 2:
            shape = np.where(q < 1e-6, np.pi, 2 * np.pi * j1(safe) / safe)
        else:
            shape = np.where(q < 1e-6, 4 * np.pi / 3, 4 * np.pi * spherical_jn(1, safe) / safe)
        return self.amplitude[index] * self.semi_axes[index].prod() * shape

    def _map(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """(M, centre) with w = (r - centre) @ M; a missing third axis is infinitely long."""
        inverse, centre = np.zeros(3), np.zeros(3)
        inverse[: self.ndim] = 1 / self.semi_axes[index]
        centre[: self.ndim] = self.centre[index]
        return _turn(self.phi[index]) * inverse, centre

    def _quadratics(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """|e|^2, q.e and |q|^2 - 1 of all bodies as linear maps of the products of ray terms."""
        forms = np.empty((3, len(self.table), 10))
        for index in range(len(self.table)):
            matrix, centre = self._map(index)
            form = matrix @ matrix.T
            six = form[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
            shift = form @ centre
            forms[0, index] = [*six, 0, 0, 0, 0]
            forms[1, index] = [*six, *-shift, 0]
            forms[2, index] = [*six, *-2 * shift, centre @ shift - 1]
        return forms[0, :, :6], forms[1, :, :9], forms[2]

    def _chords(
        self, origin: np.ndarray, direction: np.ndarray, quadratics: Sequence[np.ndarray]
    ) -> np.ndarray:
        """Sum of amplitude x chord along unit directions, for all bodies at once."""
        d = direction.T
        p = origin.T - (origin * direction).sum(axis=1) * d  # the ray's point nearest the origin
        squared, mixed, excess = quadratics
        ee = squared @ _products(d, d)
        qe = mixed @ np.concatenate([_products(p, d), d])
        qq = excess @ np.concatenate([_products(p, p), p, np.ones((1, p.shape[1]))])
        inside = np.maximum(qe * qe - ee * qq, 0.0)
        np.sqrt(inside, out=inside)
        hit = ee > 0  # 0 along the axis of a cylinder
        lengths = np.divide(inside, ee, out=np.zeros_like(inside), where=hit)
        return 2 * self.amplitude @ lengths

    def _paint(self, image: np.ndarray, volume: Volume, points: int, index: int) -> None:
        """Add one body, slab by slab along the first axis to bound the memory."""
        box = self._box(volume, index)
        if box is None:
            return
        thick = max(1, _VOXELS_PER_SLAB // math.prod(part.stop - part.start for part in box[1:]))
        for start in range(box[0].start, box[0].stop, thick):
            slab = (slice(start, min(start + thick, box[0].stop)), *box[1:])
            image[slab] += self.amplitude[index] * self._cover(volume, slab, points, index)

    def _cover(self, volume: Volume, slab: Sequence[slice], points: int, index: int) -> np.ndarray:
        """Covered fraction of voxels: 1 clearly inside, counted sample points at the surface."""
        matrix, centre = self._map(index)
        ndim = len(slab)
        rows = matrix[::-1][3 - ndim :]  # of the image axes ((z,) y, x)
        steps = np.array(volume.spacing)
        middle = centre[::-1][3 - ndim :]
        axes = [
            volume.origin[d] + steps[d] * np.arange(slab[d].start, slab[d].stop) - middle[d]
            for d in range(ndim)
        ]
        base = -centre[2] * matrix[2] if ndim == 2 else np.zeros(3)
        w = _combine(axes, rows, base)
        corners = np.array(list(itertools.product((-0.5, 0.5), repeat=ndim))) * steps
        reach = np.linalg.norm(corners @ rows, axis=-1).max()  # of a voxel, in w
        distance = np.sqrt(np.einsum("...i,...i->...", w, w))
        cover = (distance < 1 - reach).astype(np.float64)
        surface = abs(distance - 1) <= reach
        at = w[surface]
        count = np.zeros(len(at))
        offsets = (np.arange(points) + 0.5) / points - 0.5
        for shift in itertools.product(offsets, repeat=ndim):
            moved = at + (np.array(shift) * steps) @ rows
            count += np.einsum("ri,ri->r", moved, moved) <= 1
        cover[surface] = count / points**ndim
        return cover

    def _box(self, volume: Volume, index: int) -> tuple[slice, ...] | None:
        """Slices of the voxels that the body's bounding box touches."""
        a, b = self.semi_axes[index, :2]
        cos, sin = math.cos(self.phi[index]), math.sin(self.phi[index])
        half = [math.hypot(a * cos, b * sin), math.hypot(a * sin, b * cos), math.inf]
        centre = [*self.centre[index], 0.0][:3]
        if self.ndim == 3:
            half[2] = self.semi_axes[index, 2]
        slices = []
        for axis, (count, step, first) in enumerate(
            zip(volume.shape, volume.spacing, volume.origin, strict=True)
        ):
            world = len(volume.shape) - 1 - axis
            low = (centre[world] - half[world] - first) / step - 0.5
            high = (centre[world] + half[world] - first) / step + 0.5
            start, stop = max(0, math.ceil(max(low, 0))), min(count - 1, high)
            if start > stop:
                return None
            slices.append(slice(start, math.floor(stop) + 1))
        return tuple(slices)


def _turn(phi: float) -> np.ndarray:
    """World row vectors @ this = the body's own axes, which are turned by phi about z."""
    cos, sin = math.cos(phi), math.sin(phi)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Symmetric products of two sets of vectors (3, n): xx, yy, zz, xy, xz, yz."""
    cross = [a[i] * b[j] + a[j] * b[i] for i, j in ((0, 1), (0, 2), (1, 2))]
    return np.concatenate([a * b, cross])


def _combine(axes: Sequence[np.ndarray], rows: np.ndarray, base: np.ndarray) -> np.ndarray:
    """w of every grid point: the sum over axes of coordinate x row, plus base."""
    total: Any = base
    for axis, (coordinate, row) in enumerate(zip(axes, rows, strict=True)):
        shape = [1] * len(axes) + [3]
        shape[axis] = len(coordinate)
        total = total + (coordinate[:, None] * row).reshape(shape)
    return total
