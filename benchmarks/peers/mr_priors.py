"""BART's pics and SigPy's reconstructions with priors.

k-space is (coil, y, x) or (frames, coil, y, x), maps (coil, y, x); images come back as (y, x).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .bart import bart, from_bart, to_bart
from .need import need

__all__ = ["bart_pics", "bart_subspace", "sigpy_tv", "sigpy_wavelet"]


def bart_pics(options: str, kspace: Any, maps: Any, *, threads: int = 1) -> Callable:
    run = bart(f"pics {options}", to_bart(kspace), to_bart(maps), threads=threads)
    return lambda: from_bart(run())


def bart_subspace(
    options: str, kspace: Any, maps: Any, basis: Any, masks: Any, *, threads: int = 1
) -> Callable:
    """Coefficients stand on BART's axis 6, echoes on axis 5."""
    echoes = np.moveaxis(np.stack([to_bart(frame) for frame in kspace]), 0, -1)[:, :, :, :, None]
    pattern = np.moveaxis(np.stack([to_bart(mask[None]) for mask in masks]), 0, -1)
    courses = np.asarray(basis).T.reshape(1, 1, 1, 1, 1, *basis.shape[::-1])
    inputs = (courses, pattern[:, :, :, :, None], echoes, to_bart(maps))
    run = bart(f"pics {options} -B {{0}} -p {{1}}", *inputs, threads=threads, named=2)
    return lambda: np.moveaxis(np.squeeze(run()), -1, 0).swapaxes(1, 2)


def sigpy_wavelet(
    kspace: Any, maps: Any, *, weight: float, iterations: int, wavelet: str = "db4"
) -> Callable:
    app = need("sigpy.mri.app")

    def run() -> Any:
        return app.L1WaveletRecon(
            kspace, maps, weight, wave_name=wavelet, max_iter=iterations, show_pbar=False
        ).run()

    return run


def sigpy_tv(kspace: Any, maps: Any, *, weight: float, iterations: int) -> Callable:
    app = need("sigpy.mri.app")

    def run() -> Any:
        return app.TotalVariationRecon(
            kspace, maps, weight, max_iter=iterations, show_pbar=False
        ).run()

    return run
