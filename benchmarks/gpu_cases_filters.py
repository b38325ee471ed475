"""GPU cases of the IBSI 2 filters; see gpu_cases.py."""

from __future__ import annotations

import numpy as np

from .gpu_cases import case, kernel


def _convolve(shape, taps):
    rng = np.random.default_rng(0)
    arguments = {
        "x": rng.standard_normal(shape, np.float32),
        "taps": rng.standard_normal(taps, np.float32),
        "centre": taps // 2,
        "boundary": 3,
        "out": np.empty(shape, np.float32),
    }
    return kernel("convolve_axis", arguments, outputs=("out",))


@case("filters.convolve_axis float32, 25 taps along z")
def _(tiny):
    return _convolve((1, 9, 77) if tiny else (1, 256, 256 * 256), 25)


@case("filters.convolve_axis float32, 25 taps along x")
def _(tiny):
    return _convolve((33, 21, 1) if tiny else (256 * 256, 256, 1), 25)


def _gabor(shape, count):
    rng = np.random.default_rng(0)
    arguments = {
        "x": rng.standard_normal(shape, np.float32),
        "taps": rng.standard_normal((1, 4, count), np.float32),
        "boundary": 3,
        "first_a": 0,
        "first_b": 0,
        "part": 0,
        "out": np.empty(shape, np.float32),
    }
    return kernel("gabor_planes", arguments, outputs=("out",))


@case("filters.gabor_planes float32, 33 taps, axial slices")
def _(tiny):
    return _gabor((2, 9, 1, 20, 1), 5) if tiny else _gabor((256, 256, 1, 256, 1), 33)


@case("filters.gabor_planes float32, 33 taps, slices along x")
def _(tiny):
    return _gabor((1, 9, 1, 5, 10), 5) if tiny else _gabor((1, 256, 1, 256, 256), 33)


def _frequencies(n):
    f = 2 * np.fft.fftfreq(n)
    return np.stack([f, -np.roll(f[::-1], 1)])


def _riesz(tiny, band):
    n = 8 if tiny else 256
    return n, {
        "frequencies": np.concatenate([_frequencies(n)] * 3, axis=1),
        "powers": (0, 0, 1),
        "factor": 1.0,
        "band": band,
        "scale": 1.0,
    }


@case("filters.spectral_filter float32, Riesz")
def _(tiny):
    n, transfer = _riesz(tiny, 0)
    x = np.random.default_rng(0).standard_normal((1, n, n, n), np.float32)
    return kernel("spectral_filter", {"x": x, **transfer, "out": np.empty_like(x)}, ("out",))


@case("filters.multiply_transfer complex64, Simoncelli")
def _(tiny):
    n, transfer = _riesz(tiny, 1)
    spectrum = np.ones((1, n, n, n // 2 + 1), np.complex64)
    return kernel("multiply_transfer", {"spectrum": spectrum, "nx": n, **transfer}, ("spectrum",))
