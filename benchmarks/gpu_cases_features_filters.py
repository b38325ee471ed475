"""GPU cases of the features' image filters; see gpu_cases.py."""

from __future__ import annotations

import numpy as np

from .gpu_cases import case, kernel


def _recursive(shape, dtype):
    from pyrad_core.features._log import recursive_coefficients

    x = np.random.default_rng(0).normal(100, 40, shape).astype(dtype)
    arguments = {
        "x": x,
        "coefficients": recursive_coefficients(3.0, 2).tolist(),
        "out": np.empty(shape, np.float32),
    }
    return kernel("recursive_filter", arguments, outputs=("out",))


@case("texture.recursive_filter float32, along y")
def _(tiny):
    return _recursive((5, 19, 21) if tiny else (256, 256, 256), np.float32)


@case("texture.recursive_filter float32, along x")
def _(tiny):
    return _recursive((33, 21, 1) if tiny else (256 * 256, 256, 1), np.float32)
