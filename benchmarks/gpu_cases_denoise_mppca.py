"""Cases of MPPCA."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.gpu_cases import case, job


def _series(tiny, dtype=np.float32):
    """Four components and noise."""
    shape = (6, 2, 3, 4) if tiny else (32, 40, 96, 96)
    rng = np.random.default_rng(0)
    signal = np.tensordot(
        rng.standard_normal((shape[0], 4)), rng.standard_normal((4, *shape[1:])), 1
    )
    noise = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        noise = noise + 1j * rng.standard_normal(shape)
    return (signal + 0.1 * noise).astype(dtype)


for _method in ("centre", "average"):
    for _dtype in ("float32", "complex64"):

        @case(f"denoise.mppca {_method}, {_dtype}")
        def _(tiny, method=_method, dtype=_dtype):
            from pyrad_core import denoise

            dwi = _series(tiny, dtype)
            call = partial(denoise.mppca, window=(1, 3, 3) if tiny else 5, method=method)
            return job(call, {"dwi": dwi}, bytes=2 * dwi.nbytes)
