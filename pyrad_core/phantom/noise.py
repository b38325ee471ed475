"""Noise of magnitude images."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import whole
from ..errors import DataError

__all__ = ["rician_noise"]


def rician_noise(image: Any, *, sigma: Any, coils: int = 1, seed: int | None = None) -> np.ndarray:
    """Magnitudes of an image with complex Gaussian noise: Rician, or noncentral chi of N coils.

    ``sqrt(sum_c |A_c + n_c|^2)`` with ``sum_c A_c^2 = image^2`` and n_c of standard deviation sigma
    in the real and in the imaginary part, so that the mean of squares is image^2 + 2 N sigma^2.

    Parameters
    ----------
    image : array of any shape
        Signal, real or complex (its magnitude counts).
    sigma : float or array that broadcasts to the image
        Standard deviation of each part, >= 0.
    coils : int
        Coils that a sum of squares combines; all noise is independent.
    seed : int, optional
        Same seed, same noise.

    Returns
    -------
    ndarray
        float32 for float32 and integers, else float64.

    Raises
    ------
    DataError
        A negative or non-finite sigma.

    References
    ----------
    Gudbjartsson, Patz, Magn. Reson. Med. 34 (1995) 910, doi:10.1002/mrm.1910340618.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> noise = prc.phantom.rician_noise(np.zeros((300, 300)), sigma=2.0, seed=0)
    >>> round(float(noise.mean() / (2.0 * np.sqrt(np.pi / 2))), 2)
    1.0
    """
    signal = np.abs(np.asarray(image))
    level = np.asarray(sigma, np.float64)
    if not np.isfinite(level).all() or (level < 0).any():
        raise DataError(f"sigma is {sigma}; expected finite numbers >= 0")
    rng = np.random.default_rng(seed)
    squares = np.zeros(np.broadcast_shapes(signal.shape, level.shape))
    for part in range(2 * whole("coils", coils, 1)):
        draw = level * rng.standard_normal(squares.shape)
        squares += (draw + signal if part == 0 else draw) ** 2
    wide = signal.dtype in (np.float64, np.longdouble)
    return np.sqrt(squares).astype(np.float64 if wide else np.float32)
