"""Coil maps, coil compression and joint estimation against BART (command line) and SigPy.

Problem D of the field's list: Shepp-Logan head, 8 coils, 256^2, complex noise, calibration 24,
kernel 6. Quality is the mean overlap |<s, s_true>| inside the head. BART's rows include the start
of its process and its files in memory (some ms). Joint estimation: the same head with every second
line and 24 central ones, relative error of the magnitude against the truth, after a fit of its
scale.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import mr, phantom

from . import peers
from .peers.bart import bart, from_bart, to_bart
from .peers.need import need

_N, _COILS = 256, 8


class CoilProblem:
    def __init__(self):
        n = _N
        self.image = phantom.shepp_logan(2, radius=0.9).raster(prc.Volume((n, n), 2 / n))
        rng = np.random.default_rng(0)
        self.maps = phantom.coil_maps(_COILS, (n, n)).astype(np.complex64)
        noise = rng.standard_normal((2, _COILS, n, n)) * 0.003
        exact = mr.fft(self.maps * self.image)
        self.kspace = exact + (noise[0] + 1j * noise[1]).astype(np.complex64)
        self.images = mr.ifft(self.kspace)
        self.truth = self.image * np.linalg.norm(self.maps, axis=0)
        self.mask = np.zeros((n, n), np.float32)
        self.mask[::2] = 1
        self.mask[n // 2 - 12 : n // 2 + 12] = 1

    def overlap(self, maps) -> str:
        inside = self.image > 0.1
        first = np.asarray(maps).reshape(-1, _COILS, _N, _N)[0]
        a, b = first[:, inside], self.maps[:, inside]
        same = np.abs(np.sum(a.conj() * b, axis=0))
        same = same / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)
        return f"overlap {np.nanmean(same):.5f}"

    def error(self, image) -> str:
        got = np.abs(np.asarray(image))
        scale = np.vdot(got, self.truth) / np.vdot(got, got)
        error = np.linalg.norm(scale * got - self.truth) / np.linalg.norm(self.truth)
        return f"nrmse {error:.4f}"

    def energy(self, small) -> str:
        kept = np.linalg.norm(np.asarray(small)) ** 2 / np.linalg.norm(self.wide) ** 2
        return f"energy {kept:.5f}"

    @property
    def wide(self):
        """32 coils, to be compressed."""
        if not hasattr(self, "_wide"):
            maps = phantom.coil_maps(32, (_N, _N)).astype(np.complex64)
            self._wide = mr.fft(maps * self.image)
        return self._wide


@pytest.fixture(scope="module")
def problem() -> CoilProblem:
    return CoilProblem()


def _group(name: str):
    return pytest.mark.benchmark(group=name)


_ESPIRIT = _group("espirit 8 x 256^2, calibration 24, kernel 6, 1 map")
_TWO = _group("espirit 8 x 256^2, calibration 24, kernel 6, 2 maps")


@_ESPIRIT
def test_espirit_ours(measure, problem, threads):
    floor = problem.kspace.nbytes / 8e6  # the maps written once at 8 GB/s
    run = lambda: mr.espirit(problem.kspace)  # noqa: E731
    measure(run, threads=threads, quality=problem.overlap, floor_ms=floor)


@_ESPIRIT
def test_espirit_bart(measure, problem, threads):
    run = bart("ecalib -m1 -r24 -k6", to_bart(problem.kspace), threads=threads)
    quality = lambda x: problem.overlap(from_bart(x))  # noqa: E731
    measure(run, who="BART ecalib", threads=threads, quality=quality)


@_ESPIRIT
def test_espirit_sigpy(measure, problem):
    run = peers.sigpy_espirit(problem.kspace)
    measure(run, who="sigpy EspiritCalib", quality=problem.overlap)


@_TWO
def test_espirit_two_ours(measure, problem, threads):
    run = lambda: mr.espirit(problem.kspace, maps=2)  # noqa: E731
    measure(run, threads=threads, quality=problem.overlap)


@_TWO
def test_espirit_two_bart(measure, problem, threads):
    run = bart("ecalib -m2 -r24 -k6", to_bart(problem.kspace), threads=threads)
    quality = lambda x: problem.overlap(from_bart(x))  # noqa: E731
    measure(run, who="BART ecalib", threads=threads, quality=quality)


_WALSH = _group("walsh 8 x 256^2, window 7")


@_WALSH
def test_walsh_ours(measure, problem, threads):
    run = lambda: mr.walsh(problem.images, window=7)  # noqa: E731
    measure(run, threads=threads, quality=problem.overlap)


@_WALSH
def test_walsh_numpy(measure, problem):
    """The method in NumPy and SciPy: box filters and one batched eigh."""
    from scipy.ndimage import uniform_filter

    def run():
        m = problem.images
        c = np.einsum("ayx,byx->abyx", m, m.conj())
        box = (0, 0, 7, 7)
        smooth = uniform_filter(c.real, box) + 1j * uniform_filter(c.imag, box)
        return np.moveaxis(np.linalg.eigh(smooth.transpose(2, 3, 0, 1))[1][..., -1], -1, 0)

    measure(run, who="NumPy + SciPy", quality=problem.overlap)


_INATI = _group("inati 8 x 256^2, window 5, 5 iterations")


@_INATI
def test_inati_ours(measure, problem, threads):
    run = lambda: mr.inati(problem.images, window=5, iterations=5, tolerance=0)  # noqa: E731
    measure(run, threads=threads, quality=problem.overlap)


@_INATI
def test_inati_numpy(measure, problem):
    """The method in NumPy and SciPy."""
    from scipy.ndimage import uniform_filter

    def run():
        m = problem.images
        mean = m.sum((1, 2))
        image = np.tensordot(mean.conj() / np.linalg.norm(mean), m, axes=1)
        for _ in range(5):
            s = m * image.conj()
            s = uniform_filter(s.real, (0, 5, 5)) + 1j * uniform_filter(s.imag, (0, 5, 5))
            s /= np.linalg.norm(s, axis=0)
            image = np.sum(s.conj() * m, axis=0)
            mean = np.einsum("cyx,yx->c", s, image)
            turn = np.tensordot(mean.conj(), s, axes=1)
            turn /= np.abs(turn)
            s *= turn.conj()
            image *= turn
        return s

    measure(run, who="NumPy + SciPy", quality=problem.overlap)


_JOINT = _group("joint estimation 8 x 256^2, every second line")


@_JOINT
def test_nlinv_ours(measure, problem, threads):
    kspace = problem.kspace * problem.mask
    run = lambda: mr.nlinv(kspace, iterations=10)  # noqa: E731
    quality = lambda x: problem.error(x[0])  # noqa: E731
    measure(run, who="pyrad_core nlinv", threads=threads, quality=quality)


@_JOINT
def test_nlinv_bart(measure, problem, threads):
    run = bart("nlinv -i10", to_bart(problem.kspace * problem.mask), threads=threads)
    quality = lambda x: problem.error(from_bart(x))  # noqa: E731
    measure(run, who="BART nlinv", threads=threads, quality=quality)


@_JOINT
def test_jsense_ours(measure, problem, threads):
    kspace = problem.kspace * problem.mask
    run = lambda: mr.jsense(kspace, iterations=6)  # noqa: E731
    quality = lambda x: problem.error(x[0])  # noqa: E731
    measure(run, who="pyrad_core jsense", threads=threads, quality=quality)


@_JOINT
def test_jsense_sigpy(measure, problem):
    """Maps by JsenseRecon, the image by SENSE with them."""
    app = need("sigpy.mri.app")
    kspace = problem.kspace * problem.mask

    def run():
        maps = app.JsenseRecon(kspace, mps_ker_width=12, show_pbar=False).run()
        weights = problem.mask
        return app.SenseRecon(kspace, maps, weights=weights, max_iter=20, show_pbar=False).run()

    measure(run, who="sigpy JsenseRecon + SenseRecon", quality=problem.error)


def _compression(method: str):
    return _group(f"{method} 32 to 8 coils, 256^2")


@_compression("scc")
def test_scc_ours(measure, problem, threads):
    run = lambda: mr.compress_coils(problem.wide, virtual_coils=8)  # noqa: E731
    measure(run, threads=threads, quality=problem.energy)


@_compression("scc")
def test_scc_bart(measure, problem, threads):
    run = bart("cc -A -S -p8", to_bart(problem.wide), threads=threads)
    measure(run, who="BART cc -S", threads=threads, quality=problem.energy)


@_compression("gcc")
def test_gcc_ours(measure, problem, threads):
    run = lambda: mr.compress_coils(problem.wide, virtual_coils=8, method="gcc")  # noqa: E731
    measure(run, threads=threads, quality=problem.energy)


@_compression("gcc")
def test_gcc_bart(measure, problem, threads):
    run = bart("cc -A -G -p8", to_bart(problem.wide), threads=threads)
    measure(run, who="BART cc -G", threads=threads, quality=problem.energy)
