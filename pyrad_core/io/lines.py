"""Sorting measured lines into a Cartesian k-space array: shared by ISMRMRD and TWIX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .containers import FRAMES
from .files import check_size, refused

__all__ = ["Line", "Grid", "assemble", "line_record", "reflected_rows"]


@dataclass(frozen=True)
class Line:
    """One readout: samples (coil, n), where it belongs, and how it was read."""

    samples: np.ndarray
    y: int
    z: int = 0
    frame: dict[str, int] = field(default_factory=dict)
    center: int | None = None
    reflected: bool = False

    @property
    def ordered(self) -> np.ndarray:
        """Samples in the direction of growing k; a reflected line was read backwards."""
        return self.samples[:, ::-1] if self.reflected else self.samples


@dataclass(frozen=True)
class Grid:
    """Size of the encoded grid (z, y, x) and the line counters that mean k = 0 in y and z."""

    z: int
    y: int
    x: int
    center_y: int
    center_z: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.z, self.y, self.x) if self.z > 1 else (self.y, self.x)


def assemble(
    path: Path, lines: Sequence[Line], grid: Grid, max_bytes: int | None
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Lines as ``(coil, [frames], [z,] y, x)``, the mask, and the names of the axes.

    Repeated lines (averages) are averaged. Shorter readouts (asymmetric echoes) are placed by
    their echo centre; what was not measured stays zero and is False in the mask.
    """
    coils = lines[0].samples.shape[0]
    if coils < 1:
        raise refused(path, "its lines have no coils")
    frames = {
        name: 1 + max(line.frame.get(name, 0) for line in lines)
        for name in FRAMES
        if any(line.frame.get(name, 0) for line in lines)
    }
    shape = (coils, *frames.values(), grid.z, grid.y, grid.x)
    check_size(path, 8 * prod(shape), max_bytes, f"k-space {shape}")
    data = np.zeros(shape, np.complex64)
    count = np.zeros(shape[1:], np.uint16)
    for line in lines:
        y = line.y - grid.center_y + grid.y // 2
        z = line.z - grid.center_z + grid.z // 2
        samples = line.ordered
        start, stop, cut = _span(line, samples.shape[1], grid.x)
        if samples.shape[0] != coils:
            raise refused(path, f"a line has {samples.shape[0]} coils, the first has {coils}")
        if not (0 <= y < grid.y and 0 <= z < grid.z) or stop <= start:
            raise refused(
                path,
                f"line (z {line.z}, y {line.y}) with {samples.shape[1]} samples lies "
                f"outside the encoded grid {(grid.z, grid.y, grid.x)}",
            )
        at: Any = (*(line.frame.get(name, 0) for name in frames), z, y, slice(start, stop))
        data[(slice(None), *at)] += samples[:, cut : cut + stop - start]
        count[at] += 1
    if count.max() > 1:
        data /= np.maximum(count, 1)
    mask: Any = (count > 0).reshape(-1, *grid.shape).all(axis=0)
    names = ("coil", *frames, *(("z", "y", "x") if grid.z > 1 else ("y", "x")))
    data = data.reshape(coils, *frames.values(), *grid.shape)
    return data, None if bool(mask.all()) else mask, names


def _span(line: Line, samples: int, width: int) -> tuple[int, int, int]:
    """Columns [start, stop) a readout fills, and how many leading samples fall off the grid."""
    center = samples // 2 if line.center is None else line.center
    if line.reflected:
        center = samples - 1 - center + (samples % 2 == 0)
    first = width // 2 - center
    start = max(first, 0)
    return start, min(first + samples, width), start - first


def line_record(line: Line, **extra: Any) -> dict[str, Any]:
    """A navigator or calibration line as plain values for the header; samples in k order."""
    return {
        "samples": np.ascontiguousarray(line.ordered),
        "y": line.y,
        "z": line.z,
        "reflected": line.reflected,
        **line.frame,
        **extra,
    }


def reflected_rows(lines: Sequence[Line], grid: Grid) -> np.ndarray | None:
    """Which rows of the grid were read backwards; None where none was."""
    rows = np.zeros(grid.y, bool)
    for line in lines:
        if line.reflected:
            rows[line.y - grid.center_y + grid.y // 2] = True
    return rows if rows.any() else None
