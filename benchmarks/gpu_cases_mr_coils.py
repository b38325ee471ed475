"""Cases of coil maps, combination, compression and joint estimation."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.gpu_cases import _coil_images, _normal, case, job, kernel


@case("mr.espirit 8 coils 256^2")
def _(tiny):
    from pyrad_core import mr

    kspace = mr.fft(_coil_images(tiny)[1], axes=(-2, -1))
    call = partial(mr.espirit, calibration=20 if tiny else 24, kernel=4 if tiny else 6)
    return job(call, {"kspace": kspace}, bytes=2 * kspace.nbytes, tolerance=1e-2)


@case("mr.espirit, 2 maps, 8 coils 256^2")
def _(tiny):
    from pyrad_core import mr

    kspace = mr.fft(_coil_images(tiny)[1], axes=(-2, -1))
    options = {"calibration": 20 if tiny else 24, "kernel": 4 if tiny else 6, "maps": 2}
    moved = 3 * kspace.nbytes
    return job(partial(mr.espirit, **options), {"kspace": kspace}, bytes=moved, tolerance=3e-2)


@case("mr.walsh 8 coils 256^2, window 7")
def _(tiny):
    from pyrad_core import mr

    images = _coil_images(tiny)[1]
    return job(mr.walsh, {"images": images}, bytes=2 * images.nbytes, tolerance=1e-2)


@case("mr.inati 8 coils 256^2, 5 iterations")
def _(tiny):
    from pyrad_core import mr

    images = _coil_images(tiny)[1]
    call = partial(mr.inati, tolerance=0)
    return job(call, {"images": images}, bytes=2 * images.nbytes, tolerance=1e-3)


@case("mr.local_products, 36 products 256^2 x 16, window 7^3")
def _(tiny):
    shape = (2, 3, 9, 35) if tiny else (8, 16, 256, 256)
    images = _normal(shape, np.complex64)
    chosen = np.stack(np.tril_indices(shape[0]), axis=-1)
    out = np.zeros((len(chosen), *shape[1:]), np.complex64)
    arguments = {"left": images, "right": images, "chosen": chosen, "window": (7, 7, 7)}
    return kernel("local_products", {**arguments, "first": (0, 0, 0), "out": out}, ("out",))


@case("mr.combine_coils sense 32 coils 128^3")
def _(tiny):
    from pyrad_core import mr

    images = _normal((4, 6, 5, 7) if tiny else (32, 128, 128, 128), np.complex64)
    return job(mr.combine_coils, {"images": images, "maps": images[::-1].copy()})


@case("mr.combine_coils sos 32 coils 128^3")
def _(tiny):
    from pyrad_core import mr

    images = _normal((4, 6, 5, 7) if tiny else (32, 128, 128, 128), np.complex64)
    return job(mr.combine_coils, {"images": images})


@case("mr.mix_coils 32 to 8 coils, 256 positions x 16384")
def _(tiny):
    coils, virtual, outer, axis = (5, 3, 7, 9) if tiny else (32, 8, 16384, 256)
    data = _normal((coils, outer, axis, 1), np.complex64)
    matrices = _normal((virtual, coils, axis), np.complex64)
    out = np.zeros((virtual, outer, axis, 1), np.complex64)
    return kernel("mix_coils", {"matrices": matrices, "data": data, "out": out}, ("out",))


@case("mr.nlinv 8 coils 256^2, every second line")
def _(tiny):
    from pyrad_core import mr

    kspace = mr.fft(_coil_images(tiny)[1], axes=(-2, -1))
    middle = kspace.shape[1] // 2
    kspace[:, 1 : middle - 8 : 2] = 0
    kspace[:, middle + 9 :: 2] = 0
    call = partial(mr.nlinv, iterations=3 if tiny else 9)
    return job(call, {"kspace": kspace}, bytes=2 * kspace.nbytes, tolerance=1e-2)
