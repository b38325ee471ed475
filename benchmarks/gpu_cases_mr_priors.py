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
