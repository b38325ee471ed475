"""Cases of Gibbs unringing."""

from __future__ import annotations

import numpy as np

from benchmarks.gpu_cases import case, job, kernel


@case("denoise.gibbs_lines float64")
def _(tiny):
    shape = (1, 12, 3) if tiny else (40, 96, 96)
    lines = np.random.default_rng(0).normal(1, 0.3, shape)
    arguments = {"lines": lines, "shifts": 20, "near": 1, "far": 3, "single": False}
    return kernel("gibbs_lines", arguments, ("lines",), bytes=2 * lines.nbytes, tolerance=1e-10)


@case("denoise.gibbs slices, float32")
def _(tiny):
    from pyrad_core import denoise

    shape = (1, 12, 9) if tiny else (32, 40, 96, 96)
    image = np.random.default_rng(0).normal(1, 0.3, shape).astype(np.float32)
    return job(denoise.gibbs, {"image": image}, bytes=2 * image.nbytes)
