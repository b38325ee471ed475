"""Lesions that differ in texture alone: what a texture feature sees and a mean does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import at_least, positive, whole
from ..errors import DataError
from ..geometry import Volume

__all__ = ["textured_lesions"]


def textured_lesions(
    volume: Volume,
    *,
    radius: float,
    distance: float,
    mean: float = 1.0,
    deviation: float = 0.2,
    wavelengths: Sequence[float] = (3.0, 9.0),
    seed: int = 0,
) -> tuple[Any, Any]:
    """Balls on the x axis with one mean and one standard deviation, but each its own texture.

    Lesion ``i`` is filled with a Gaussian random field whose power lies in a band around
    ``wavelengths[i]``; inside the lesion it is shifted and scaled so that mean and standard
    deviation are exact.

    Parameters
    ----------
    volume : Volume
        2D or 3D grid.
    radius : float
        Radius of every lesion in mm.
    distance : float
        From the centre of one lesion to the next in mm; the row is centred on the origin.
    mean, deviation : float
        Inside every lesion.
    wavelengths : sequence of float
        Of each lesion's texture in mm, at least two voxels.
    seed : int

    Returns
    -------
    image : ndarray, float32, shape ``volume.shape``
        0 outside the lesions.
    labels : ndarray, uint8, shape ``volume.shape``
        i + 1 in lesion i, 0 outside.
    """
    ball, gap = positive("radius", radius), positive("distance", distance)
    spread = at_least("deviation", deviation, 0)
    if gap < 2 * ball:
        raise DataError(f"distance is {gap}, but lesions of radius {ball} would overlap")
    steps = [float(step) for step in volume.spacing]
    axes = [
        first + step * np.arange(n)
        for n, step, first in zip(volume.shape, steps, volume.origin, strict=True)
    ]
    image = np.zeros(volume.shape, np.float32)
    labels = np.zeros(volume.shape, np.uint8)
    rng = np.random.default_rng(whole("seed", seed))
    for i, wavelength in enumerate(wavelengths):
        if positive("wavelengths", wavelength) < 2 * max(steps):
            raise DataError(f"wavelengths[{i}] is {wavelength} mm, below two voxels")
        centre = (i - (len(wavelengths) - 1) / 2) * gap
        middle = [0.0] * (len(axes) - 1) + [centre]
        squared = sum(
            np.square(axis - shift).reshape([-1 if a == d else 1 for a in range(len(axes))])
            for d, (axis, shift) in enumerate(zip(axes, middle, strict=True))
        )
        inside = squared <= ball**2
        if inside.sum() < 2:
            raise DataError(f"lesion {i} covers fewer than two voxels of the volume")
        field = _band_limited(volume.shape, steps, wavelength, rng)[inside]
        field = (field - field.mean()) / field.std()
        image[inside] = mean + spread * field
        labels[inside] = i + 1
    return image, labels


def _band_limited(
    shape: Sequence[int], steps: Sequence[float], wavelength: float, rng: Any
) -> np.ndarray:
    """White noise through a log-Gaussian band of about a third of an octave each way."""
    import scipy.fft

    noise = scipy.fft.rfftn(rng.standard_normal(shape))
    frequencies = [np.fft.fftfreq(n, step) for n, step in zip(shape[:-1], steps[:-1], strict=True)]
    frequencies.append(np.fft.rfftfreq(shape[-1], steps[-1]))
    squared = sum(f**2 for f in np.meshgrid(*frequencies, indexing="ij", sparse=True))
    squared = np.maximum(squared, 1e-12)
    band = np.exp(-0.5 * (0.5 * np.log(squared * wavelength**2) / 0.25) ** 2)
    return scipy.fft.irfftn(noise * band, s=shape)
