"""How far along z a voxel's result looks: (halo, multiple of slices that slabs are read from).

Non-local means sums the voxels of a pair from both sides, in the order of blocks of slices that
begin at the image's first one (csrc/denoise/nlm.cpp), so that slabs begin where these do.
"""

from __future__ import annotations

from typing import Any

from .._checks import choice, positive, whole
from ..denoise._common import nonnegative
from ..denoise._nlm_blocks import STEP
from ..denoise._windows import BOUNDARIES, expand
from ..denoise.bilateral import _radii
from ..denoise.diffusion import _METHODS, _REACH, _threshold
from ..denoise.median import _window
from ..denoise.nlm import _FACTORS, _radius
from ..errors import DataError

__all__ = ["HALOS", "voxels_of_gaussian"]

_NLM_BLOCK = 16  # slices of a block, or the search radius if that is larger

Shape = tuple[int, ...]
Options = dict[str, Any]


def _of_window(shape: Shape, options: Options) -> tuple[int, int]:
    _check_boundary(options)
    window = _window(options.get("size", 3), options.get("footprint"), len(shape))
    return window.shape[0] // 2, 1


def voxels_of_gaussian(shape: Shape, options: Options) -> list[float]:
    """Sigmas in voxels."""
    sigmas = expand("sigma", options["sigma"], len(shape), 0)
    steps = expand("spacing", options.get("spacing", 1.0), len(shape), 1.0)
    return [
        nonnegative("sigma", s) / positive("spacing", h) for s, h in zip(sigmas, steps, strict=True)
    ]


def _of_gaussian(shape: Shape, options: Options) -> tuple[int, int]:
    _check_boundary(options)
    truncate = positive("truncate", options.get("truncate", 4.0))
    return _taps(truncate, voxels_of_gaussian(shape, options)[0]), 1


def _of_bilateral(shape: Shape, options: Options) -> tuple[int, int]:
    _check_boundary(options)
    ndim = len(shape)
    steps = [
        positive("spacing", h) for h in expand("spacing", options.get("spacing", 1.0), ndim, 1.0)
    ]
    sigma = options.get("sigma_space")
    sigma = 1.5 * min(steps) if sigma is None else sigma
    sigmas = [nonnegative("sigma_space", s) for s in expand("sigma_space", sigma, ndim, 0)]
    return _radii(options.get("radius"), sigmas, steps, ndim)[0], 1


def _of_nlm(shape: Shape, options: Options) -> tuple[int, int]:
    spacing, variant = options.get("spacing"), options.get("variant", "patchwise")
    choice("variant", variant, tuple(_FACTORS))
    if isinstance(options.get("sigma"), str):
        raise DataError(
            f"sigma is {options['sigma']!r}, which nlm cannot estimate in slabs; pass a number "
            "(denoise.estimate_sigma of a part) or a map of the volume's shape"
        )
    patch = _radius("patch", options.get("patch", 3), shape, spacing)[0]
    search = _radius("search", options.get("search", 11), shape, spacing)[0]
    if 2 * patch + 1 > shape[0]:
        raise DataError(f"patch is {options.get('patch', 3)}, larger than the image {shape}")
    if variant == "blockwise":
        return 2 * patch + search, STEP
    reach = patch + search + (variant == "patchwise" and patch > 0)
    return max(reach, 2 * patch), 2 * max(search, _NLM_BLOCK)  # no slab is thinner than a patch


def _of_diffusion(shape: Shape, options: Options) -> tuple[int, int]:
    iterations = whole("iterations", options.get("iterations", 5))
    method = choice("method", options.get("method", "gradient"), _METHODS)
    kappa, _ = _threshold(options.get("kappa"), options.get("conductance"))
    if kappa is None:
        raise DataError(
            "anisotropic_diffusion in slabs needs kappa: conductance is relative to the mean "
            "gradient of the whole image before every step"
        )
    reach = 1
    if method in ("edge", "coherence"):
        ndim = len(shape)
        steps = [
            positive("spacing", h)
            for h in expand("spacing", options.get("spacing", 1.0), ndim, 1.0)
        ]
        for name, factor in (("sigma", 1.0), ("rho", 3.0))[: 1 + (method == "coherence")]:
            given = options.get(name)
            scale = factor * min(steps) if given is None else nonnegative(name, given)
            reach += _taps(_REACH, scale / steps[0])
    return iterations * reach, 1


def _taps(truncate: float, sigma: float) -> int:
    return int(truncate * sigma + 0.5)


def _check_boundary(options: Options) -> None:
    choice("boundary", options.get("boundary", "mirror"), BOUNDARIES)


HALOS = {
    "nlm": _of_nlm,
    "bilateral": _of_bilateral,
    "median": _of_window,
    "rank": _of_window,
    "percentile": _of_window,
    "gaussian": _of_gaussian,
    "anisotropic_diffusion": _of_diffusion,
}
