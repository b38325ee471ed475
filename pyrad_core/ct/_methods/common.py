"""What all iterative methods share: checked data, the operator with mask and weights, the end."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._checks import at_least, number, positive, same_shape, usable_out, whole
from ..._kernels.select import edge_of
from ..._memory import require_memory
from ...errors import DataError, ShapeError
from ...geometry import Beam, Volume
from ...operators import LinearOperator
from ...prox import Box, NonNegative, Support
from ...solvers import Result
from ...solvers.sirt import KEPT
from ..projector import Projector

__all__ = ["PER_VIEW", "Method", "Scan", "finish"]

PER_VIEW = -1  # of Method.subsets

_COMMON = ("model", "mask", "weights", "x0", "callback", "tolerance", "out")


@dataclass(frozen=True)
class Method:
    """A method, how many arrays of the volume's and the projections' size it holds, how many
    subsets (each of which keeps another volume) it takes by default, and whether its residual can
    be compared with the noise."""

    run: Callable[..., Result]
    iterative: bool = True
    volumes: int = 1
    scans: int = 1
    subsets: int = 0
    noise: bool = False

    @property
    def own_options(self) -> tuple[str, ...]:
        parameters = inspect.signature(self.run).parameters.values()
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)

    @property
    def options(self) -> tuple[str, ...]:
        """Names that ``recon`` takes for this method."""
        if not self.iterative:
            return self.own_options
        shared = (*_COMMON, "noise_level") if self.noise else _COMMON
        return (*self.own_options, *shared)


class Scan:
    """The checked problem of one call of ``recon``."""

    def __init__(
        self,
        projections: Any,
        geometry: Beam,
        volume: Volume,
        *,
        model: str = "joseph",
        mask: Any = None,
        weights: Any = None,
        x0: Any = None,
        callback: Any = None,
        tolerance: float = 0.0,
        noise_level: float | None = None,
        out: Any = None,
    ):
        self.projector = Projector(geometry, volume, model=model)  # type: ignore[arg-type]
        self.volume = volume
        self.edge = edge_of(projections=projections, mask=mask, weights=weights, x0=x0, out=out)
        given = tuple(self.edge["projections"].shape)
        same_shape("projections", given, "geometry", geometry.projection_shape)
        self.lines = self.edge.real("projections")
        self.mask = None if mask is None else self._mask()
        self.weights = None if weights is None else self._weights()
        self.x0 = None if x0 is None else self._start()
        self.out = (
            None
            if out is None
            else usable_out(
                self.edge["out"],
                self.volume.shape,
                self.lines.dtype,
                "the volume",
                contiguous=False,
            )
        )
        self.callback = callback
        self.tolerance = at_least("tolerance", tolerance, 0)
        if noise_level is not None:
            noise_level = positive("noise_level", noise_level)
        self.noise_level = noise_level

    @property
    def xp(self) -> Any:
        return self.edge.xp

    def require(self, name: str, method: Method, subsets: Any) -> None:
        """Refuse before the method's arrays are made, where they do not fit into free memory."""
        if self.edge.on_gpu:
            return
        size = self.lines.itemsize
        parts = self.lines.shape[0] if method.subsets == PER_VIEW else 0
        if method.subsets > 0:
            given = self.subsets(subsets, method.subsets)
            parts = int(given) if isinstance(given, int | np.integer) else len(given)
        if parts * self.volume.size * size > KEPT:
            parts = 1
        volumes = method.volumes + parts
        numbers = volumes * self.volume.size + method.scans * self.lines.size
        require_memory(
            f"the arrays of {name} ({volumes} volumes of {self.volume.shape}, {method.scans} of "
            "the projections' size)",
            numbers * size,
            "use a coarser grid, fewer subsets or another method",
        )

    def count(self, iterations: Any) -> int:
        return whole("iterations", iterations, 1)

    def subsets(self, given: Any, usual: int) -> Any:
        """The given subsets, or the usual number, but at least four views in each."""
        return max(1, min(usual, self.lines.shape[0] // 4)) if given is None else given

    def masked(self) -> LinearOperator:
        """The projector, blind outside the mask."""
        return self.projector if self.mask is None else _Measured(self.projector, self.mask, None)

    def whitened(self) -> tuple[LinearOperator, Any]:
        """(W^1/2 A, W^1/2 y): plain least squares of these are weighted ones of A and y."""
        if self.weights is None:
            return self.masked(), self.lines
        root = self.xp.sqrt(self.weights)
        return _Measured(self.projector, self.mask, root), root * self.lines

    def stops(self) -> dict[str, Any]:
        """Arguments of every solver."""
        return {"x0": self.x0, "callback": self.callback, "tolerance": self.tolerance}

    def residual_stops(self) -> dict[str, Any]:
        """The same for solvers whose residual is ||y - A x|| / ||y||: the discrepancy principle
        is a tolerance."""
        return self.stops() | {"tolerance": max(self.tolerance, self.discrepancy())}

    def discrepancy(self) -> float:
        """Relative residual that noise of ``noise_level`` leaves; 0 without one."""
        if self.noise_level is None:
            return 0.0
        if self.weights is None:
            rays, squares = self.lines.size, (self.lines.astype("float64") ** 2).sum()
        else:
            rays = int((self.weights > 0).sum())
            squares = (self.weights * self.lines.astype("float64") ** 2).sum()
        size = math.sqrt(float(squares))
        return self.noise_level * math.sqrt(rays) / size if size else 1.0

    def bounds(self, nonnegative: bool, maximum: float | None) -> Box | None:
        """Bounds of x, for operators that are blind outside the mask; None where there are none."""
        if maximum is None:
            return NonNegative() if nonnegative else None
        return Box(0.0 if nonnegative else -math.inf, number("maximum", maximum))

    def within(self, nonnegative: bool, maximum: float | None) -> Box | None:
        """The set that x has to lie in: bounds and mask."""
        bounds = self.bounds(nonnegative, maximum)
        if self.mask is None:
            return bounds
        return Support(self.mask) if bounds is None else Support(self.mask, bounds.low, bounds.high)

    def spacing(self) -> tuple[float, ...]:
        """Voxel sides in units of the smallest."""
        return tuple(side / min(self.volume.spacing) for side in self.volume.spacing)

    def _mask(self) -> Any:
        mask = self.edge["mask"]
        if tuple(mask.shape) != self.volume.shape:
            raise ShapeError(
                f"mask has shape {tuple(mask.shape)}, but the volume is {self.volume.shape}"
            )
        if mask.dtype != bool:
            if mask.dtype.kind not in "iu" or bool(((mask != 0) & (mask != 1)).any()):
                raise DataError(f"mask has dtype {mask.dtype}; expected bool, or 0 and 1")
            mask = mask.astype(bool)
        if not bool(mask.any()):
            raise DataError("mask is empty; nothing is left to reconstruct")
        return self.xp.ascontiguousarray(mask)

    def _weights(self) -> Any:
        found = tuple(self.edge["weights"].shape)
        if found != tuple(self.lines.shape):
            raise ShapeError(
                f"weights have shape {found}, but projections have {tuple(self.lines.shape)}"
            )
        weights = self.edge.real("weights").astype(self.lines.dtype, copy=False)
        if bool((weights < 0).any()):
            raise DataError(f"weights hold negative values, the least {float(weights.min()):g}")
        if not bool(weights.any()):
            raise DataError("weights are all zero; no ray is left")
        return weights

    def _start(self) -> Any:
        found = tuple(self.edge["x0"].shape)
        if found != self.volume.shape:
            raise ShapeError(f"x0 has shape {found}, but the volume is {self.volume.shape}")
        start = self.edge.real("x0").astype(self.lines.dtype, copy=False)
        return start if self.mask is None else start * self.mask


def finish(scan: Scan, result: Result, out: Any) -> Result:
    """The result in the caller's kind of array, or in ``out``; the reason why it ended."""
    if (
        result.stop_reason == "tolerance"
        and scan.noise_level is not None
        and scan.discrepancy() >= scan.tolerance
    ):
        result = replace(result, stop_reason="discrepancy")
    if scan.out is None:
        return replace(result, x=scan.edge.answer(result.x))
    scan.out[...] = result.x
    return replace(result, x=out)


class _Measured(LinearOperator):
    """diag(root) A diag(mask), each of the two optional."""

    kind = "real"
    nonnegative = True

    def __init__(self, projector: Any, mask: Any, root: Any):
        super().__init__(projector.domain_shape, projector.range_shape)
        self._projector, self._mask, self._root = projector, mask, root

    def subset(self, views: Any) -> _Measured:
        xp = None if self._root is None else edge_of(root=self._root).xp
        root = None if xp is None else xp.ascontiguousarray(self._root[views])
        return _Measured(self._projector.subset(views), self._mask, root)

    def _forward(self, x: Any) -> Any:
        y = self._projector._forward(x if self._mask is None else x * self._mask)
        if self._root is not None:
            y *= self._root
        return y

    def _adjoint(self, y: Any) -> Any:
        x = self._projector._adjoint(y if self._root is None else y * self._root)
        if self._mask is not None:
            x *= self._mask
        return x
