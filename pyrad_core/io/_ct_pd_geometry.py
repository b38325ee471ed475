"""The beam of a DICOM-CT-PD scan: a circle or helix where it is one, else poses per view."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GeometryError
from . import _ct_pd_tags as tags
from .files import refused, shown

if TYPE_CHECKING:
    from .dicom_ct_pd import View

_TOLERANCE = 0.05  # of a row at the axis: how far a helix may be from a straight line
_SHIFT = 1e-3  # mm: a focal spot nearer than this to the focal centre counts as there


def geometry_of(folder: Path, views: list[View]) -> tuple[Any, dict[str, Any], np.ndarray | None]:
    """A ConeBeam, what it cannot say itself for the header, and the shifts of the focal spot
    (radial, angular from x towards y, axial) where the data must be brought to it."""
    from ..geometry import ConeBeam

    table = _Table(folder, views)
    first = views[0]
    far = first.number(tags.DISTANCE)
    rows, columns = (int(first.number(e)) for e in (tags.ROWS, tags.COLUMNS))
    pixel = (first.number(tags.ROW_PITCH), first.number(tags.COLUMN_PITCH))
    column, row = (float(v) for v in first.values[tags.CENTRAL])
    offset = ((row - (rows + 1) / 2) * pixel[0], ((columns + 1) / 2 - column) * pixel[1])
    curved = first.values[tags.SHAPE] == "CYLINDRICAL"
    pitch, start, error = table.helix()
    near = float(np.median(table.radial))
    place: dict[str, Any] = {"z_origin": start}
    steady = float(np.ptp(table.radial)) <= _SHIFT
    straight = error <= max(_TOLERANCE * pixel[0] * near / far, _SHIFT)
    try:
        if steady and straight and (curved or not table.shifted):
            scan = ConeBeam(table.angles, (rows, columns), pixel, near, far, curved, offset, pitch)
            return scan, place, table.shifts * [1, -1, 1] if table.shifted else None
        if curved:
            raise GeometryError(table.complaint(steady, error))
        return table.poses(far, offset, (rows, columns), pixel, start), place, None
    except GeometryError as problem:
        raise GeometryError(f"{shown(folder)}: {problem}") from None


class _Table:
    """Where the focal centre and the focal spot stood, view by view, in our world."""

    def __init__(self, folder: Path, views: list[View]):
        def column(element: tags.Element) -> np.ndarray:
            return np.array([v.values[element][0] if element in v.values else 0.0 for v in views])

        angles = -np.unwrap(column(tags.ANGLE))
        turns = np.round(0.5 * (angles.min() + angles.max()) / (2 * np.pi))
        self.angles = angles - 2 * np.pi * turns  # the middle of a helix is near z = 0
        jump = np.abs(np.diff(self.angles))
        if jump.size and jump.max() > 0.5 * np.pi:
            at = int(np.argmax(jump))
            raise refused(
                folder,
                f"the angle jumps by {np.degrees(jump[at]):.0f} degrees from "
                f"{views[at].path.name} to {views[at + 1].path.name}; turns cannot be counted",
            )
        self.axial, self.radial = column(tags.AXIAL), column(tags.RADIAL)
        self.shifts = np.stack([column(e) for e in (tags.RADIAL_SHIFT, tags.ANGLE_SHIFT,
                                                    tags.AXIAL_SHIFT)], axis=1)  # fmt: skip

    @property
    def shifted(self) -> bool:
        """Whether the focal spot ever leaves the detector's focal centre."""
        scale = np.array([1.0, float(np.median(self.radial)), 1.0])
        return bool(np.max(np.abs(self.shifts) * scale) > _SHIFT)

    def helix(self) -> tuple[float, float, float]:
        """Pitch, axial position at angle 0, and the largest distance from that line."""
        axial = self.axial
        if np.ptp(axial) <= _SHIFT or np.ptp(self.angles) == 0:
            start = float(np.median(axial))
            return 0.0, start, float(np.max(np.abs(axial - start)))
        slope, start = np.polyfit(self.angles, axial, 1)
        error = float(np.max(np.abs(axial - start - slope * self.angles)))
        return float(slope * 2 * np.pi), float(start), error

    def complaint(self, steady: bool, error: float) -> str:
        """Why a curved detector cannot take these poses."""
        if not steady:
            why = f"the radius changes by {np.ptp(self.radial):g} mm during the scan"
        else:
            why = f"the table is up to {error:g} mm from an even motion"
        return f"{why}, and a curved detector takes poses only on a circle or an even helix"

    def poses(
        self,
        far: float,
        offset: tuple[float, float],
        detector: tuple[int, int],
        pixel: tuple[float, float],
        start: float,
    ) -> Any:
        """A flat detector that faces its focal centre, and the focal spot beside it."""
        from ..geometry import ConeBeam

        dr, da, dz = self.shifts.T
        spot = self._at(self.radial + dr, self.angles - da, self.axial + dz - start)
        centre = self._at(self.radial, self.angles, self.axial - start)
        cos, sin, zero = np.cos(self.angles), np.sin(self.angles), np.zeros_like(self.angles)
        u, v = np.stack([cos, sin, zero], -1), np.stack([zero, zero, zero + 1], -1)
        middle = centre + far * np.stack([-sin, cos, zero], -1) + offset[1] * u + offset[0] * v
        return ConeBeam.from_vectors(spot, middle, u, v, detector=detector, pixel=pixel)

    @staticmethod
    def _at(radius: np.ndarray, angle: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.stack([radius * np.sin(angle), -radius * np.cos(angle), z], -1)
