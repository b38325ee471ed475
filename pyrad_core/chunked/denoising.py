"""Denoising by methods whose results depend on a neighbourhood alone."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from .. import denoise as methods
from .._checks import choice, same_shape
from .._kernels.select import edge_of
from ..denoise._windows import is_constant
from ..denoise.gaussian import smooth
from ..errors import DataError
from ._halos import HALOS, voxels_of_gaussian
from ._local import COPIES, map_slabs
from ._source import Source, chunk_size

__all__ = ["denoise"]

_GLOBAL = {
    "tv": "its minimiser couples every voxel with every other, so no halo makes slabs exact",
    "tgv": "its minimiser couples every voxel with every other, so no halo makes slabs exact",
    "wavelet": "its noise level, thresholds and shifts come from the whole image",
    "mppca": "it is no filter of one volume, but of a series",
    "gibbs": "it transforms whole lines of the image",
}
_IMAGES = ("guide", "mask", "sigma")  # options that may be images, cut like the image itself
_WHOLE = ("out", "return_info")  # options that belong to a whole image


def denoise(image: Any, method: str, /, *, chunk: int | None = None, **options: Any) -> Any:
    """A local method of :mod:`pyrad_core.denoise` on a volume beyond memory.

    Slabs are read with the halo that their voxels depend on, worked out from the method's
    parameters; the volume's own faces stay faces. The result is that of the method on the whole
    volume, bit for bit (non-local means with a mask: to 1e-6 of the values in float32, since the
    order of its sums follows the mask's bounding box).

    Parameters
    ----------
    image : array (z, y, x)
        NumPy array, memory map, HDF5 dataset, Zarr or Dask array; float32, float64 or integers
        (float32).
    method : str
        "nlm", "bilateral", "median", "rank", "percentile", "gaussian" or "anisotropic_diffusion".
    chunk : int, optional
        Slices of a slab; by default as many as an eighth of the free memory (at most 1 GiB) holds
        with working copies. Slices of the halo are worked out twice, so that a slab should be a few
        times thicker.
    **options
        Arguments of the method. ``mask``, ``guide`` and a ``sigma`` map are arrays of the volume's
        shape like ``image``. Diffusion needs ``kappa``: ``conductance`` is relative to the mean
        gradient of the whole image, which changes with every iteration.

    Returns
    -------
    dask array (z, y, x)
        Chunks of ``chunk`` slices. Values that are not finite raise DataError when their slab is
        computed.

    Raises
    ------
    DataError
        A method that is not local, an unknown or unusable option.
    ShapeError
        An image that is no volume, or a mask, guide or map of another shape.
    MissingDependencyError
        Dask is not installed.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> volume = np.random.default_rng(0).normal(size=(20, 9, 11)).astype(np.float32)
    >>> lazy = prc.chunked.denoise(volume, "median", size=5, chunk=6)
    >>> lazy.chunks[0]
    (6, 6, 6, 2)
    >>> whole = prc.denoise.median(volume, size=5)
    >>> bool((lazy.compute(scheduler="synchronous") == whole).all())
    True
    """
    if method in _GLOBAL:
        raise DataError(
            f"denoise.{method} cannot run in slabs: {_GLOBAL[method]}; run it on a part or a "
            f"coarser grid that fits into memory, or take a local method: {', '.join(HALOS)}"
        )
    choice("method", method, HALOS)
    source = Source("image", image)
    function = getattr(methods, method)
    _check_options(function, method, options)
    sources = {"image": source}
    for name in _IMAGES:
        given = options.get(name)
        if given is not None and np.ndim(given) >= 2:
            sources[name] = Source(name, options.pop(name))
            same_shape(name, sources[name].shape, "image", source.shape)
    halo, step = HALOS[method](source.shape, options)
    size = source.shape[1] * source.shape[2] * source.dtype.itemsize * COPIES
    periodic = options.get("boundary") == "periodic"
    if method == "gaussian":
        function = _gaussian
        options = _gaussian_options(source, options)
    return map_slabs(
        function,
        sources,
        options,
        chunk=chunk_size(chunk, source.shape, size, step),
        halo=halo,
        periodic=periodic,
        step=step,
    )


def _check_options(function: Any, method: str, options: dict[str, Any]) -> None:
    known = inspect.signature(function).parameters.values()
    names = [p.name for p in known if p.kind is p.KEYWORD_ONLY and p.name not in _WHOLE]
    for name in options:
        choice(f"option of {method}", name, names)
    for parameter in known:
        missing = parameter.default is parameter.empty and parameter.name not in options
        if missing and parameter.kind is parameter.KEYWORD_ONLY:
            raise DataError(f"denoise.{method} needs {parameter.name}; pass {parameter.name}=...")


def _gaussian_options(source: Source, options: dict[str, Any]) -> dict[str, Any]:
    truncate = options.get("truncate", 4.0)
    sigmas = voxels_of_gaussian(source.shape, options)
    boundary = options.get("boundary", "mirror")
    return {"sigmas": sigmas, "truncate": truncate, "boundary": boundary, "whole": source}


def _gaussian(
    image: Any, sigmas: list[float], truncate: float, boundary: str, whole: Source
) -> Any:
    """A constant slab of an image that is not constant is smoothed as in there."""
    edge = edge_of(image=image)
    x = edge.real("image")
    if boundary != "zero" and is_constant(x) and whole.is_constant():
        return x.copy()
    out = np.empty_like(x)
    smooth(edge, x, sigmas, truncate, boundary, out)
    return out
