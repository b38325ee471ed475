"""Large allocations are refused before they are made, by what they are and with a remedy."""

import numpy as np
import pytest

from pyrad_core import _memory, mr
from pyrad_core.errors import DeviceMemoryError

SHAPE = (24, 24)
SPOKES = mr.radial(12, 24, 24)
RNG = np.random.default_rng(4)


def random(*shape):
    return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)).astype(np.complex64)


MAPS, IMAGE = random(4, *SHAPE), random(*SHAPE)
KSPACE, SAMPLES = random(4, *SHAPE), random(4, 12, 24)
BUILT = mr.NUFFT(SPOKES, SHAPE)
CALLS = {
    "the plan of 288 samples": (2_000, lambda: mr.NUFFT(SPOKES, SHAPE)),
    r"samples of shape \(50, 12, 24\)": (20_000, lambda: BUILT.forward(random(50, *SHAPE))),
    r"images of shape \(50, 24, 24\)": (50_000, lambda: BUILT.adjoint(random(50, 12, 24))),
    "a grid of 16 coils": (
        50_000,
        lambda: mr.NUFFT(SPOKES, SHAPE, coils=16).forward(random(16, *SHAPE)),
    ),
    "interleaved coil maps": (15_000, lambda: mr.Sense(MAPS).forward(IMAGE)),
    r"k-space of shape \(9, 4, 24, 24\)": (
        90_000,
        lambda: mr.Sense(MAPS).forward(random(9, *SHAPE)),
    ),
    "maps, k-space and the vectors": (40_000, lambda: mr.cg_sense(KSPACE, MAPS)),
    "time segments": (
        60_000,
        lambda: mr.time_segments(100 * RNG.random((64, 64)), np.linspace(0, 0.02, 500)),
    ),
    "the matrices of this calibration": (40_000, lambda: mr.espirit(KSPACE, calibration=16)),
    "k-space, interleaved maps": (
        40_000,
        lambda: mr.compressed_sensing(KSPACE, MAPS, weight=1e-3, iterations=2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", CALLS)
def test_what_does_not_fit_is_refused(monkeypatch, said):
    free, call = CALLS[said]
    monkeypatch.setattr(_memory, "_SMALL", 0)
    monkeypatch.setattr(_memory, "_free_bytes", lambda: free)
    with pytest.raises(DeviceMemoryError, match=rf"{said}.* need .* GiB, free are .*; \w+"):
        call()
    monkeypatch.setattr(_memory, "_free_bytes", lambda: 1 << 30)
    call()


@pytest.mark.parametrize("soft", [False, True])
def test_estimate_of_cg_sense_counts_all_images(monkeypatch, soft):
    """Slices, or sets of maps: four vectors of the result's size beside maps and k-space."""
    maps, kspace = (np.stack([MAPS] * 3), KSPACE) if soft else (MAPS, np.stack([KSPACE] * 3))
    needed = maps.nbytes + kspace.nbytes + 4 * 3 * IMAGE.nbytes
    monkeypatch.setattr(_memory, "_SMALL", 0)
    monkeypatch.setattr(_memory, "_free_bytes", lambda: needed - 1)
    with pytest.raises(DeviceMemoryError, match="conjugate gradients"):
        mr.cg_sense(kspace, maps, dims=2, iterations=1)
    monkeypatch.setattr(_memory, "_free_bytes", lambda: needed)
    mr.cg_sense(kspace, maps, dims=2, iterations=1)
