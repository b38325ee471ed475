"""Echo-planar imaging: Nyquist ghosts and samples on the readout's ramps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._checks import choice, number, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ._epi_phase import entropy_phase, fitted_phase
from .fourier import fft, ifft

__all__ = ["correct_epi_ghost", "ramp_positions", "regrid_readout"]


def correct_epi_ghost(
    kspace: Any,
    navigators: Any = None,
    *,
    reflected: Any = None,
    navigator_reflected: Sequence[bool] | None = None,
    method: str | None = None,
    order: int | str = 1,
    per_coil: bool = False,
    return_phase: bool = False,
) -> Any:
    """Remove the N/2 ghost: align lines read forwards and backwards.

    Parameters
    ----------
    kspace : complex array (coil, ..., y, x)
        Every line in the order of growing k, DC at ``n // 2``, reversed ones turned round
        already (as :func:`~pyrad_core.io.read_kspace` gives them).
    navigators : complex array (navigator, coil, x) or sequence of records, optional
        Lines without phase encoding, in the order of their time and of growing k, or
        ``scan.header["navigators"]``. Three (backwards, forwards, backwards) are usual.
    reflected : bool array (y,), optional
        Lines that were read backwards; ``scan.header["reflected"]``. Default: every second one,
        beginning with the second.
    navigator_reflected : sequence of bool, optional
        The same for the navigators; default: alternating, the first one backwards. Records know.
    method : {"navigator", "entropy", "both"}, optional
        "navigator" takes the phase from the navigators; "entropy", which needs none, looks for
        the linear phase that makes the image least spread out; "both" looks for a small one
        beside the navigators'. Default: navigators if there are any. The image must not be
        undersampled along y for "entropy" and "both".
    order : int or "pointwise"
        Of the polynomial along x that the phase is fitted by: 1 (delay and constant), or higher
        for eddy currents; "pointwise" adds what a linear fit leaves, smoothed over 3 pixels.
    per_coil : bool
        A phase per coil; by default one for all, to which a coil counts by its signal.
    return_phase : bool
        Also return the phase.

    Returns
    -------
    complex array of k-space's shape and dtype, or (array, phase)
        ``phase`` is real, (x,) or (coil, x), radian: forward minus backward lines in the hybrid
        (y encoded, x image) space. Half of it is taken from either kind of lines.

    Raises
    ------
    ShapeError
        Navigators or ``reflected`` that do not fit k-space.
    DataError
        NaN, navigators of one direction only, or without signal.

    Notes
    -----
    Between two navigators of one direction the echo at the time of the other one is their mean,
    so that the phase which off-resonance adds from echo to echo drops out. The linear part is
    estimated by autocorrelation, polynomials by least squares weighted with the signal.
    For "entropy" the image is ``E exp(-i phi / 2) + O exp(i phi / 2)`` with the images of the
    two kinds of lines, so that only ``sum |E|^2 + |O|^2`` and ``sum E conj(O)`` over the coils
    are needed; phases phi and phi + pi swap image and ghost, and the one with more signal in the
    middle half of the field of view is taken.

    References
    ----------
    Ahn and Cho, IEEE Trans. Med. Imaging 6 (1987), doi:10.1109/TMI.1987.4307795; Heid, Proc.
    ISMRM 2000, 2014 (three navigators); Clare, Proc. ISMRM 2003, 1041 (entropy).

    Examples
    --------
    >>> scan = prc.io.read_kspace("epi.dat")                              # doctest: +SKIP
    >>> kspace = prc.mr.correct_epi_ghost(                                # doctest: +SKIP
    ...     scan.data, scan.header["navigators"], reflected=scan.header["reflected"])
    """
    samples, backwards = _navigators(navigators, navigator_reflected)
    edge = edge_of(kspace=kspace, navigators=_beside(kspace, samples))
    y = edge.complex("kspace")
    if y.ndim < 3:
        raise ShapeError(f"kspace has shape {y.shape}; expected (coil, ..., y, x)")
    lines = _reflected(edge, reflected, y.shape[-2])
    name = choice("method", method or _usual(samples), ("navigator", "entropy", "both"))
    degree = order if order == "pointwise" else whole("order", order, 1)
    hybrid = ifft(y, axes=(-1,))
    if name == "entropy":
        if per_coil or degree != 1:
            raise DataError("method entropy fits one linear phase; leave out order and per_coil")
        phase = entropy_phase(edge.xp, hybrid, lines)
    else:
        if samples is None:
            raise DataError(f"method {name} needs navigators")
        product = _product(edge, y, backwards)
        phase = fitted_phase(edge.xp, product if per_coil else product.sum(axis=0), degree)
        if name == "both":
            phase = entropy_phase(edge.xp, hybrid, lines, near=phase)
    half = edge.xp.asarray(np.where(lines, 0.5, -0.5))[:, None] * (
        phase if phase.ndim == 1 else phase.reshape((y.shape[0], *(1,) * (y.ndim - 2), -1))
    )
    hybrid *= edge.xp.exp(1j * half).astype(y.dtype)
    result = edge.answer(fft(hybrid, axes=(-1,)))
    return (result, edge.answer(phase)) if return_phase else result


def _usual(samples: Any) -> str:
    return "entropy" if samples is None else "navigator"


def _navigators(given: Any, reflected: Sequence[bool] | None) -> tuple[Any, np.ndarray | None]:
    """(navigator, coil, x) and which were read backwards; records know that themselves."""
    if given is None:
        return None, None
    if isinstance(given, (list, tuple)) and all(isinstance(n, Mapping) for n in given):
        if not given:
            raise DataError("navigators is empty; leave it out for method entropy")
        shapes = {tuple(n["samples"].shape) for n in given}
        if len(shapes) > 1:
            raise ShapeError(f"navigators differ in shape: {sorted(shapes)}")
        if reflected is None:
            reflected = [bool(n["reflected"]) for n in given]
        given = np.stack([np.asarray(n["samples"]) for n in given])
    count = given.shape[0] if hasattr(given, "shape") and given.ndim else 0
    backwards = np.arange(count) % 2 == 0 if reflected is None else np.asarray(reflected, bool)
    if backwards.shape != (count,):
        raise ShapeError(f"navigator_reflected has {backwards.size} entries for {count} navigators")
    if count and (backwards.all() or not backwards.any()):
        raise DataError("navigators all run in one direction; forward and backward ones are needed")
    return given, backwards


def _beside(kspace: Any, samples: Any) -> Any:
    """Navigators of a file's header, on the device where k-space is."""
    if isinstance(samples, np.ndarray) and hasattr(kspace, "__cuda_array_interface__"):
        import cupy

        return cupy.asarray(samples)
    return samples


