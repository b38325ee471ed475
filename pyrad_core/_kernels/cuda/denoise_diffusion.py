"""CUDA launchers of csrc/denoise/{diffusion,tensor_diffusion}."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "coherence_tensor",
    "diffuse",
    "edge_tensor",
    "gradient_products",
    "squared_gradient",
    "tensor_step",
]

_BLOCK = (32, 8)
_MOST_PLANES = 65535
_THREADS = 256


def diffuse(
    u: Any,
    inverse_spacing: Sequence[float],
    tau: float,
    kappa: float,
    reciprocal: bool,
    curvature: bool,
    out: Any,
) -> None:
    """One explicit step of anisotropic diffusion; rows of u have a margin, those of out may."""
    real = u.dtype.type
    numbers = (real(tau), real(kappa), np.int32(reciprocal), np.int32(curvature))
    arguments = (*_image(u, inverse_spacing), *numbers, np.int64(out.shape[2]), out)
    _launch("diffuse", u, min(u.shape[0], _MOST_PLANES), arguments)


def squared_gradient(u: Any, inverse_spacing: Sequence[float]) -> float:
    """Sum of the squared central differences; rows of u have a margin."""
    sums = runtime.empty(u, (u.shape[1], u.shape[2] - 2), np.float64)
    _launch("squared_gradient", u, 1, (*_image(u, inverse_spacing), sums))
    return float(sums.sum())


def edge_tensor(u: Any, inverse_spacing: Sequence[float], kappa: float, tensor: Any) -> None:
    """Edge-enhancing diffusion tensors of an image, zz yy xx zy zx yx."""
    arguments = (*_unmargined(u, inverse_spacing), u.dtype.type(kappa), tensor)
    _launch_flat("edge_tensor", tensor[0].size, arguments)


def gradient_products(u: Any, inverse_spacing: Sequence[float], tensor: Any) -> None:
    """Products of the components of the cells' gradients, zz yy xx zy zx yx."""
    arguments = (*_unmargined(u, inverse_spacing), tensor)
    _launch_flat("gradient_products", tensor[0].size, arguments)


def coherence_tensor(tensor: Any, flat: bool, kappa: float, alpha: float) -> None:
    """Structure tensors become coherence-enhancing diffusion tensors, in place."""
    real = tensor.dtype.type
    sizes = (np.int64(n) for n in tensor.shape[1:])
    arguments = (tensor, *sizes, np.int32(flat), real(kappa), real(alpha))
    _launch_flat("coherence_tensor", tensor[0].size, arguments)


def tensor_step(
    u: Any, tensor: Any, inverse_spacing: Sequence[float], tau: float, out: Any
) -> None:
    """out = u + tau div(tensor grad u); rows of u have a margin, those of out may."""
    image, *rest = _unmargined(u, inverse_spacing)
    arguments = (image, tensor, *rest, u.dtype.type(tau), np.int64(out.shape[2]), out)
    _launch_flat("tensor_step", u[..., 2:].size, arguments)


def _unmargined(u: Any, inverse_spacing: Sequence[float]) -> tuple[Any, ...]:
    nz, ny, wide = u.shape
    sizes = (np.int64(n) for n in (nz, ny, wide - 2))
    return (u, *sizes, *(u.dtype.type(s) for s in inverse_spacing))


def _launch_flat(kernel: str, size: int, arguments: tuple[Any, ...]) -> None:
    grid = (runtime.ceil_div(size, _THREADS),)
    name = f"{kernel}_{runtime.suffix(arguments[0])}"
    runtime.launch("denoise/tensor_diffusion.cu", name, grid, (_THREADS,), arguments)


def _image(u: Any, inverse_spacing: Sequence[float]) -> tuple[Any, ...]:
    return (u, *(np.int64(n) for n in u.shape), *(u.dtype.type(s) for s in inverse_spacing))


def _launch(kernel: str, u: Any, depth: int, arguments: tuple[Any, ...]) -> None:
    wide, high = u.shape[2] - 2, u.shape[1]
    grid = (runtime.ceil_div(wide, _BLOCK[0]), runtime.ceil_div(high, _BLOCK[1]), depth)
    name = f"{kernel}_{runtime.suffix(u)}"
    runtime.launch("denoise/diffusion.cu", name, grid, _BLOCK, arguments)
