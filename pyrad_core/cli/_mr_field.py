"""The field map of ``recon mr --b0``: where it lies, and when samples were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import click
import numpy as np

from ..errors import DataError, ShapeError
from ._mr_methods import Frame

__all__ = ["FieldMap", "field_map"]


@dataclass(frozen=True)
class FieldMap:
    """Off-resonance in Hz, ([slices,] *image), and seconds between the samples of a readout."""

    values: np.ndarray
    dwell: float
    slices: int

    def added(self, frame: Frame, slice_: int) -> Frame:
        """The frame with the map of its slice and the times of its samples."""
        shape = (self.slices, *frame.shape) if len(frame.shape) == 2 else frame.shape
        values = self.values
        if self.slices == 1 and values.shape == frame.shape:
            values = values.reshape(shape)
        if values.shape != shape:
            raise ShapeError(
                f"b0 has shape {self.values.shape}, but the grid of the reconstruction is "
                f"{shape if self.slices > 1 else frame.shape}"
            )
        b0 = values[slice_] if len(frame.shape) == 2 else values
        times = readout_times(frame.coordinates, self.dwell)
        return replace(frame, b0=b0, readout_times=times)


def field_map(scan: Any, method: str, options: Mapping[str, Any]) -> FieldMap | None:
    """The map that the options name, None without one; wrong usage if it cannot be used."""
    if options["b0"] is None:
        if options["dwell"] is not None:
            raise click.UsageError("--dwell is the timing of --b0, which is missing")
        return None
    if method != "cg-sense":
        raise click.UsageError(f"--b0 is not for --method {method}; it is for cg-sense")
    if scan.coordinates is None:
        raise DataError("b0 is for non-Cartesian scans; this one is Cartesian")
    dwell = scan.header.get("dwell") if options["dwell"] is None else options["dwell"] * 1e-6
    if dwell is None:
        raise DataError("the file does not say the time between samples; give it by --dwell")
    slices = dict(zip(scan.axes, scan.data.shape, strict=True)).get("slice", 1)
    image = options["field"]
    values = np.asarray(image.data)
    _require_place(scan, image, values.shape)
    return FieldMap(values, float(dwell), slices)


def readout_times(coordinates: Any, dwell: float) -> np.ndarray:
    """Seconds from the sample that lies closest to the centre of k-space, (samples,).

    From there, because the image then has the phase that it has at the echo; another origin would
    multiply it by one more phase per pixel.
    """
    distance = np.linalg.norm(coordinates, axis=-1)
    distance = distance.reshape(-1, distance.shape[-1]).mean(axis=0)
    return (np.arange(distance.size) - int(np.argmin(distance))) * dwell


def _require_place(scan: Any, image: Any, shape: tuple[int, ...]) -> None:
    """Maps and scans that both say where they lie must agree within half a voxel."""
    fov = scan.header.get("field_of_view")
    if image.header["format"] == "NumPy" or fov is None or len(shape) < len(fov):
        return
    expected = scan.affine(shape[-len(fov) :])
    if expected is None:
        return
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in reversed(_three(shape))], [1]))
    corners = corners.reshape(4, -1)
    apart = np.linalg.norm(((image.affine - expected) @ corners)[:3], axis=0).max()
    if apart > 0.5 * min(image.spacing[-2:]):
        raise DataError(
            f"b0 lies up to {apart:.1f} mm from the reconstruction; resample it to that grid "
            "(a .npy file is taken to lie on it)"
        )


def _three(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (3 - len(shape)) + tuple(shape)
