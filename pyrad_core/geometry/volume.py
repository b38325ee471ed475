"""The grid of voxels that is projected or reconstructed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError
from ._values import per_axis, positive_per_axis, sizes

__all__ = ["Volume"]


@dataclass(frozen=True, init=False)
class Volume:
    """Regular grid of voxels in world millimetres.

    Parameters
    ----------
    shape : tuple of int
        ``(nz, ny, nx)`` or, for one slice, ``(ny, nx)``.
    spacing : float or sequence of float
        Distance of voxel centres in mm, one number or one per axis in the order of ``shape``.
    origin : sequence of float, optional
        Centre of the first voxel in mm, in the order of ``shape``. Default: the grid is centred on
        the rotation axis (and on z = 0).

    Raises
    ------
    GeometryError
        A size < 1, a spacing <= 0, or a value that is not finite.

    Examples
    --------
    >>> grid = Volume((512, 512), spacing=0.5)
    >>> grid.origin
    (-127.75, -127.75)
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]

    def __init__(
        self,
        shape: Sequence[int],
        spacing: float | Sequence[float] = 1.0,
        origin: Sequence[float] | None = None,
    ):
        put = object.__setattr__
        put(self, "shape", sizes("shape", shape, (2, 3)))
        put(self, "spacing", positive_per_axis("spacing", spacing, self.ndim))
        if origin is None:
            steps = zip(self.shape, self.spacing, strict=True)
            put(self, "origin", tuple(-0.5 * (n - 1) * h for n, h in steps))
        elif np.ndim(origin) != 1:
            raise GeometryError(f"origin is {origin!r}; expected one number per axis")
        else:
            put(self, "origin", per_axis("origin", origin, self.ndim))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape, dtype=object))

    def axes(self) -> tuple[np.ndarray, ...]:
        """Coordinates of the voxel centres in mm, one float64 array per array axis."""
        return tuple(
            first + step * np.arange(n)
            for first, step, n in zip(self.origin, self.spacing, self.shape, strict=True)
        )

    def corners(self) -> np.ndarray:
        """Outer corners in mm as points (x, y, z): 4 for a slice (z = 0), 8 for a volume."""
        edges = [
            (first - 0.5 * step, first + (n - 0.5) * step)
            for first, step, n in zip(self.origin, self.spacing, self.shape, strict=True)
        ]
        if self.ndim == 2:
            edges.insert(0, (0.0, 0.0))
        z, y, x = np.meshgrid(*edges, indexing="ij")
        points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=-1)
        return points if self.ndim == 3 else points[:4]

    @property
    def radius(self) -> float:
        """Largest distance of a point of the grid from the rotation axis, mm."""
        corners = self.corners()
        return float(np.hypot(corners[:, 0], corners[:, 1]).max())