def _reflected(edge: Edge, given: Any, rows: int) -> np.ndarray:
    if given is None:
        return np.arange(rows) % 2 == 1
    lines = np.asarray(given.get() if hasattr(given, "get") else given).astype(bool)
    if lines.shape != (rows,):
        raise ShapeError(f"reflected has shape {lines.shape}, but kspace has {rows} lines")
    if lines.all() or not lines.any():
        raise DataError("reflected marks all lines or none; an EPI scan reads them in turns")
    return lines


def _product(edge: Edge, y: Any, backwards: np.ndarray | None) -> Any:
    """Forward times conjugate backward navigators in the hybrid space, (coil, x)."""
    n = edge.complex("navigators", dtype=y.dtype, ndim=3)
    if n.shape[1:] != (y.shape[0], y.shape[-1]):
        raise ShapeError(
            f"navigators has shape {n.shape}, but kspace {y.shape} asks for (n, {y.shape[0]}, "
            f"{y.shape[-1]})"
        )
    assert backwards is not None
    hybrid = ifft(n, axes=(-1,))
    total = edge.xp.zeros(n.shape[1:], y.dtype)
    found = False
    for i in range(1, len(n) - 1):
        if backwards[i - 1] == backwards[i + 1] != backwards[i]:
            between = (hybrid[i - 1] + hybrid[i + 1]) / 2
            forward, back = (between, hybrid[i]) if backwards[i] else (hybrid[i], between)
            total += forward * back.conj()
            found = True
    if not found:
        first, last = hybrid[~backwards].mean(axis=0), hybrid[backwards].mean(axis=0)
        total = first * last.conj()
    if not total.any():
        raise DataError("navigators hold no signal")
    return total


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
    k = np.asarray(positions.get() if hasattr(positions, "get") else positions, np.float64)
    if k.shape != y.shape[-1:]:
        raise ShapeError(f"positions has shape {k.shape}, but kspace {y.shape}")
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
