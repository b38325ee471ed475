"""GPU cases of GRAPPA, SPIRiT and partial Fourier; see gpu_cases.py."""

from __future__ import annotations

from functools import partial

import numpy as np

from .gpu_cases import _coil_images, case, job, kernel


def undersampled(tiny):
    """k-space (8 coils, 4 where tiny), sampled 2 x 2 with a full centre."""
    from pyrad_core import mr

    kspace = mr.fft(_coil_images(tiny)[1], axes=(-2, -1))
    mask = np.zeros(kspace.shape[1:], bool)
    mask[::2, ::2] = True
    half = 6 if tiny else 12
    mask[tuple(slice(n // 2 - half, n // 2 + half) for n in mask.shape)] = True
    return kspace * mask


@case("mr.grappa 8 coils 256^2, 2 x 2")
def _(tiny):
    from pyrad_core import mr

    kspace = undersampled(tiny)
    call = mr.grappa
    return job(call, {"kspace": kspace}, bytes=2 * kspace.nbytes, tolerance=1e-4)


@case("mr.grappa_fill, 8 coils 256^3, 2 x 2 x 1")
def _(tiny):
    n, coils = (12, 8) if tiny else (256, 8)
    index = np.arange(n**3).reshape(n, n, n)
    cells = index[1:-1:2, 2:-2, 2:-2].reshape(-1)
    offsets = np.array([s * n * n + x for s in (-1, 1) for x in range(-2, 3)])
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((offsets.size, coils, coils, 2)).astype(np.float32)
    data = rng.standard_normal((n**3, coils, 2)).astype(np.float32)
    arguments = {
        "cells": cells,
        "starts": np.array([0, cells.size]),
        "begin": np.array([0, offsets.size]),
        "offsets": offsets,
        "weights": weights.view(np.complex64)[..., 0],
        "data": data.view(np.complex64)[..., 0],
    }
    moved = 8 * coils * (n**3 + cells.size) + cells.nbytes
    return kernel("grappa_fill", arguments, outputs=("data",), bytes=moved)


@case("mr.partial_fourier pocs 8 coils 256^2, 5/8, 12 iterations")
def _(tiny):
    from pyrad_core import mr

    kspace = mr.fft(_coil_images(tiny)[1], axes=(-2, -1))
    kspace[:, 5 * kspace.shape[1] // 8 :] = 0
    call = partial(mr.partial_fourier, method="pocs")
    return job(call, {"kspace": kspace}, bytes=12 * 6 * kspace.nbytes, tolerance=1e-4)


@case("mr.spirit 8 coils 256^2, 2 x 2, 20 iterations")
def _(tiny):
    from pyrad_core import mr

    kspace = undersampled(tiny)
    call = partial(mr.spirit, iterations=5 if tiny else 20)
    moved = 20 * (4 * kspace.nbytes + 36 * kspace[0].nbytes)
    return job(call, {"kspace": kspace}, bytes=moved, tolerance=1e-3)


@case("mr.coil_matrix_multiply, 8 coils 256^3")
def _(tiny):
    coils, pixels = (5, 300) if tiny else (8, 256**3)
    rng = np.random.default_rng(0)

    def draw(rows):
        return rng.standard_normal((rows, 2 * pixels), np.float32).view(np.complex64)

    images = draw(coils)
    matrices = draw(coils * (coils + 1) // 2)
    arguments = {"matrices": matrices, "images": images, "out": np.zeros_like(images)}
    moved = matrices.nbytes + 2 * images.nbytes
    return kernel("coil_matrix_multiply", arguments, outputs=("out",), bytes=moved)
