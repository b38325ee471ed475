"""Simulation of the noise that a given dose leaves in projections."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from .._checks import at_least, number, positive
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ._bad_pixels import host
from ._results import result_like

__all__ = ["simulate_dose"]


def simulate_dose(
    projections: Any,
    photons: float,
    electronic_noise: float = 0.0,
    seed: int | None = 0,
    *,
    bowtie: Any = None,
    modulation: Any = None,
    dose_fraction: float | None = None,
    out: Any = None,
) -> Any:
    """Noisy line integrals as a scan with this many photons would measure them.

    ``counts = Poisson(I0 * exp(-p)) + Normal(0, electronic_noise)``, and back to line integrals
    ``-log(counts / I0)``, where ``I0 = photons * modulation[view] * bowtie[column]``. Readings
    below half a count are raised to it.

    Parameters
    ----------
    projections : array
        Noise-free line integrals, any shape; float32 or float64, integers become float32.
    photons : float
        Mean open-beam counts per detector pixel and view.
    electronic_noise : float
        Standard deviation of the detector's additive noise in counts.
    seed : int, optional
        Same seed, same noise: for any number of threads, on CPU and GPU; None draws a fresh one.
    bowtie : array, shape (columns,), optional
        Share of the photons that the bowtie filter lets through to each column, > 0.
    modulation : array, shape (views,), or "angular", optional
        Tube current of each view relative to the mean, > 0. ``"angular"`` follows the object:
        the square root of the largest attenuation ``exp(p)`` in the view, scaled to mean 1, which
        minimises the noise at the centre for a given dose.
    dose_fraction : float, optional
        The projections are no ideal ones but were measured with ``photons`` (and
        ``electronic_noise``); add the noise that this fraction of their dose would have had.
    out : array, optional
        Where to put the result, of the shape and dtype of the result; may be ``projections``.

    Returns
    -------
    array, shape and precision of ``projections``

    Raises
    ------
    DataError
        NaN or Inf, ``photons <= 0``, ``electronic_noise < 0``, a factor <= 0, ``dose_fraction``
        outside (0, 1], a negative seed.
    ShapeError
        ``modulation`` or ``bowtie`` of another length than the views or columns.

    References
    ----------
    J. K. Salmon et al., SC 2011, doi:10.1145/2063384.2063405 (random numbers by counter).
    W. Hoermann, Insurance: Math. and Economics 12, 39, 1993, doi:10.1016/0167-6687(93)90997-4.
    M. Gies et al., Med. Phys. 26, 2235, 1999, doi:10.1118/1.598779 (angular modulation).
    L. Yu et al., J. Comput. Assist. Tomogr. 36, 477, 2012, doi:10.1097/RCT.0b013e318258e891
    (``dose_fraction``).

    Examples
    --------
    >>> import numpy as np
    >>> noisy = simulate_dose(np.full(100_000, 1.0), 1e4)
    >>> round(float(noisy.std()), 2)  # sqrt(e / 1e4)
    0.02
    """
    edge = edge_of(projections=projections, out=out)
    lines = edge.real("projections")
    open_beam = positive("photons", photons)
    sigma = at_least("electronic_noise", electronic_noise, 0)
    fraction = 0.0
    if dose_fraction is not None:
        fraction = positive("dose_fraction", dose_fraction)
        if fraction > 1:
            raise DataError(f"dose_fraction is {dose_fraction}; expected a number in (0, 1]")
    view_photons = open_beam * _view_factors(edge, lines, modulation)
    share = _factors("bowtie", bowtie, lines, axis=-1)
    views, columns = view_photons.size, share.size
    noisy = result_like(edge, lines, lines.dtype)
    given = lines.reshape(_grid(lines.size, views, columns))
    edge.kernels.simulate_dose(
        given, view_photons, share, sigma, fraction, _key(seed), noisy.reshape(given.shape)
    )
    return out if out is not None else edge.answer(noisy)


def _grid(size: int, views: int, columns: int) -> tuple[int, int, int]:
    """(views, rows, columns), where a factor of one stands for all views or all columns."""
    if columns == 1:
        return views, size // views, 1
    return views, size // (views * columns), columns


def _view_factors(edge: Edge, lines: Any, modulation: Any) -> np.ndarray:
    if not isinstance(modulation, str):
        return _factors("modulation", modulation, lines, axis=0)
    if modulation != "angular":
        raise DataError(f"modulation is {modulation!r}; expected factors or 'angular'")
    if lines.ndim < 2:
        raise ShapeError(f"projections have shape {lines.shape}; 'angular' needs views and columns")
    thickest = host(lines.reshape(lines.shape[0], -1).max(axis=1)).astype(np.float64)
    factors = np.exp(0.5 * (thickest - thickest.max()))
    return factors / factors.mean()


def _factors(name: str, given: Any, lines: Any, axis: int) -> np.ndarray:
    if given is None:
        return np.ones(1)
    factors = np.ascontiguousarray(host(given), dtype=np.float64)
    length = lines.shape[axis] if lines.ndim >= 2 else 0
    if factors.shape != (length,):
        raise ShapeError(
            f"{name} has shape {factors.shape}, but projections have shape {tuple(lines.shape)}; "
            f"expected ({length},)"
        )
    if not (np.isfinite(factors) & (factors > 0)).all():
        first = int(np.flatnonzero(~(np.isfinite(factors) & (factors > 0)))[0])
        raise DataError(f"{name} is {factors[first]} at index {first}; expected numbers > 0")
    return factors


def _key(seed: int | None) -> int:
    if seed is None:
        return secrets.randbits(64)
    if isinstance(seed, bool) or number("seed", seed) % 1 or not 0 <= int(seed) < 1 << 64:
        raise DataError(f"seed is {seed}; expected a whole number from 0 to 2^64 - 1")
    return int(seed)
