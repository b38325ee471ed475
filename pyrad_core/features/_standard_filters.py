"""IBSI 2's filters (:mod:`pyrad_core.filters`), each (name, image in the window), one or several.

In double precision. With a 2D aggregation, and for an image of one slice, filters stay within the
slices. Filters of finite support see the window and what its values depend on, the others the whole
image (within the window's slices where they stay within slices).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import _checks, filters
from ..errors import DataError
from ..filters.gabor import envelope_reach, respond
from .filtering import Source, within

__all__ = [
    "gabor",
    "laplacian_of_gaussian",
    "laws",
    "mean",
    "nonseparable_wavelet",
    "riesz",
    "separable_wavelet",
]

Filtered = Iterator[tuple[str, Any]]


def mean(source: Source, support: Any = 5, boundary: str = "mirror") -> Filtered:
    """One image per support (voxels)."""
    for size in _several("mean", "support", support):
        reach = _checks.whole("support", size, 1) // 2
        near = _Near.voxels(source, "mean", reach, boundary)
        flat = {"by_slice": near.by_slice, "boundary": boundary}
        yield f"mean-{size}", near.filtered(filters.mean, support=size, **flat)


def laplacian_of_gaussian(
    source: Source, sigma: Any = (), truncate: float = 4.0, boundary: str = "mirror"
) -> Filtered:
    """One image per sigma (mm)."""
    for width in _several("laplacian_of_gaussian", "sigma", sigma):
        reach = _checks.positive("truncate", truncate)
        near = _Near.millimetres(source, "laplacian_of_gaussian", reach, width, boundary)
        yield (
            f"laplacian-of-gaussian-sigma-{_text(width)}-mm-{2 if near.by_slice else 3}D",
            near.filtered(
                filters.laplacian_of_gaussian, sigma=width, truncate=truncate, boundary=boundary,
                spacing=near.spacing, by_slice=near.by_slice,
            ),
        )  # fmt: skip


def laws(
    source: Source,
    kernels: Any = (),
    pooling: str | None = None,
    energy_distance: int | None = None,
    boundary: str = "mirror",
) -> Filtered:
    """One image per name of kernels ("L5E5E5")."""
    distance = _checks.whole("energy_distance", energy_distance or 0)
    for names in _several("laws", "kernels", kernels):
        near = _Near.voxels(source, "laws", 2 + distance, boundary)
        energy = "" if energy_distance is None else f"-energy-{energy_distance}"
        yield (
            f"laws-{names}{_tail(pooling)}{energy}",
            near.filtered(
                filters.laws, names, pooling=pooling, energy_distance=energy_distance,
                boundary=boundary, by_slice=near.by_slice,
            ),
        )  # fmt: skip


def gabor(
    source: Source,
    sigma: Any = (),
    wavelength: Any = (),
    aspect: float = 1.0,
    angle: float = 0.0,
    angle_step: float | None = None,
    pooling: str = "mean",
    response: str = "modulus",
    planes: str = "axial",
    boundary: str = "mirror",
) -> Filtered:
    """One image per pair of sigma and wavelength (mm); planes across the slices' axis."""
    widths, waves = (
        _several("gabor", name, given)
        for name, given in (("sigma", sigma), ("wavelength", wavelength))
    )
    for width, wave in itertools.product(widths, waves):
        reach = envelope_reach(1.0, _checks.positive("aspect", aspect))
        near = _Near.millimetres(source, "gabor", reach, width, boundary, planes == "axial")
        if near.flat and planes == "orthogonal":
            raise DataError("gabor: planes 'orthogonal' leave the slices of a 2D aggregation")
        part = "" if response == "modulus" else f"-{response}"
        turned = f"-angle-{_text(angle)}" if angle_step is None else _tail(pooling)
        yield (
            f"gabor-sigma-{_text(width)}-mm-wavelength-{_text(wave)}-mm-aspect-{_text(aspect)}"
            f"{turned}{part}-{planes}",
            near.window_filtered(
                respond, sigma=width, wavelength=wave, aspect=aspect, angle=angle,
                angle_step=angle_step, pooling=pooling, response=response, planes=planes,
                boundary=boundary, spacing=near.spacing,
            ),
        )  # fmt: skip


def separable_wavelet(
    source: Source,
    wavelet: str = "db3",
    bands: Any = (),
    level: Any = 1,
    pooling: str | None = None,
    boundary: str = "mirror",
) -> Filtered:
    """One image per name of bands ("LLH") and level."""
    from .. import wavelet as transforms

    taps = transforms.Wavelet(wavelet).decomposition.shape[1]
    names, levels = (
        _several("separable_wavelet", name, given)
        for name, given in (("bands", bands), ("level", level))
    )
    for name, at in itertools.product(names, levels):
        reach = taps * (2 ** _checks.whole("level", at, 1) - 1)
        near = _Near.voxels(source, "separable_wavelet", reach, boundary)
        yield (
            f"separable-wavelet-{_text(wavelet)}-{name}-level-{at}{_tail(pooling)}",
            near.filtered(
                filters.separable_wavelet, wavelet, name, level=at, pooling=pooling,
                boundary=boundary, by_slice=near.by_slice,
            ),
        )  # fmt: skip


