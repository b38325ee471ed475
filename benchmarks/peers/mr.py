"""finufft, ducc0 (threads as given) and SigPy.

Coordinates are in cycles per field of view, (..., ndim) in the order of the image axes; images
(coil, *shape); samples (coil, ...); all in unitary scaling with the origin at n // 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .need import need

__all__ = [
    "ducc_adjoint",
    "ducc_cg_sense",
    "ducc_forward",
    "finufft_adjoint",
    "finufft_forward",
    "sigpy_adjoint",
    "sigpy_espirit",
    "sigpy_forward",
    "sigpy_sense",
]


def finufft_forward(
    images: Any, coordinates: Any, *, eps: float = 1e-3, threads: int = 1, **options: Any
) -> Callable:
    """Type 2 with all coils in one plan; ``fftw=0`` plans by measuring, ``upsampfac=1.25``."""
    shape = images.shape[1:]
    plan = _finufft_plan(2, shape, coordinates, len(images), eps, threads, options)
    out = np.empty((len(images), coordinates.size // len(shape)), np.complex64)
    scale = np.float32(1 / math.sqrt(math.prod(shape)))
    return lambda: (plan.execute(images, out=out), np.multiply(out, scale, out=out))[1]


def finufft_adjoint(
    samples: Any,
    coordinates: Any,
    shape: Sequence[int],
    *,
    eps: float = 1e-3,
    threads: int = 1,
    **options: Any,
) -> Callable:
    """Type 1."""
    plan = _finufft_plan(1, shape, coordinates, len(samples), eps, threads, options)
    flat = np.ascontiguousarray(samples).reshape(len(samples), -1)
    out = np.empty((len(samples), *shape), np.complex64)
    scale = np.float32(1 / math.sqrt(math.prod(shape)))
    return lambda: (plan.execute(flat, out=out), np.multiply(out, scale, out=out))[1]


def _finufft_plan(
    kind: int,
    shape: Sequence[int],
    coordinates: Any,
    coils: int,
    eps: float,
    threads: int,
    options: dict[str, Any],
) -> Any:
    finufft = need("finufft")
    plan = finufft.Plan(
        kind,
        tuple(shape),
        n_trans=coils,
        eps=eps,
        isign=-1 if kind == 2 else 1,
        dtype="complex64",
        nthreads=threads,
        **options,
    )
    plan.setpts(*_radians(coordinates, shape).T.copy())
    return plan


def ducc_forward(images: Any, coordinates: Any, *, eps: float = 1e-3, threads: int = 1) -> Callable:
    """Type 2, coil by coil on one plan: batching the coils in one call is no faster."""
    shape = images.shape[1:]
    plan = _ducc_plan(False, coordinates, shape, eps, threads)
    out = np.empty((len(images), coordinates.size // len(shape)), np.complex64)
    scale = np.float32(1 / math.sqrt(math.prod(shape)))

    def run() -> Any:
        for image, samples in zip(images, out, strict=True):
            plan.u2nu(forward=True, grid=image, out=samples)
        return np.multiply(out, scale, out=out)

    return run


def ducc_adjoint(
    samples: Any, coordinates: Any, shape: Sequence[int], *, eps: float = 1e-3, threads: int = 1
) -> Callable:
    """Type 1, coil by coil on one plan."""
    plan = _ducc_plan(True, coordinates, shape, eps, threads)
    flat = np.ascontiguousarray(samples).reshape(len(samples), -1)
    out = np.empty((len(samples), *shape), np.complex64)
    scale = np.float32(1 / math.sqrt(math.prod(shape)))

    def run() -> Any:
        for one, image in zip(flat, out, strict=True):
            plan.nu2u(forward=False, points=one, out=image)
        return np.multiply(out, scale, out=out)

    return run


def _ducc_plan(
    adjoint: bool, coordinates: Any, shape: Sequence[int], eps: float, threads: int
) -> Any:
    return need("ducc0").nufft.plan(
        nu2u=adjoint,
        coord=_radians(coordinates, shape),
        grid_shape=tuple(shape),
        epsilon=eps,
        nthreads=threads,
        periodicity=2 * np.pi,
    )


def _radians(coordinates: Any, shape: Sequence[int]) -> Any:
    flat = np.asarray(coordinates, np.float64).reshape(-1, len(shape))
    return (flat * (2 * np.pi / np.asarray(shape))).astype(np.float32)


def ducc_cg_sense(
    kspace: Any,
    maps: Any,
    coordinates: Any,
    weights: Any,
    *,
    regularization: float,
    iterations: int,
    eps: float = 1e-3,
    threads: int = 1,
) -> Callable:
    """Conjugate gradients on the weighted normal equations, every coil through ducc0's plans."""
    shape, scale = maps.shape[1:], np.float32(1 / math.sqrt(math.prod(maps.shape[1:])))
    forward = _ducc_plan(False, coordinates, shape, eps, threads)
    backward = _ducc_plan(True, coordinates, shape, eps, threads)
    w = np.ascontiguousarray(weights).reshape(-1) * scale
    flat = kspace.reshape(len(kspace), -1)

    def back(samples: Any, one: Any) -> Any:
        return one.conj() * backward.nu2u(forward=False, points=samples, out=np.empty_like(one))

    def normal(x: Any) -> Any:
        total = np.float32(regularization) * x
        for one in maps:
            samples = np.empty(flat.shape[1], np.complex64)
            forward.u2nu(forward=True, grid=one * x, out=samples)
            total += back(samples * (w * scale), one)
        return total

    def run() -> Any:
        r = sum(back(y * w, one) for y, one in zip(flat, maps, strict=True))
        x, p, rr = np.zeros_like(r), r.copy(), np.vdot(r, r).real
        for _ in range(iterations):
            q = normal(p)
            alpha = rr / np.vdot(p, q).real
            x += alpha * p
            r -= alpha * q
            former, rr = rr, np.vdot(r, r).real
            p = r + (rr / former) * p
        return x

    return run


def sigpy_forward(images: Any, coordinates: Any, *, oversampling=1.25, width=4) -> Callable:
    """SigPy's NUFFT (unitary by itself); defaults are the library's."""
    sigpy = need("sigpy")
    return lambda: sigpy.nufft(images, coordinates, oversamp=oversampling, width=width)


def sigpy_adjoint(
    samples: Any, coordinates: Any, shape: Sequence[int], *, oversampling=1.25, width=4
) -> Callable:
    sigpy = need("sigpy")
    target = (len(samples), *shape)
    return lambda: sigpy.nufft_adjoint(
        samples, coordinates, target, oversamp=oversampling, width=width
    )


def sigpy_sense(
    kspace: Any,
    maps: Any,
    coordinates: Any,
    *,
    regularization: float = 0.0,
    iterations: int = 20,
    weights: Any = None,
) -> Callable:
    """SenseRecon: CG on the normal equations."""
    app = need("sigpy.mri.app")

    def run() -> Any:
        return app.SenseRecon(
            kspace,
            maps,
            lamda=regularization,
            weights=weights,
            coord=coordinates,
            max_iter=iterations,
            show_pbar=False,
        ).run()

    return run


def sigpy_espirit(
    kspace: Any, *, calibration: int = 24, kernel: int = 6, iterations: int = 30
) -> Callable:
    """EspiritCalib, one set of maps."""
    app = need("sigpy.mri.app")

    def run() -> Any:
        return app.EspiritCalib(
            kspace,
            calib_width=calibration,
            kernel_width=kernel,
            max_iter=iterations,
            show_pbar=False,
        ).run()

    return run
