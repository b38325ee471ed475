"""ASTRA (CPU, one thread) and scikit-image (one thread)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .need import need

__all__ = [
    "astra_adjoint",
    "astra_fbp",
    "astra_forward",
    "astra_iterate",
    "skimage_iradon",
    "skimage_radon",
]


def astra_forward(image: Any, geometry: Any, volume: Any, kernel: str = "linear") -> Callable:
    """Forward projection of a 2D image; kernel "linear" (Joseph), "line" or "strip"."""
    scan = _Astra(geometry, volume, kernel)
    scan.set_image(image)
    run = scan.algorithm("FP", VolumeDataId=scan.image)
    return lambda: (run(), scan.get_sinogram())[1]


def astra_adjoint(sinogram: Any, geometry: Any, volume: Any, kernel: str = "linear") -> Callable:
    """Matched back-projection."""
    scan = _Astra(geometry, volume, kernel)
    scan.set_sinogram(sinogram)
    run = scan.algorithm("BP", ReconstructionDataId=scan.image)
    return lambda: (run(), scan.get_image())[1]


def astra_fbp(sinogram: Any, geometry: Any, volume: Any, kernel: str = "linear") -> Callable:
    """Ram-Lak filtered back-projection, parallel beam only."""
    scan = _Astra(geometry, volume, kernel)
    scan.set_sinogram(sinogram)
    run = scan.algorithm("FBP", ReconstructionDataId=scan.image, FilterType="Ram-Lak")
    return lambda: (run(), scan.get_image())[1]


def astra_iterate(
    method: str,
    sinogram: Any,
    geometry: Any,
    volume: Any,
    iterations: int,
    kernel: str = "linear",
) -> Callable:
    """``method`` "SIRT" or "CGLS", from zero."""
    scan = _Astra(geometry, volume, kernel)
    scan.set_sinogram(sinogram)

    def run() -> Any:
        scan.set_image(np.zeros(volume.shape, np.float32))
        scan.algorithm(method, ReconstructionDataId=scan.image)(iterations)
        return scan.get_image()

    return run


class _Astra:
    """Data and projector of one 2D scan.

    ASTRA's y axis points up the rows of the array, ours down. A parallel beam mirrors into the
    angles' opposites; a fan is given by vectors with y negated. Strips of a fan know no vectors:
    there the angles mirror into pi minus themselves, and the columns run backwards.
    """

    def __init__(self, geometry: Any, volume: Any, kernel: str):
        self.astra = need("astra")
        ny, nx = volume.shape
        step_y, step_x = volume.spacing
        y, x = volume.origin
        window = (
            *(x - step_x / 2, x + (nx - 0.5) * step_x),
            *(-y - (ny - 0.5) * step_y, -y + step_y / 2),
        )
        grid = self.astra.create_vol_geom(ny, nx, *window)
        frames = geometry.frames()
        columns, pixel = geometry.columns, geometry.pixel[-1]
        self.backwards = frames.source is not None and kernel == "strip"
        if geometry.offset[-1] and (frames.source is None or self.backwards):
            raise ValueError("ASTRA wants a centred detector here")
        if self.backwards:
            far = geometry.source_origin, geometry.source_detector - geometry.source_origin
            angles = np.pi - geometry.angles
            scan = self.astra.create_proj_geom("fanflat", pixel, columns, angles, *far)
            kernel = "strip_fanflat"
        elif frames.source is None:
            scan = self.astra.create_proj_geom("parallel", pixel, columns, -geometry.angles)
        else:
            mirror = np.array([1.0, -1.0])
            parts = (frames.source, frames.centre, frames.u)
            vectors = np.hstack([part[:, :2] * mirror for part in parts])
            scan = self.astra.create_proj_geom("fanflat_vec", columns, vectors)
            kernel = {"linear": "line_fanflat", "line": "line_fanflat"}.get(kernel, kernel)
        self.projector = self.astra.create_projector(kernel, scan, grid)
        self.image = self.astra.data2d.create("-vol", grid)
        self.sinogram = self.astra.data2d.create("-sino", scan)

    def set_image(self, image: Any) -> None:
        self.astra.data2d.store(self.image, image)

    def set_sinogram(self, sinogram: Any) -> None:
        if self.backwards:
            sinogram = np.ascontiguousarray(sinogram[:, ::-1])
        self.astra.data2d.store(self.sinogram, sinogram)

    def get_image(self) -> Any:
        return self.astra.data2d.get_shared(self.image)

    def get_sinogram(self) -> Any:
        sinogram = self.astra.data2d.get_shared(self.sinogram)
        return sinogram[:, ::-1] if self.backwards else sinogram

    def algorithm(self, name: str, **entries: Any) -> Callable:
        config = self.astra.astra_dict(name)
        config["ProjectorId"] = self.projector
        config["ProjectionDataId"] = self.sinogram
        config.update(entries)
        handle = self.astra.algorithm.create(config)
        return lambda iterations=1: self.astra.algorithm.run(handle, iterations)


def skimage_iradon(sinogram: Any, angles: Any, size: int) -> Callable:
    """Filtered back-projection; the sinogram's axis of rotation must be at pixel n // 2."""
    transform = need("skimage.transform")
    columns, degrees = np.ascontiguousarray(sinogram.T), -np.rad2deg(angles)
    return lambda: transform.iradon(
        columns, degrees, output_size=size, filter_name="ramp", circle=False
    )


def skimage_radon(image: Any, angles: Any, columns: int) -> Callable:
    """Forward projection by rotation; the image is padded to the detector's width first."""
    transform = need("skimage.transform")
    before = columns // 2 - image.shape[0] // 2
    after = columns - image.shape[0] - before
    padded, degrees = np.pad(image, (before, after)), -np.rad2deg(angles)
    return lambda: transform.radon(padded, degrees, circle=True).T
