"""Cases of collaborative filtering."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.gpu_cases import case, job

for _shape, _small in (((512, 512), (12, 17)), ((128, 128, 128), (6, 7, 8))):

    @case(f"denoise.bm4d {' x '.join(map(str, _shape))}")
    def _(tiny, shape=_shape, small=_small):
        from pyrad_core import denoise

        shape = small if tiny else shape
        x = np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)
        x[tuple(slice(n // 4, 3 * n // 4) for n in shape)] += 1
        call = partial(denoise.bm4d, sigma=0.1, profile="lc" if tiny else "np")
        return job(call, {"image": x}, bytes=2 * x.nbytes, tolerance=1e-3)
