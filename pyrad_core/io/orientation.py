"""Where a scan lies in the patient: directions of the image axes and positions of its slices.

Vectors are LPS millimetres, as the formats and DICOM have them; affines are RAS, as in NIfTI. The
image's pixel ``n // 2`` of each axis is the centre of the field of view, where the FFT has it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import PyradWarning

__all__ = ["affine_of", "oriented", "quaternion_axes"]

_FLAT = 1e-3  # relative differences that count as rounding


def oriented(
    axes: Mapping[int, np.ndarray], positions: Mapping[int, np.ndarray]
) -> tuple[dict[str, Any] | None, dict[int, int]]:
    """The header's ``orientation`` and where each slice number goes when slices are sorted.

    Parameters
    ----------
    axes
        Slice number -> 3 x 3, rows: the directions in which x, y and z of the image grow.
    positions
        Slice number -> centre of its field of view.

    Returns
    -------
    (orientation, order)
        None where the directions are no orthonormal frame; ``order`` maps the numbers of the
        file to 0, 1, ... along z.
    """
    numbers = sorted(positions)
    kept = {n: i for i, n in enumerate(numbers)}
    if not numbers:
        return None, kept
    frame = np.asarray(axes[numbers[0]], np.float64)
    size = np.linalg.norm(frame, axis=1)
    if not np.all(np.isfinite(frame)) or np.any(np.abs(size - 1) > 0.05):
        return None, kept
    frame = frame / size[:, None]
    if not np.allclose(frame @ frame.T, np.eye(3), atol=0.02):
        return None, kept
    places = np.array([positions[n] for n in numbers], np.float64)
    if not np.all(np.isfinite(places)):
        return None, kept
    parallel = all(np.allclose(axes[n], frame, atol=0.02) for n in numbers)
    order = list(range(len(numbers)))
    if parallel:
        order = [int(i) for i in np.argsort(places @ frame[2], kind="stable")]
    found = {"axes": frame, "positions": places[order], "parallel": parallel}
    return found, {numbers[old]: new for new, old in enumerate(order)}


def quaternion_axes(w: float, x: float, y: float, z: float) -> np.ndarray:
    """Columns of the rotation of a unit quaternion, as rows."""
    norm = np.sqrt(w * w + x * x + y * y + z * z)
    if not norm > 0:
        return np.zeros((3, 3))
    w, x, y, z = w / norm, x / norm, y / norm, z / norm
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
            [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
            [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def affine_of(
    orientation: Mapping[str, Any],
    spacing: Sequence[float],
    shape: Sequence[int],
    slices: int | None = None,
) -> np.ndarray:
    """4 x 4 from (x, y, z) index to RAS mm.

    Parameters
    ----------
    orientation
        Of the header.
    spacing, shape
        (z, y, x) voxel size and image; the z of a two-dimensional scan is its thickness and 1.
    slices
        Slices stacked along z, for two-dimensional scans.
    """
    frame, places = orientation["axes"], orientation["positions"]
    columns = frame * np.asarray(spacing, np.float64)[::-1, None]
    centre = places[0]
    if slices is not None and slices > 1:
        columns[2] = _step(places, columns[2], bool(orientation["parallel"]))
    half = np.asarray([n // 2 for n in shape[::-1]], np.float64)
    if slices is not None:
        half[2] = 0
    matrix = np.eye(4)
    matrix[:3, :3] = columns.T
    matrix[:3, 3] = centre - half @ columns
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix


def _step(places: np.ndarray, thick: np.ndarray, parallel: bool) -> np.ndarray:
    """From one slice to the next; a warning where one step does not fit all."""
    steps = np.diff(places, axis=0)
    mean = steps.mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < _FLAT:
        return thick
    if not parallel or np.abs(steps - mean).max() > 0.02 * length:
        warnings.warn(
            "the slices are not parallel or not evenly spaced; the affine holds for the first "
            "slice and the mean step",
            PyradWarning,
            stacklevel=3,
        )
    along = float(mean @ thick)
    return mean if abs(along) > 0.5 * length * float(np.linalg.norm(thick)) else thick
