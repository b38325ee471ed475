"""The methods of ``recon mr``: each takes one prepared frame and gives one image.

Keyword-only arguments are the options a method accepts; the command turns any other into wrong
usage.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import mr
from ..errors import DataError
from ..mr.calibration import calibrate

__all__ = ["ALIASES", "COUPLING", "METHODS", "Frame", "Method", "sampled_box"]

#: Priors of compressed sensing that couple frames.
COUPLING = {"llr", "temporal_tv"}


@dataclass
class Frame:
    """k-space of one image: whitened, evenly sampled, without oversampling.

    Attributes
    ----------
    kspace
        (coil, [z,] y, x), or (coil, spoke, sample) with ``coordinates`` and ``weights``.
    mask
        Cartesian samples that were measured; None where all were.
    calibration
        k-space with a fully sampled centre; with ``separate`` that of a scan of its own.
    box
        Size of that centre.
    fill
        What to do with k-space after the coils' gaps are filled (partial Fourier).
    finish
        Window and final grid of a complex image.
    b0, readout_times
        Off-resonance in Hz and the times of a readout's samples in seconds, where both are known.
    store
        Shared by the frames of one slice: coil maps, calibrated kernels.
    """

    kspace: np.ndarray
    shape: tuple[int, ...]
    mask: np.ndarray | None = None
    coordinates: np.ndarray | None = None
    weights: np.ndarray | None = None
    b0: np.ndarray | None = None
    readout_times: np.ndarray | None = None
    calibration: np.ndarray | None = None
    separate: bool = False
    box: tuple[int, ...] = ()
    fill: Callable[[np.ndarray], np.ndarray] = lambda k: k
    finish: Callable[[np.ndarray], np.ndarray] = lambda image: image
    store: dict[Any, Any] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.shape), 0))

    def images(self, kspace: np.ndarray | None = None) -> np.ndarray:
        """Coil images after partial Fourier filling and the final steps."""
        filled = self.fill(self.kspace if kspace is None else kspace)
        return self.finish(mr.ifft(filled, axes=self.axes))

    def maps(self, kind: str = "espirit", sets: int = 1) -> np.ndarray:
        """Coil maps, once per slice; several sets where the object overlaps itself."""
        if ("maps", kind, sets) not in self.store:
            self.store["maps", kind, sets] = self._maps(kind, sets)
        return self.store["maps", kind, sets]

    def _maps(self, kind: str, sets: int) -> np.ndarray:
        if sets != 1 and kind != "espirit":
            raise DataError(f"maps is {sets}; several sets of coil maps come from espirit only")
        if self.kspace.shape[0] == 1:
            return np.ones((1, *self.shape), self.kspace.dtype)
        centre = self.centre()
        if kind == "espirit":
            return mr.espirit(centre, calibration=list(self.box), maps=sets)
        if kind not in ("walsh", "inati"):
            raise DataError(f"coil_maps is {kind!r}; accepted are espirit, walsh, inati")
        smooth = centre
        for axis, size in zip(self.axes, self.box, strict=True):
            cutoff = min(1.0, size / centre.shape[axis])
            smooth = mr.window(smooth, kind="hann", axes=(axis,), cutoff=cutoff)
        return getattr(mr, kind)(mr.ifft(smooth, axes=self.axes))

    def centre(self) -> np.ndarray:
        """Cartesian k-space with a sampled centre."""
        if self.coordinates is None:
            return self.kspace if self.calibration is None else self.calibration
        if "centre" not in self.store:
            self.store["centre"] = calibrate(
                self.kspace, self.coordinates, self.shape, size=max(self.box)
            )
        return self.store["centre"]


@dataclass(frozen=True)
class Method:
    """A function of a frame, the sampling it is for, and whether it has finished its image.

    One that takes several frames is given all of a slice at once for the priors that couple them.
    """

    run: Callable[..., np.ndarray]
    sampling: str = "any"  # "cartesian", "free" or "any"
    finished: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        parameters = inspect.signature(self.run).parameters.values()
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)


def _sos(f: Frame) -> np.ndarray:
    return mr.combine_coils(f.images())


def _adaptive(f: Frame) -> np.ndarray:
    images = f.images()
    return mr.combine_coils(images, mr.walsh(images))


def _espirit(f: Frame, *, coil_maps: str = "espirit") -> np.ndarray:
    images = mr.ifft(f.fill(f.kspace), axes=f.axes)
    return mr.combine_coils(images, f.maps(coil_maps))


def _gridding(f: Frame) -> np.ndarray:
    plan = mr.NUFFT(f.coordinates, f.shape, coils=f.kspace.shape[0])
    return mr.combine_coils(f.finish(plan.adjoint(f.kspace * f.weights)))


def _cg_sense(
    f: Frame,
    *,
    iterations: int = 20,
    regularization: float | None = None,
    tolerance: float = 0.0,
    maps: int = 1,
    coil_maps: str = "espirit",
) -> np.ndarray:
    free = f.coordinates is not None
    image = mr.cg_sense(
        f.kspace,
        f.maps(coil_maps, maps),
        mask=f.mask,
        coordinates=f.coordinates,
        weights=f.weights,
        iterations=iterations,
        regularization=(0.05 if free else 0.01) if regularization is None else regularization,
        tolerance=tolerance,
        b0=f.b0,
        readout_times=f.readout_times,
    )
    return _one_set(image, maps)


def _one_set(image: np.ndarray, maps: int) -> np.ndarray:
    """The sets' images as one: the root of their sum of squares, where there are several."""
    return image if maps == 1 else np.sqrt((np.abs(image) ** 2).sum(axis=0))


