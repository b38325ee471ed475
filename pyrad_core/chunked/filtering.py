"""The local filters of IBSI 2."""

from __future__ import annotations

import math
from typing import Any

from .. import filters
from .._checks import choice, positive, whole
from ..errors import DataError
from ..filters._image import BOUNDARIES
from ..wavelet import Wavelet
from ._local import COPIES, map_slabs
from ._source import Source, chunk_size

__all__ = ["filter_image"]

_SPECTRAL = ("gabor", "riesz", "nonseparable_wavelet")


def filter_image(image: Any, method: str, /, *, chunk: int | None = None, **options: Any) -> Any:
    """A local filter of :mod:`pyrad_core.filters` on a volume beyond memory.

    Slabs are read with as many slices beside them as the filter has taps; beyond the volume's own
    faces stands what ``boundary`` says, a periodic one included. The result is that of the filter
    on the whole volume, bit for bit.

    Parameters
    ----------
    image : array (z, y, x)
        NumPy array, memory map, HDF5 dataset, Zarr or Dask array; float32, float64 or integers
        (float32).
    method : {"mean", "laplacian_of_gaussian", "laws", "separable_wavelet"}
    chunk : int, optional
        Slices of a slab; by default as many as an eighth of the free memory (at most 1 GiB) holds.
    **options
        Arguments of the filter, by name: ``kernels`` of "laws"; ``wavelet`` and ``bands`` of
        "separable_wavelet"; ``sigma`` of "laplacian_of_gaussian".

    Returns
    -------
    dask array (z, y, x)

    Raises
    ------
    DataError
        A filter made in the spectrum of the whole image (Gabor, Riesz, nonseparable wavelets), an
        unusable option.
    ShapeError
        An image that is no volume.
    MissingDependencyError
        Dask is not installed.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> volume = np.random.default_rng(0).normal(size=(20, 9, 11))
    >>> energy = prc.chunked.filter_image(volume, "laws", kernels="L5E5S5", chunk=7)
    >>> bool((energy.compute() == prc.filters.laws(volume, "L5E5S5")).all())
    True
    """
    if method in _SPECTRAL:
        raise DataError(
            f"filters.{method} works on the spectrum of the whole image and cannot run in slabs; "
            f"local filters are {', '.join(_REACHES)}"
        )
    choice("method", method, _REACHES)
    boundary = choice("boundary", options.get("boundary", "mirror"), BOUNDARIES)
    source = Source("image", image)
    try:
        reach = 0 if options.get("by_slice") else _REACHES[method](options)
    except KeyError as missing:
        raise DataError(f"filters.{method} needs {missing.args[0]}") from None
    size = source.shape[1] * source.shape[2] * source.dtype.itemsize * COPIES
    return map_slabs(
        getattr(filters, method),
        {"image": source},
        options,
        chunk=chunk_size(chunk, source.shape, size),
        halo=reach,
        periodic=boundary == "periodic",
    )


def _of_mean(options: dict[str, Any]) -> int:
    return whole("support", options.get("support", 5), 1) // 2


def _of_log(options: dict[str, Any]) -> int:
    spacing = options.get("spacing")
    if spacing is not None and not isinstance(spacing, int | float):
        spacing = spacing[0]
    sigma = positive("sigma", options["sigma"]) / positive("spacing", spacing or 1.0)
    return math.floor(positive("truncate", options.get("truncate", 4.0)) * sigma + 0.5)


def _of_laws(options: dict[str, Any]) -> int:
    taps = max(int(digit) for digit in options["kernels"][1::2])
    return taps // 2 + whole("energy_distance", options.get("energy_distance") or 0)


def _of_wavelet(options: dict[str, Any]) -> int:
    taps = Wavelet(options["wavelet"]).dec_len
    levels = whole("level", options.get("level", 1), 1)
    options["bands"]  # must be given, whatever its letters
    return sum(taps << k for k in range(levels))


_REACHES = {
    "mean": _of_mean,
    "laplacian_of_gaussian": _of_log,
    "laws": _of_laws,
    "separable_wavelet": _of_wavelet,
}
