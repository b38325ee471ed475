"""Cases of total variation with fields: weights, bounds, coupled channels."""

from __future__ import annotations

from functools import partial

from .gpu_cases import _noisy, case, job


@case("denoise.tv 4 x 192^3, nuclear, weights and bounds, 50 iterations")
def _(tiny):
    from pyrad_core import denoise

    x = _noisy((2, 5, 6, 9) if tiny else (4, 192, 192, 192))
    options = {"channel_axis": 0, "coupling": "nuclear", "tol": 0.0, "max_iterations": 50}
    call = partial(denoise.tv, bounds=(-0.2, 1.2), **options)
    arrays = {"image": x, "weight": 0.1 + 0.01 * abs(x[0])}
    return job(call, arrays, bytes=2 * x.nbytes, tolerance=1e-3)
