"""RTK (CPU, all threads it is told): FDK and the Joseph pair on circular cone beams.

RTK turns about y. Our axes (x, y, z) are its (X, -Z, Y), a proper rotation, under which our angle
is its gantry angle; arrays are turned back, so that every image has one fixed orientation. RTK's
filters work in place and empty their input: each run makes its input images anew (a copy).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .need import need

__all__ = ["rtk_adjoint", "rtk_fdk", "rtk_forward"]


def rtk_fdk(projections: Any, geometry: Any, volume: Any, threads: int) -> Callable:
    """Ram-Lak FDK over a full turn, without truncation correction."""
    scan = _Rtk(geometry, volume, threads)

    def run() -> Any:
        fdk = scan.filter("FDKConeBeamReconstructionFilter")
        fdk.SetInput(0, scan.grid())
        fdk.SetInput(1, scan.stack(projections))
        fdk.GetRampFilter().SetTruncationCorrection(0.0)
        return scan.volume_of(fdk)

    return run


def rtk_forward(image: Any, geometry: Any, volume: Any, threads: int) -> Callable:
    """Joseph's line integrals of the volume."""
    scan = _Rtk(geometry, volume, threads)

    def run() -> Any:
        project = scan.filter("JosephForwardProjectionImageFilter", 2)
        project.SetInput(0, scan.empty_stack())
        project.SetInput(1, scan.grid(image))
        project.Update()
        return scan.itk.array_from_image(project.GetOutput())

    return run


def rtk_adjoint(projections: Any, geometry: Any, volume: Any, threads: int) -> Callable:
    """Adjoint of :func:`rtk_forward`."""
    scan = _Rtk(geometry, volume, threads)

    def run() -> Any:
        back = scan.filter("JosephBackProjectionImageFilter", 2)
        back.SetInput(0, scan.grid())
        back.SetInput(1, scan.stack(projections))
        return scan.volume_of(back)

    return run


class _Rtk:
    """Grid, detector and geometry of one flat-panel circular scan in RTK's world."""

    def __init__(self, geometry: Any, volume: Any, threads: int):
        self.itk = need("itk")
        self.rtk = getattr(self.itk, "RTK", None) or pytest.skip("itk-rtk is not installed")
        if geometry.curved or geometry.pitch or geometry.vectors is not None:
            raise ValueError("RTK is asked for flat circular scans only")
        self.itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(threads)
        self.image = self.itk.Image[self.itk.F, 3]
        self.detector, self.shape = geometry.projection_shape, volume.shape
        (first_z, first_y, first_x), (step_z, step_y, step_x) = volume.origin, volume.spacing
        # ITK lists X, Y, Z; our y runs against its Z
        self.spacing = (step_x, step_z, step_y)
        self.origin = (first_x, first_z, -(first_y + (volume.shape[1] - 1) * step_y))
        self.pixel = (*geometry.pixel[::-1], 1.0)
        self.corner = (geometry.column_positions()[0], geometry.row_positions()[0], 0.0)
        self.geometry = self.rtk.ThreeDCircularProjectionGeometry.New()
        for angle in np.degrees(geometry.angles):
            self.geometry.AddProjection(
                geometry.source_origin, geometry.source_detector, float(angle)
            )

    def filter(self, name: str, images: int = 1) -> Any:
        made = getattr(self.rtk, name)[(self.image,) * images if images > 1 else self.image].New()
        made.SetGeometry(self.geometry)
        return made

    def grid(self, values: Any = None) -> Any:
        """The volume, of zeros unless given, as RTK's (Z, Y, X)."""
        if values is None:
            nz, ny, nx = self.shape
            turned = np.zeros((ny, nz, nx), np.float32)
        else:
            turned = np.ascontiguousarray(values[:, ::-1].swapaxes(0, 1), dtype=np.float32)
        return self._image(turned, self.spacing, self.origin)

    def stack(self, projections: Any) -> Any:
        return self._image(projections, self.pixel, self.corner)

    def empty_stack(self) -> Any:
        return self.stack(np.zeros(self.detector, np.float32))

    def volume_of(self, filter: Any) -> Any:
        filter.Update()
        return self.itk.array_from_image(filter.GetOutput()).swapaxes(0, 1)[:, ::-1]

    def _image(self, values: Any, spacing: Any, origin: Any) -> Any:
        image = self.itk.image_from_array(np.ascontiguousarray(values, dtype=np.float32))
        image.SetSpacing([float(x) for x in spacing])
        image.SetOrigin([float(x) for x in origin])
        return image