def nonseparable_wavelet(
    source: Source, family: str = "simoncelli", level: Any = 1, endpoints: bool = True
) -> Filtered:
    """One image per level, of the whole image."""
    for at in _several("nonseparable_wavelet", "level", level):
        near = _Near(source, "nonseparable_wavelet", None)
        yield (
            f"nonseparable-wavelet-{family}-level-{at}",
            near.filtered(
                filters.nonseparable_wavelet, family=family, level=at, endpoints=endpoints,
                by_slice=near.by_slice,
            ),
        )  # fmt: skip


def riesz(
    source: Source,
    order: Any = (),
    sigma: float | None = None,
    truncate: float = 4.0,
    family: str | None = None,
    level: int = 1,
    boundary: str = "periodic",
    endpoints: bool = False,
) -> Filtered:
    """One image per order (a list of powers, x first), of the whole image."""
    several = _several("riesz", "order", order)
    for powers in several if isinstance(several[0], (tuple, list)) else (several,):
        near = _Near(source, "riesz", None)
        band = "" if family is None else f"-{family}-level-{level}"
        band = band if sigma is None else f"-sigma-{_text(sigma)}-mm"
        yield (
            f"riesz-{'-'.join(map(str, powers))}{band}",
            near.filtered(
                filters.riesz, powers, sigma=sigma, truncate=truncate, family=family, level=level,
                boundary=boundary, endpoints=endpoints, by_slice=near.by_slice,
                spacing=None if sigma is None else near.spacing,
            ),
        )  # fmt: skip


class _Near:
    """The image around the window, with the slices' axis in front."""

    def __init__(
        self,
        source: Source,
        name: str,
        reach: Sequence[int] | None,  # voxels along each axis; None: the whole image
        boundary: str = "periodic",
        in_slices: bool = False,
    ):
        self.source, self.name = source, name
        self.flat = self.by_slice = source.flat or source.by_slice
        self.axis = 0 if source.flat else source.settings.slice_axis
        crop = []
        for d, (part, n) in enumerate(zip(source.window, source.image.shape, strict=True)):
            halo = n if reach is None else reach[d]
            if d == self.axis and (self.by_slice or in_slices):
                halo = 0
            begin, end = part.start - halo, part.stop + halo
            if boundary == "periodic" and halo and (begin < 0 or end > n):
                begin, end = 0, n  # what stands beyond is the other end
            crop.append(slice(max(begin, 0), min(end, n)))
        self.crop = tuple(crop)

    @classmethod
    def voxels(cls, source: Source, name: str, reach: int, boundary: str) -> _Near:
        return cls(source, name, (reach,) * 3, boundary)

    @classmethod
    def millimetres(
        cls,
        source: Source,
        name: str,
        truncate: float,
        sigma: float,
        boundary: str,
        in_slices: bool = False,
    ) -> _Near:
        """A reach of so many sigma (mm), and one voxel for rounding."""
        steps = source.millimetres(name)
        size = truncate * _checks.positive("sigma", sigma)
        reach = [int(size / step) + 1 for step in steps]
        return cls(source, name, reach, boundary, in_slices)

    @property
    def spacing(self) -> tuple[float, ...]:
        steps = list(self.source.millimetres(self.name))
        steps.insert(0, steps.pop(self.axis))
        return tuple(steps)

    def filtered(self, function: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """The filter's response in the window, axes in the image's order."""
        response = function(self._data(), *given, **options)
        return self._back(response)[within(self.source.window, self.crop)]

    def window_filtered(self, function: Callable[..., Any], **options: Any) -> Any:
        """The same by a function that is told the window."""
        window = list(within(self.source.window, self.crop))
        window.insert(0, window.pop(self.axis))
        return self._back(function(self._data(), window, **options))

    def _data(self) -> Any:
        xp = self.source.xp
        data = self.source.image[self.crop].astype(np.float64)
        if not bool(xp.isfinite(data).all()):
            raise DataError(f"the filter {self.name} needs an image without NaN around the region")
        return xp.ascontiguousarray(xp.moveaxis(data, self.axis, 0))

    def _back(self, response: Any) -> Any:
        return self.source.xp.moveaxis(response, 0, self.axis)


def _several(name: str, option: str, given: Any) -> Sequence[Any]:
    """The values of an option that is one of them or a list."""
    values = given if isinstance(given, (tuple, list)) else (given,)
    if not values:
        raise DataError(f"the filter {name} needs {option}")
    return values


def _text(number: float | str) -> str:
    return str(number).replace(".", "-")


def _tail(pooling: str | None) -> str:
    return "" if pooling is None else f"-{pooling}"
