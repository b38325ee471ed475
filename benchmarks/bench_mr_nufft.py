"""NUFFT against finufft, ducc0 and SigPy: both directions, set-up, a small problem.

Problems (field's list): A, 12 coils, 256^2, 402 radial spokes of 512 samples, at eps 1e-3 and 1e-5;
B, 4 coils, 128^3, 500000 samples of a koosh-ball, eps 1e-3. finufft is shown as it comes, with
planned FFTs (``fftw=0``) and at both of its oversamplings. Ours takes and returns fresh arrays and
checks them for NaN within the time; peers fill arrays that they keep. Errors are relative L2
against the direct sum in double precision, without a fitted scale.
"""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core import mr

from . import peers

_GB_PER_S = 8.0  # what one core of a shared server moves
_FINUFFT = [{}, {"fftw": 0}, {"fftw": 0, "upsampfac": 2.0}, {"fftw": 0, "upsampfac": 1.25}]
_eps = pytest.mark.parametrize("eps", [1e-3, 1e-5])
_finufft = pytest.mark.parametrize("options", _FINUFFT, ids=str)


class Problem:
    """Images and samples of random numbers, and direct sums at some of them."""

    def __init__(self, name: str, shape: tuple[int, ...], coils: int, coordinates: np.ndarray):
        rng = np.random.default_rng(0)
        self.name, self.shape = name, shape
        self.coordinates = coordinates.astype(np.float32)
        self.images = _complex(rng, (coils, *shape))
        self.samples = _complex(rng, (coils, *coordinates.shape[:-1]))
        self._at = rng.choice(coordinates.size // len(shape), 60, replace=False)
        self._pixels = np.stack([rng.integers(0, n, 60) for n in shape], axis=-1)
        self._expected: dict[str, np.ndarray] = {}

    @property
    def k(self) -> np.ndarray:
        return self.coordinates.reshape(-1, len(self.shape)).astype(np.float64)

    def forward_error(self, samples) -> str:
        if "forward" not in self._expected:
            total = self.images.astype(np.complex128)
            for d, n in enumerate(self.shape):
                at = self.k[self._at, d]
                wave = np.exp(-2j * np.pi / n * np.outer(at, np.arange(n) - n // 2))
                letters = "zyx"[: len(self.shape) - d]
                chosen = "s" if d else ""  # the first axis brings in the samples
                spec = f"c{chosen}{letters},s{letters[0]}->cs{letters[1:]}"
                total = np.einsum(spec, total, wave)
            self._expected["forward"] = total / np.sqrt(np.prod(self.shape))
        got = np.asarray(samples).reshape(len(self.images), -1)[:, self._at]
        return _error(got, self._expected["forward"])

    def adjoint_error(self, images) -> str:
        if "adjoint" not in self._expected:
            phase = (self._pixels - np.array(self.shape) // 2) / np.array(self.shape) @ self.k.T
            flat = self.samples.reshape(len(self.images), -1).astype(np.complex128)
            total = flat @ np.exp(2j * np.pi * phase).T
            self._expected["adjoint"] = total / np.sqrt(np.prod(self.shape))
        got = np.asarray(images)[(slice(None), *self._pixels.T)]
        return _error(got, self._expected["adjoint"])

    def floor_ms(self) -> float:
        """Images, samples, positions and one write and three reads of the oversampled grid."""
        grid = self.images.nbytes * 1.25 ** len(self.shape)
        positions = self.coordinates.size * 8
        return (self.images.nbytes + self.samples.nbytes + positions + 4 * grid) / (_GB_PER_S * 1e6)


def _complex(rng, shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


def _error(got, expected) -> str:
    return f"error {np.linalg.norm(got - expected) / np.linalg.norm(expected):.1e}"


@pytest.fixture(scope="module")
def radial():
    angles = np.arange(402) * np.pi / 402
    radius = (np.arange(512) - 256) / 512 * 256
    direction = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return Problem("A 12 x 256^2, 402 x 512", (256,) * 2, 12, direction[:, None] * radius[:, None])


@pytest.fixture(scope="module")
def koosh_ball():
    spokes = 1954
    z = 1 - (np.arange(spokes) + 0.5) / spokes
    turn = np.arange(spokes) * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - z**2)
    direction = np.stack([z, flat * np.sin(turn), flat * np.cos(turn)], axis=-1)
    k = (direction[:, None] * (np.arange(256) - 128)[:, None] / 2).reshape(-1, 3)[:500_000]
    return Problem("B 4 x 128^3, 500000", (128,) * 3, 4, k)


def _ours(measure, p, eps, threads, adjoint):
    nufft = mr.NUFFT(p.coordinates, p.shape, eps=eps)
    run = (lambda: nufft.adjoint(p.samples)) if adjoint else (lambda: nufft.forward(p.images))
    quality = p.adjoint_error if adjoint else p.forward_error
    measure(run, threads=threads, quality=quality, floor_ms=p.floor_ms())


def _peer(measure, p, who, make, threads, adjoint, /, **options):
    """`make` is the peer's pair of functions, (forward, adjoint)."""
    if adjoint:
        run = make[1](p.samples, p.coordinates, p.shape, **options)
    else:
        run = make[0](p.images, p.coordinates, **options)
    measure(run, who=who, threads=threads, quality=p.adjoint_error if adjoint else p.forward_error)


_PEERS = {
    "finufft": (peers.finufft_forward, peers.finufft_adjoint),
    "ducc0": (peers.ducc_forward, peers.ducc_adjoint),
    "sigpy": (peers.sigpy_forward, peers.sigpy_adjoint),
}
_direction = pytest.mark.parametrize("adjoint", [False, True], ids=["forward", "adjoint"])


def _group(p, adjoint, eps):
    return f"nufft {'adjoint' if adjoint else 'forward'} {p.name}, eps {eps:.0e}"


@_direction
@_eps
def test_radial_ours(measure, benchmark, radial, threads, eps, adjoint):
    benchmark.group = _group(radial, adjoint, eps)
    _ours(measure, radial, eps, threads, adjoint)


@_direction
@_eps
@_finufft
def test_radial_finufft(measure, benchmark, radial, threads, eps, adjoint, options):
    benchmark.group = _group(radial, adjoint, eps)
    who = f"finufft {options or 'default'}"
    call = {"eps": eps, "threads": threads, **options}
    _peer(measure, radial, who, _PEERS["finufft"], threads, adjoint, **call)


@_direction
@_eps
def test_radial_ducc(measure, benchmark, radial, threads, eps, adjoint):
    benchmark.group = _group(radial, adjoint, eps)
    call = {"eps": eps, "threads": threads}
    _peer(measure, radial, "ducc0 plan", _PEERS["ducc0"], threads, adjoint, **call)


@_direction
@pytest.mark.parametrize("width", [4, 6])
def test_radial_sigpy(measure, benchmark, radial, adjoint, width):
    oversampling = 1.25 if width == 4 else 2
    benchmark.group = _group(radial, adjoint, 1e-3 if width == 4 else 1e-5)
    who = f"sigpy oversampling {oversampling}, width {width}"
    call = {"oversampling": oversampling, "width": width}
    _peer(measure, radial, who, _PEERS["sigpy"], 1, adjoint, **call)


@_direction
def test_koosh_ball_ours(measure, benchmark, koosh_ball, threads, adjoint):
    benchmark.group = _group(koosh_ball, adjoint, 1e-3)
    _ours(measure, koosh_ball, 1e-3, threads, adjoint)


@_direction
@pytest.mark.parametrize("options", [{"fftw": 0, "upsampfac": 1.25}], ids=str)
def test_koosh_ball_finufft(measure, benchmark, koosh_ball, threads, adjoint, options):
    benchmark.group = _group(koosh_ball, adjoint, 1e-3)
    call = {"eps": 1e-3, "threads": threads, **options}
    who = f"finufft {options}"
    _peer(measure, koosh_ball, who, _PEERS["finufft"], threads, adjoint, **call)


@_direction
def test_koosh_ball_ducc(measure, benchmark, koosh_ball, threads, adjoint):
    benchmark.group = _group(koosh_ball, adjoint, 1e-3)
    call = {"eps": 1e-3, "threads": threads}
    _peer(measure, koosh_ball, "ducc0 plan", _PEERS["ducc0"], threads, adjoint, **call)


@pytest.mark.benchmark(group="nufft plan 402 x 512")
def test_plan_ours(measure, radial, threads):
    measure(lambda: mr.NUFFT(radial.coordinates, radial.shape), threads=threads)


@pytest.mark.benchmark(group="nufft plan 402 x 512")
@pytest.mark.parametrize("peer", ["finufft", "ducc0"])
def test_plan_peer(measure, radial, threads, peer):
    call = {"eps": 1e-3, "threads": threads}
    run = lambda: _PEERS[peer][0](radial.images, radial.coordinates, **call)  # noqa: E731
    measure(run, who=peer, threads=threads)


@pytest.fixture(scope="module")
def small():
    k = np.random.default_rng(1).uniform(-32, 32, (2000, 2))
    return Problem("64^2, 2000 samples", (64, 64), 1, k)


@_direction
def test_small_ours(measure, benchmark, small, adjoint):
    benchmark.group = _group(small, adjoint, 1e-3)
    _ours(measure, small, 1e-3, 1, adjoint)


@_direction
@pytest.mark.parametrize("peer", ["finufft", "ducc0"])
def test_small_peer(measure, benchmark, small, adjoint, peer):
    benchmark.group = _group(small, adjoint, 1e-3)
    _peer(measure, small, peer, _PEERS[peer], 1, adjoint, eps=1e-3, threads=1)
