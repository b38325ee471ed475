"""What the readers return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .orientation import affine_of

__all__ = ["Image", "KSpace", "Projections"]


@dataclass(frozen=True)
class KSpace:
    """Measured k-space of one scan.

    Attributes
    ----------
    data
        Complex samples, coil first. Cartesian ``(coil, [frame axes], [z,] y, x)`` with DC at
        ``n // 2`` of each axis; non-Cartesian ``(coil, [frame axes], spoke, sample)``.
    coordinates
        Non-Cartesian only: ``(..., samples, dims)`` in cycles per field of view, order as the
        image axes (``(ky, kx)`` or ``(kz, ky, kx)``). ``None`` when Cartesian.
    mask
        Cartesian only: bool, the image axes of ``data``; True where a sample was measured.
        ``None`` when every sample was.
    noise
        ``(coil, samples)`` from a noise scan, or ``None``.
    header
        Plain values; always ``format``, ``axes`` (names of the axes of ``data``), ``matrix``
        (encoded grid), ``recon_matrix`` (without oversampling), ``field_of_view`` (mm, of
        ``recon_matrix``) and ``readout_axis`` (-1, -2 or None); unknown entries are None.
        Where the format has them: ``encoded_field_of_view`` (of ``matrix``), ``slice_thickness``,
        ``orientation`` (``axes``: LPS directions in which x, y, z of the image grow, one per row;
        ``positions``: centre of each slice, LPS mm, sorted along z), ``navigators`` and
        ``calibration`` (lines as records), ``calibration_kspace`` (the latter as an array like
        ``data``), ``reflected`` (rows of k-space read backwards), ``ramp`` (arguments of
        ``mr.ramp_positions``), ``dwell`` (seconds between samples), ``readout_shift``,
        ``acceleration``, ``trajectory``, ``vendor``. No patient data.
    """

    data: np.ndarray
    coordinates: np.ndarray | None = None
    mask: np.ndarray | None = None
    noise: np.ndarray | None = None
    header: dict[str, Any] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes of ``data``, for example ``("coil", "slice", "y", "x")``."""
        return tuple(self.header["axes"])

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """Voxel size (mm) of the reconstruction grid, or None where the file does not say."""
        fov, matrix = self.header.get("field_of_view"), self.header.get("recon_matrix")
        if fov is None or matrix is None:
            return None
        return tuple(float(f) / int(n) for f, n in zip(fov, matrix, strict=True))

    def affine(self, shape: Sequence[int] | None = None) -> np.ndarray | None:
        """4 x 4 from (x, y, z) index of the image to RAS mm; None where the file does not say.

        Parameters
        ----------
        shape
            ``(y, x)`` or ``(z, y, x)`` of the image over ``field_of_view``; by default
            ``recon_matrix``. Slices of a two-dimensional scan are z.
        """
        fov, orientation = self.header.get("field_of_view"), self.header.get("orientation")
        if fov is None or orientation is None:
            return None
        sizes = tuple(self.header["recon_matrix"] if shape is None else shape)
        spacing = tuple(float(f) / n for f, n in zip(fov, sizes[-len(fov) :], strict=True))
        if len(fov) == 3:
            return affine_of(orientation, spacing, sizes[-3:])
        thick = float(self.header.get("slice_thickness") or 1.0)
        count = dict(zip(self.axes, self.data.shape, strict=True)).get("slice", 1)
        return affine_of(orientation, (thick, *spacing), (1, *sizes[-2:]), slices=count)

    def frames(self) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """``(index, samples)`` of each slice, echo, repetition...; samples are coil first."""
        names = self.axes
        shape = tuple(n for n, name in zip(self.data.shape, names, strict=True) if name in FRAMES)
        for index in np.ndindex(*shape):
            yield index, self.data[(slice(None), *index)]

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return tuple(
            n for n, name in zip(self.data.shape, self.axes, strict=True) if name in FRAMES
        )


#: Axes that hold separate images, in the order in which they stand after the coil axis.
FRAMES = ("slice", "contrast", "phase", "repetition", "set")


@dataclass(frozen=True)
class Projections:
    """Measured X-ray projections of one scan.

    Attributes
    ----------
    data
        ``(views, rows, columns)`` or ``(views, columns)``, the file's dtype. Detector counts when
        ``flat`` is given, line integrals otherwise unless ``header["quantity"]`` says "counts".
    flat, dark
        ``(frames, rows, columns)`` open-beam and beam-off frames, or ``None``.
    geometry
        A :mod:`pyrad_core.geometry` beam, or ``None`` where the file has no angles.
    header
        Plain values; always ``format``, ``quantity`` ("counts" or "line integrals") and
        ``pixel_known`` (False: the pixel is unit length because the file does not store it).
        Where the format has them: ``mu_water`` (1/mm), ``photons`` (open beam, ``(views,
        columns)``), ``orientation`` (which way x, y and z grow in the patient, such as "LPS") and
        ``z_origin`` (patient z of z = 0, mm). No patient data.
    """

    data: np.ndarray
    flat: np.ndarray | None = None
    dark: np.ndarray | None = None
    geometry: Any = None
    header: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Image:
    """An image with its place in space.

    Attributes
    ----------
    data
        ``(z, y, x)``: the reverse of the file's index order, so x runs fastest. ``(y, x)`` for one
        slice and ``(t, z, y, x)`` for a series.
    spacing
        mm, same order as the last (up to three) axes of ``data``.
    affine
        4x4, maps ``(i, j, k, 1)`` = index along (x, y, z) to RAS millimetres, as in NIfTI.
    header
        Plain values: ``format``, ``dtype`` in the file, and what the format adds. No patient data.
    """

    data: np.ndarray
    spacing: tuple[float, ...]
    affine: np.ndarray
    header: dict[str, Any] = field(default_factory=dict)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)
