"""GPU cases of non-local means; see gpu_cases.py."""

from __future__ import annotations

from functools import partial

import numpy as np

from .gpu_cases import case, job


def _job(shape, **options):
    from pyrad_core import denoise

    x = np.random.default_rng(0).normal(1, 0.1, shape).astype(np.float32)
    call = partial(denoise.nlm, sigma=0.1, **options)
    return job(call, {"image": x}, bytes=2 * x.nbytes, tolerance=1e-3)


@case("denoise.nlm 2048^2, patch 5, search 11")
def _(tiny):
    return _job((13, 37) if tiny else (2048, 2048), patch=5, search=5 if tiny else 11)


@case("denoise.nlm 256^3, patch 3, search 11")
def _(tiny):
    return _job((3, 9, 33) if tiny else (256,) * 3, search=3 if tiny else 11)


@case("denoise.nlm 256^3, patch 3, search 11, voxelwise")
def _(tiny):
    options = dict(search=3 if tiny else 11, variant="voxelwise")
    return _job((3, 9, 33) if tiny else (256,) * 3, **options)


@case("denoise.nlm 32 volumes of 96 x 96 x 40, Rician")
def _(tiny):
    options = dict(search=3 if tiny else 11, noise="rician")
    return _job((2, 3, 9, 33) if tiny else (32, 40, 96, 96), **options)


@case("denoise.nlm 128^3, patch 3, search 11, blockwise")
def _(tiny):
    options = dict(search=3 if tiny else 11, variant="blockwise")
    return _job((3, 4, 5) if tiny else (128,) * 3, **options)
