"""Separable wavelet transforms of volumes and images, float32, against PyWavelets.

A forward entry's quality is how well its own inverse gives the data back, an inverse entry's how
well it does so itself. The floor is one read and one write of all bytes at the bandwidth of a copy
on one thread.
"""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from pyrad_core import wavelet as prw

from . import peers

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SIZE = 64 if QUICK else 256
WAVELETS = (
    *((name, "periodization") for name in ("db4", "coif1", "bior2.2")),
    ("db4", "symmetric"),
)


@pytest.fixture(scope="module")
def volume():
    rng = np.random.default_rng(0)
    return rng.standard_normal((SIZE,) * 3, np.float32)


@pytest.fixture(scope="module")
def floor_ms(volume):
    """Function: milliseconds to copy this many bytes (read and written)."""
    target = np.zeros_like(volume)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(target, volume)
        times.append(time.perf_counter() - start)
    return lambda size: 1e3 * min(times) * size / (2 * volume.nbytes)


def off(image):
    """Quality: largest difference to ``image``."""
    return lambda answer: f"off by {np.abs(answer - image).max():.0e}"


def group_of(transform, name, mode):
    border = "" if mode == "periodization" else f" {mode}"
    return f"{transform} {SIZE}^3 {name}{border}, 3 levels"


@pytest.mark.parametrize(("name", "mode"), WAVELETS)
class TestDwt256:
    def bench_forward(self, name, mode, volume, floor_ms, threads, measure, benchmark):
        benchmark.group = group_of("wavedecn", name, mode)

        def back(coefficients):
            return off(volume)(prw.waverecn(coefficients, name, mode))

        measure(
            lambda: prw.wavedecn(volume, name, mode, 3),
            threads=threads,
            quality=back,
            floor_ms=floor_ms(2 * volume.nbytes),
        )

    def bench_forward_pywt(self, name, mode, volume, measure, benchmark):
        benchmark.group = group_of("wavedecn", name, mode)
        forward, inverse = peers.pywt_roundtrip(volume, wavelet=name, level=3, mode=mode)
        measure(forward, who="PyWavelets", quality=lambda _: off(volume)(inverse()))

    def bench_inverse(self, name, mode, volume, floor_ms, threads, measure, benchmark):
        benchmark.group = group_of("waverecn", name, mode)
        coefficients = prw.wavedecn(volume, name, mode, 3)
        measure(
            lambda: prw.waverecn(coefficients, name, mode),
            threads=threads,
            quality=off(volume),
            floor_ms=floor_ms(2 * volume.nbytes),
        )

    def bench_inverse_pywt(self, name, mode, volume, measure, benchmark):
        benchmark.group = group_of("waverecn", name, mode)
        _, inverse = peers.pywt_roundtrip(volume, wavelet=name, level=3, mode=mode)
        measure(inverse, who="PyWavelets", quality=off(volume))


class TestDwt512Square:
    def bench_roundtrip(self, volume, floor_ms, threads, measure, benchmark):
        benchmark.group = "dwt 512^2 db4, 3 levels, there and back"
        image = volume.ravel()[: 512 * 512].reshape(512, 512)

        def run():
            coefficients = prw.wavedecn(image, "db4", "periodization", 3)
            return prw.waverecn(coefficients, "db4", "periodization")

        floor = floor_ms(4 * image.nbytes)
        measure(run, threads=threads, quality=off(image), floor_ms=floor)

    def bench_roundtrip_pywt(self, volume, measure, benchmark):
        benchmark.group = "dwt 512^2 db4, 3 levels, there and back"
        image = volume.ravel()[: 512 * 512].reshape(512, 512)
        forward, inverse = peers.pywt_roundtrip(image, wavelet="db4", level=3)
        measure(lambda: (forward(), inverse())[1], who="PyWavelets", quality=off(image))


@pytest.mark.parametrize("size", (SIZE // 2, SIZE))
class TestSwt:
    def bench_forward(self, size, volume, floor_ms, threads, measure, benchmark):
        benchmark.group = f"swtn {size}^3 coif1, 1 level"
        image = np.ascontiguousarray(volume[:size, :size, :size])
        measure(
            lambda: prw.swtn(image, "coif1", 1),
            threads=threads,
            quality=lambda levels: off(image)(prw.iswtn(levels, "coif1")),
            floor_ms=floor_ms(9 * image.nbytes),
        )

    def bench_forward_pywt(self, size, volume, measure, benchmark):
        benchmark.group = f"swtn {size}^3 coif1, 1 level"
        image = np.ascontiguousarray(volume[:size, :size, :size])
        forward, _ = peers.pywt_stationary(image, wavelet="coif1", level=1)
        ours = prw.swtn(image, "coif1", 1)[0]["ddd"]
        quality = lambda levels: f"bands off ours by {np.abs(levels[0]['ddd'] - ours).max():.0e}"  # noqa: E731
        measure(forward, who="PyWavelets", quality=quality)

    def bench_inverse(self, size, volume, floor_ms, threads, measure, benchmark):
        benchmark.group = f"iswtn {size}^3 coif1, 1 level"
        image = np.ascontiguousarray(volume[:size, :size, :size])
        levels = prw.swtn(image, "coif1", 1)
        measure(
            lambda: prw.iswtn(levels, "coif1"),
            threads=threads,
            quality=off(image),
            floor_ms=floor_ms(9 * image.nbytes),
        )

    def bench_inverse_pywt(self, size, volume, measure, benchmark):
        benchmark.group = f"iswtn {size}^3 coif1, 1 level"
        image = np.ascontiguousarray(volume[:size, :size, :size])
        _, inverse = peers.pywt_stationary(image, wavelet="coif1", level=1)
        measure(inverse, who="PyWavelets", quality=off(image))
