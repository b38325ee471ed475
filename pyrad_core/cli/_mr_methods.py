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

from .. import mr as _mr
from ..errors import DataError
from ..mr.calibration import calibrate

__all__ = ["ALIASES", "METHODS", "Frame", "Method"]

mr: Any = _mr


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
        k-space with a fully sampled centre, the frame's own or a separate scan's.
    box
        Size of that centre.
    fill
        What to do with k-space after the coils' gaps are filled (partial Fourier).
    finish
        Window and final grid of a complex image.
    store
        Shared by the frames of one slice: coil maps, calibrated kernels.
    """

    kspace: np.ndarray
    shape: tuple[int, ...]
    mask: np.ndarray | None = None
    coordinates: np.ndarray | None = None
    weights: np.ndarray | None = None
    calibration: np.ndarray | None = None
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

    def maps(self, kind: str = "espirit") -> np.ndarray:
        """Coil maps, once per slice."""
        if ("maps", kind) not in self.store:
            self.store["maps", kind] = self._maps(kind)
        return self.store["maps", kind]

    def _maps(self, kind: str) -> np.ndarray:
        if self.kspace.shape[0] == 1:
            return np.ones((1, *self.shape), self.kspace.dtype)
        centre = self.centre()
        if kind == "espirit":
            return mr.espirit(centre, calibration=list(self.box))
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
    """A function of a frame, the sampling it is for, and whether it has finished its image."""

    run: Callable[..., np.ndarray]
    sampling: str = "any"  # "cartesian", "free" or "any"
    finished: bool = False
    needs: tuple[str, ...] = ()

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
    coil_maps: str = "espirit",
) -> np.ndarray:
    free = f.coordinates is not None
    return mr.cg_sense(
        f.kspace,
        f.maps(coil_maps),
        mask=f.mask,
        coordinates=f.coordinates,
        weights=f.weights,
        iterations=iterations,
        regularization=(0.05 if free else 0.01) if regularization is None else regularization,
        tolerance=tolerance,
    )


def _compressed_sensing(
    f: Frame,
    *,
    prior: str = "wavelet",
    weight: float | None = None,
    iterations: int | None = None,
    coil_maps: str = "espirit",
) -> np.ndarray:
    given = {"weight": weight, "iterations": iterations}
    return mr.compressed_sensing(
        f.kspace,
        f.maps(coil_maps),
        mask=f.mask,
        coordinates=f.coordinates,
        prior=prior,
        **{name: value for name, value in given.items() if value is not None},
    )


def _grappa(
    f: Frame, *, kernel: Sequence[int] | None = None, coil_maps: str | None = None
) -> np.ndarray:
    named = {} if kernel is None else {"kernel": tuple(kernel)}
    filled = mr.grappa(f.kspace, _block(f), **named)
    return _combined(f, filled, coil_maps)


def _spirit(
    f: Frame, *, kernel: Sequence[int] | None = None, iterations: int | None = None,
    coil_maps: str | None = None,
) -> np.ndarray:  # fmt: skip
    named: dict[str, Any] = {} if kernel is None else {"kernel": tuple(kernel)}
    if iterations is not None:
        named["iterations"] = iterations
    return _combined(f, mr.spirit(f.kspace, _block(f), **named), coil_maps)


def _combined(f: Frame, kspace: np.ndarray, coil_maps: str | None) -> np.ndarray:
    if coil_maps is None:
        return mr.combine_coils(f.images(kspace))
    maps = f.maps(coil_maps)
    return f.finish(mr.combine_coils(mr.ifft(f.fill(kspace), axes=f.axes), maps))


def _block(f: Frame) -> np.ndarray:
    """The sampled centre alone, as the kernels are calibrated on."""
    whole = f.centre()
    first = [n // 2 - size // 2 for n, size in zip(f.shape, f.box, strict=True)]
    cut = tuple(slice(a, a + size) for a, size in zip(first, f.box, strict=True))
    return np.ascontiguousarray(whole[(slice(None), *cut)])


_KNOWN: dict[str, Method] = {
    "sos": Method(_sos, "cartesian", finished=True),
    "adaptive": Method(_adaptive, "cartesian", finished=True, needs=("walsh",)),
    "espirit": Method(_espirit, "cartesian"),
    "gridding": Method(_gridding, "free", finished=True),
    "cg-sense": Method(_cg_sense),
    "compressed-sensing": Method(_compressed_sensing, needs=("compressed_sensing",)),
    "grappa": Method(_grappa, "cartesian", finished=True, needs=("grappa",)),
    "spirit": Method(_spirit, "cartesian", finished=True, needs=("spirit",)),
}
METHODS = {name: m for name, m in _KNOWN.items() if all(hasattr(mr, n) for n in m.needs)}
ALIASES = {
    alias: name
    for alias, name in {
        "rss": "sos", "walsh": "adaptive", "sense": "cg-sense", "cs": "compressed-sensing",
    }.items()
    if name in METHODS
}  # fmt: skip
