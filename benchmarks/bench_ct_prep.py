"""Before reconstruction: counts to line integrals, rings, noise, denoising.

No package with these jobs can be installed by pip, so the opponents are NumPy, SciPy and PyWavelets
(peers/ct_prep.py), all on one thread; our entries stand with one thread and with all of them. The
floor is the memory's: 10 GB/s over what is read and written once.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc

from .peers import ct_prep as peers

BYTES_PER_MS = 10e6
VIEWS, ROWS, COLUMNS = 720, 8, 1024


@pytest.fixture(params=["one thread", "all threads"])
def our_threads(request, threads):
    count = 1 if request.param == "one thread" else threads
    with prc.set_num_threads(count):
        yield count


@pytest.fixture(scope="module")
def lines():
    """Closed-form rows of a head with photon noise and stripes."""
    angles = np.arange(VIEWS) * np.pi / VIEWS
    head = prc.phantom.shepp_logan(2, radius=480)
    one = 0.005 * head.project(prc.ParallelBeam(angles, COLUMNS))
    rng = np.random.default_rng(0)
    gain = np.where(rng.random((ROWS, COLUMNS)) < 0.05, rng.normal(0, 0.05, (ROWS, COLUMNS)), 0)
    noisy = prc.ct.simulate_dose(np.repeat(one[:, None], ROWS, axis=1), 1e4, 5.0)
    return np.ascontiguousarray(noisy + gain, dtype=np.float32)


def far(reference):
    scale = np.abs(reference).max()
    return lambda got: f"differs by {np.abs(got - reference).max() / scale:.0e}"


@pytest.mark.benchmark(group=f"normalize uint16 {VIEWS}x64x{COLUMNS}")
class TestNormalize:
    @pytest.fixture(scope="class")
    def scan(self):
        rng = np.random.default_rng(0)
        counts = rng.integers(500, 50_000, (VIEWS, 64, COLUMNS)).astype(np.uint16)
        flat = rng.uniform(5.5e4, 6e4, counts.shape[1:]).astype(np.float32)
        dark = rng.uniform(90, 110, counts.shape[1:]).astype(np.float32)
        exact = -np.log((counts[:3] - dark.astype(np.float64)) / (flat - dark))
        return counts, flat, dark, lambda got: far(exact)(got[:3])

    def bench_normalize(self, scan, our_threads, measure):
        counts, flat, dark, quality = scan
        measure(
            lambda: prc.ct.normalize(counts, flat, dark),
            threads=our_threads,
            quality=quality,
            floor_ms=3 * counts.nbytes / BYTES_PER_MS,
        )

    def bench_normalize_numpy(self, scan, measure):
        counts, flat, dark, quality = scan
        measure(peers.numpy_normalize(counts, flat, dark), who="NumPy", quality=quality)


@pytest.mark.parametrize("size", [21, 61])
@pytest.mark.benchmark(group=f"remove_rings sorting {VIEWS}x{ROWS}x{COLUMNS}")
class TestSorting:
    def bench_sorting(self, lines, size, our_threads, measure):
        reference = peers.scipy_sorting(lines[:, :1], size)()
        measure(
            lambda: prc.ct.remove_rings(lines, size=size),
            threads=our_threads,
            quality=lambda got: f"size {size}, " + far(reference)(got[:, :1]),
            floor_ms=2 * lines.nbytes / BYTES_PER_MS,
        )

    def bench_sorting_scipy(self, lines, size, measure):
        measure(peers.scipy_sorting(lines, size), who="SciPy", quality=f"size {size}")


@pytest.mark.benchmark(group=f"remove_rings wavelet_fourier {VIEWS}x{ROWS}x{COLUMNS}")
class TestWaveletFourier:
    def bench_wavelet_fourier(self, lines, our_threads, measure):
        reference = peers.pywt_wavelet_fourier(lines[:, :1], "db5", 3, 2.0)()
        measure(
            lambda: prc.ct.remove_rings(lines, method="wavelet_fourier", level=3),
            threads=our_threads,
            quality=lambda got: far(reference)(got[:, :1]),
        )

    def bench_wavelet_fourier_pywt(self, lines, measure):
        measure(peers.pywt_wavelet_fourier(lines, "db5", 3, 2.0), who="PyWavelets, SciPy FFT")


@pytest.mark.benchmark(group=f"simulate_dose {VIEWS}x{ROWS}x{COLUMNS}")
class TestDose:
    def quality(self, lines):
        open_beam = lines[:, :, :16] * 0
        return lambda got: f"air noise {np.std(got[:, :, :16] - open_beam):.4f}"

    def bench_dose(self, lines, our_threads, measure):
        clean = np.maximum(lines, 0)
        measure(
            lambda: prc.ct.simulate_dose(clean, 1e4, 5.0, seed=1),
            threads=our_threads,
            quality=self.quality(lines),
        )

    def bench_dose_numpy(self, lines, measure):
        run = peers.numpy_dose(np.maximum(lines, 0), 1e4, 5.0)
        measure(run, who="NumPy", quality=self.quality(lines))


@pytest.mark.benchmark(group=f"denoise_projections {VIEWS}x{ROWS}x{COLUMNS}")
class TestDenoise:
    def bench_pwls(self, lines, our_threads, measure):
        measure(
            lambda: prc.ct.denoise_projections(lines, photons=1e4, strength=500.0),
            threads=our_threads,
            quality=lambda got: f"objective {objective(lines, got):.6e}",
        )

    def bench_pwls_scipy(self, lines, measure):
        weights = 1e4 * np.exp(-lines)
        run = peers.scipy_pwls(lines, weights, 500.0, (0.25, 1.0, 1.0), 1e-4)
        measure(run, who="SciPy cg", quality=lambda got: f"objective {objective(lines, got):.6e}")


def objective(lines, calm):
    q, p = calm.astype(np.float64), lines.astype(np.float64)
    value = np.sum(1e4 * np.exp(-p) * (q - p) ** 2)
    for axis, c in enumerate((0.25, 1.0, 1.0)):
        value += 500.0 * c * np.sum(np.diff(q, axis=axis) ** 2)
    return float(value)
