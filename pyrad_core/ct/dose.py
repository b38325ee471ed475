"""Simulation of the noise that a given dose leaves in projections."""

from __future__ import annotations

from typing import Any

from .._checks import at_least, positive
from .._kernels.select import edge_of

__all__ = ["simulate_dose"]

_FLOOR = 0.5  # counts: a reading at or below zero has no logarithm


def simulate_dose(
    projections: Any,
    photons: float,
    electronic_noise: float = 0.0,
    seed: int | None = 0,
) -> Any:
    """Noisy line integrals as a scan with this many photons would measure them.

    ``counts = Poisson(photons * exp(-p)) + Normal(0, electronic_noise)``, and back to line
    integrals ``-log(counts / photons)``. Readings below half a count are raised to it.

    Parameters
    ----------
    projections : array
        Noise-free line integrals, any shape; float32 or float64, integers become float32.
    photons : float
        Mean open-beam counts per detector pixel and view.
    electronic_noise : float
        Standard deviation of the detector's additive noise in counts.
    seed : int, optional
        Same seed, same noise (per array library); None draws a fresh one.

    Returns
    -------
    array, shape and precision of ``projections``

    Raises
    ------
    DataError
        NaN or Inf, ``photons <= 0``, ``electronic_noise < 0``.

    Examples
    --------
    >>> import numpy as np
    >>> noisy = simulate_dose(np.full(100_000, 1.0), 1e4)
    >>> round(float(noisy.std()), 2)  # sqrt(e / 1e4)
    0.02
    """
    edge = edge_of(projections=projections)
    lines = edge.real("projections")
    mean_open = positive("photons", photons)
    sigma = at_least("electronic_noise", electronic_noise, 0)
    draw = edge.xp.random.default_rng(seed)
    counts = draw.poisson(mean_open * edge.xp.exp(-lines.astype("float64"))).astype("float64")
    if sigma:
        counts += sigma * draw.standard_normal(lines.shape)
    noisy = -edge.xp.log(edge.xp.maximum(counts, _FLOOR) / mean_open)
    return edge.answer(noisy.astype(lines.dtype))
