"""Readouts that were sampled while the gradient was ramping."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import choice, number, whole
from .._kernels.select import edge_of, host_array
from ..errors import DataError, ShapeError

__all__ = ["ramp_positions", "regrid_readout"]


def ramp_positions(
    samples: int,
    *,
    ramp_up: float,
    flat_top: float,
    ramp_down: float,
    delay: float,
    duration: float,
    shape: str = "trapezoid",
) -> np.ndarray:
    """Where the samples of a readout lie whose gradient was still ramping.

    Parameters
    ----------
    samples : int
        Samples of the readout, evenly spaced in time.
    ramp_up, flat_top, ramp_down : float
        Durations of the gradient's parts, in any unit of time.
    delay, duration : float
        Start of the first sample after the start of the gradient, and of all samples together,
        in the same unit.
    shape : {"trapezoid", "sinusoid"}
        Of the ramps.

    Returns
    -------
    float64 array (samples,)
        k in units of one evenly spaced sample (cycles per field of view), 0 at the middle; the
        whole readout covers ``samples`` of them.

    Examples
    --------
    >>> import pyrad_core as prc
    >>> k = prc.mr.ramp_positions(
    ...     4, ramp_up=1, flat_top=2, ramp_down=1, delay=0, duration=4)
    >>> k.round(3).tolist()
    [-1.833, -0.667, 0.667, 1.833]
    """
    count = whole("samples", samples, 2)
    times = {"ramp_up": ramp_up, "flat_top": flat_top, "ramp_down": ramp_down, "delay": delay}
    for name, value in times.items():
        if number(name, value) < 0:
            raise DataError(f"{name} is {value}; expected a time >= 0")
    up, flat, down = float(ramp_up), float(flat_top), float(ramp_down)
    end = delay + number("duration", duration)
    if duration <= 0 or end > up + flat + down + 1e-6 * (up + flat + down):
        raise DataError(f"duration is {duration}; the samples must lie within the gradient")
    choice("shape", shape, ("trapezoid", "sinusoid"))

    def area(t: np.ndarray) -> np.ndarray:
        rise, fall = np.clip(t, 0, up), np.clip(t - up - flat, 0, down)
        middle = np.clip(t - up, 0, flat)
        if shape == "trapezoid":
            before = rise**2 / (2 * up) if up > 0 else 0.0
            after = fall - fall**2 / (2 * down) if down > 0 else 0.0
        else:
            before = 2 * up / np.pi * (1 - np.cos(np.pi * rise / (2 * up))) if up > 0 else 0.0
            after = 2 * down / np.pi * np.sin(np.pi * fall / (2 * down)) if down > 0 else 0.0
        return before + middle + after

    at = area(delay + duration / count * (np.arange(count) + 0.5))
    edges = area(np.array([delay, delay + duration / 2, end]))
    return np.asarray((at - edges[1]) / (edges[2] - edges[0]) * count)


def regrid_readout(
    kspace: Any, positions: Any, *, samples: int | None = None, shift: float = 0.0
) -> Any:
    """Samples at known positions along the last axis, as evenly spaced ones.

    Parameters
    ----------
    kspace : complex array (..., x)
        Lines in the order of growing k.
    positions : real array (x,)
        k of the samples in cycles per field of view (:func:`ramp_positions`), growing.
    samples : int, optional
        Evenly spaced samples to return, DC at ``samples // 2``; default as many as measured.
    shift : float
        Off-centre shift that the receiver applied, as a part of the field of view. It mixes with
        a constant frequency as if the gradient were always at its peak; the difference to
        the positions is taken back.

    Returns
    -------
    complex array (..., samples), of k-space's dtype

    Raises
    ------
    ShapeError
        Positions that do not fit.
    DataError
        NaN, positions that do not grow.

    Notes
    -----
    The least-squares image of the line, whose support is the part of the field of view that the
    widest gap between samples still resolves, transformed to the even grid: one matrix for all
    lines, of regularised singular values (1e-3).

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> k = prc.mr.ramp_positions(
    ...     64, ramp_up=10, flat_top=50, ramp_down=10, delay=2, duration=66)
    >>> line = np.exp(-2j * np.pi * k * 5 / 64)         # a point at pixel 5 of 64
    >>> image = prc.mr.ifft(prc.mr.regrid_readout(line[None], k), axes=(-1,))
    >>> int(np.argmax(abs(image[0]))) - 32
    5
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace")
    k = np.asarray(host_array(positions), np.float64)
    if k.shape != y.shape[-1:]:
        raise ShapeError(f"positions has shape {k.shape}, but kspace {y.shape}")
    if k.size < 2:
        raise ShapeError(f"kspace has shape {y.shape}; expected lines of at least 2 samples")
    if not np.all(np.isfinite(k)):
        bad = np.flatnonzero(~np.isfinite(k))
        raise DataError(f"positions holds {bad.size} NaN or Inf values, the first at {int(bad[0])}")
    gaps = np.diff(k)
    if np.any(gaps <= 0):
        raise DataError(f"positions must grow; {np.count_nonzero(gaps <= 0)} steps do not")
    n = y.shape[-1] if samples is None else whole("samples", samples, 1)
    reach = max(1, int(n / (2 * max(1.0, gaps.max()))))
    pixels = np.arange(max(-reach, -(n // 2)), min(reach, n - n // 2))
    encode = np.exp(-2j * np.pi * np.outer(k, pixels) / n)
    even = np.exp(-2j * np.pi * np.outer(np.arange(n) - n // 2, pixels) / n)
    u, s, vh = np.linalg.svd(encode, full_matrices=False)
    damped = s / (s**2 + (1e-3 * s[0]) ** 2)
    matrix = even @ (vh.conj().T * damped) @ u.conj().T
    mixed = float(gaps.max()) * (np.arange(k.size) - k.size // 2) - k
    matrix = matrix * np.exp(2j * np.pi * number("shift", shift) * mixed)
    return edge.answer(y @ edge.xp.asarray(matrix.T.astype(y.dtype)))
