"""Cases of regularised MR reconstruction and its proximal operators."""

from __future__ import annotations

import numpy as np

from benchmarks.gpu_cases import case, kernel


def _series(tiny: bool) -> np.ndarray:
    shape = (4, 1, 1, 9, 10) if tiny else (20, 1, 1, 256, 256)
    rng = np.random.default_rng(0)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


@case("prox.shrink_blocks, 20 frames 256^2, blocks 8^2")
def _(tiny):
    x = _series(tiny)
    side = 4 if tiny else 8
    arguments = {"x": x, "block": (1, side, side), "shift": (0, 1, 2), "threshold": 3.0}
    return kernel("shrink_blocks", {**arguments, "out": np.zeros_like(x)}, ("out",))


@case("prox.wavelet_shrink, 256^2, db2, 4 levels")
def _(tiny):
    from pyrad_core.wavelet import Wavelet

    bank = Wavelet("db2")
    n, levels = (16, 1) if tiny else (256, 4)
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((1, 1, n, n)) + 1j).astype(np.complex64)
    arguments = {"x": x, "analysis": bank.decomposition, "synthesis": bank.reconstruction}
    numbers = {"levels": levels, "shift": (0, 3, 5), "threshold": 0.5}
    return kernel("wavelet_shrink", {**arguments, **numbers, "out": np.zeros_like(x)}, ("out",))


@case("mr.mix_spectra, 4 coefficients, 8 coils 256^2")
def _(tiny):
    cells, lanes, rank = (60, 4, 3) if tiny else (256 * 256, 8, 4)
    rng = np.random.default_rng(0)

    def normal(*shape):
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)

    pairs = rank * (rank + 1) // 2
    arguments = {"matrices": normal(cells, pairs), "grids": normal(rank, cells, lanes)}
    return kernel("mix_spectra", arguments, ("grids",))