def _compressed_sensing(
    *frames: Frame,
    prior: str = "wavelet",
    weight: float | None = None,
    iterations: int = 50,
    solver: str | None = None,
    coil_maps: str = "espirit",
) -> np.ndarray:
    f = frames[0]
    priors = prior.split("+")
    kspace, mask = f.kspace, f.mask
    if len(frames) > 1:
        kspace = np.stack([frame.kspace for frame in frames])
        masks = [np.ones(f.shape, bool) if g.mask is None else g.mask for g in frames]
        mask = None if f.coordinates is not None else np.stack(masks)
    strength = 2e-3 if weight is None else weight
    return mr.compressed_sensing(
        kspace,
        f.maps(coil_maps),
        mask=mask,
        coordinates=f.coordinates,
        weights=f.weights,
        prior=priors if len(priors) > 1 else prior,
        weight=[strength] * len(priors) if len(priors) > 1 else strength,
        iterations=iterations,
        solver=solver,
    )


def _nlinv(
    f: Frame, *, iterations: int = 9, regularization: float = 1.0, reduction: float = 0.5
) -> np.ndarray:
    image, _ = mr.nlinv(
        f.kspace,
        mask=f.mask,
        coordinates=f.coordinates,
        weights=f.weights,
        shape=None if f.coordinates is None else f.shape,
        iterations=iterations,
        regularization=regularization,
        reduction=reduction,
    )
    return image


def _jsense(f: Frame, *, iterations: int = 6, degree: int = 9) -> np.ndarray:
    image, _ = mr.jsense(
        f.kspace,
        mask=f.mask,
        coordinates=f.coordinates,
        weights=f.weights,
        shape=None if f.coordinates is None else f.shape,
        iterations=iterations,
        degree=degree,
    )
    return image


def _grappa(
    f: Frame, *, kernel: int | Sequence[int] = (5, 5), regularization: float = 0.01,
    coil_maps: str | None = None,
) -> np.ndarray:  # fmt: skip
    lines = f.mask is not None and any(
        bool((f.mask == f.mask.any(axis=axis, keepdims=True)).all()) for axis in f.axes
    )
    if f.mask is None or not lines:  # a kernel for nearly every sample: not worth keeping
        block = _block(f) if f.separate else None
        filled = mr.grappa(
            f.kspace, block, mask=f.mask, kernel=kernel, regularization=regularization
        )
        return _combined(f, filled, coil_maps)
    key = ("grappa", f.mask.tobytes())
    if key not in f.store:
        f.store[key] = mr.Grappa(_block(f), f.mask, kernel=kernel, regularization=regularization)
    return _combined(f, f.store[key](f.kspace), coil_maps)


def _spirit(
    f: Frame, *, kernel: int | Sequence[int] = (5, 5), regularization: float = 0.01,
    iterations: int = 30, coil_maps: str | None = None,
) -> np.ndarray:  # fmt: skip
    filled = mr.spirit(
        f.kspace,
        _block(f),
        mask=f.mask,
        coordinates=f.coordinates,
        shape=None if f.coordinates is None else f.shape,
        weights=f.weights,
        kernel=kernel,
        regularization=regularization,
        iterations=iterations,
    )
    return _combined(f, filled, coil_maps)


def _combined(f: Frame, kspace: np.ndarray, coil_maps: str | None) -> np.ndarray:
    if coil_maps is None:
        return mr.combine_coils(f.images(kspace))
    maps = f.maps(coil_maps)
    return f.finish(mr.combine_coils(mr.ifft(f.fill(kspace), axes=f.axes), maps))


def _block(f: Frame) -> np.ndarray:
    """The sampled centre that kernels are calibrated on, as large as it is."""
    whole = f.centre()
    if f.coordinates is not None:
        return np.ascontiguousarray(centre_of(whole, f.box))
    sampled = (whole != 0).any(axis=0)
    if f.mask is not None and not f.separate:
        sampled = f.mask
    return np.ascontiguousarray(centre_of(whole, sampled_box(sampled, max(f.shape))))


def centre_of(kspace: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """The samples around DC."""
    first = [n // 2 - size // 2 for n, size in zip(kspace.shape[1:], sizes, strict=True)]
    return kspace[(slice(None), *(slice(a, a + n) for a, n in zip(first, sizes, strict=True)))]


def sampled_box(sampled: np.ndarray, most: int) -> tuple[int, ...]:
    """The largest sampled box around DC, of at most ``most`` per axis."""
    centre = tuple(n // 2 for n in sampled.shape)
    sizes = []
    for axis, n in enumerate(sampled.shape):
        line = sampled[tuple(slice(None) if i == axis else c for i, c in enumerate(centre))]
        best = 1
        for size in range(1, min(most, n) + 1):
            first = n // 2 - size // 2
            if line[first : first + size].all():
                best = size
        sizes.append(best)
    while min(sizes) > 1 and not centre_of(sampled[None], sizes).all():
        largest = int(np.argmax(sizes))
        sizes[largest] -= 1
    return tuple(sizes)


METHODS: dict[str, Method] = {
    "sos": Method(_sos, "cartesian", finished=True),
    "adaptive": Method(_adaptive, "cartesian", finished=True),
    "espirit": Method(_espirit, "cartesian"),
    "gridding": Method(_gridding, "free", finished=True),
    "cg-sense": Method(_cg_sense),
    "compressed-sensing": Method(_compressed_sensing),
    "nlinv": Method(_nlinv),
    "jsense": Method(_jsense),
    "grappa": Method(_grappa, "cartesian", finished=True),
    "spirit": Method(_spirit, finished=True),
}
ALIASES = {"rss": "sos", "walsh": "adaptive", "sense": "cg-sense", "cs": "compressed-sensing"}
