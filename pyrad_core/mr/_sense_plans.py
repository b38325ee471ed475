"""What a Sense operator does in one precision on one device: Cartesian, gridded, segmented.

Images are (sets, z, y, x), samples (coil, samples); `s` is the slice, whose maps are used. Grids
and the images between the passes are kept, so that `normal` allocates nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._kernels.fft import own_fft
from .._kernels.select import Edge, host_array
from .._memory import require_memory
from .gridding import Gridding, LaneGrid
from .off_resonance import difference_segments
from .toeplitz import Convolution, lags_spectrum

__all__ = ["Cartesian", "Gridded", "prefers_toeplitz"]

# Nanoseconds of one thread per coil, measured on 12 coils: per cell that gridding touches, there
# and back; per cell of the gridding's two FFTs with padding and cropping; per cell of the Toeplitz
# grid. Their ratios decide and hold within 20 % for one and two threads, 2D and 3D.
_TOUCH, _GRID_CELL, _TOEPLITZ_CELL = 0.28, 15.0, 8.0


def prefers_toeplitz(samples: int, width: int, grid: Any, shape: Any) -> bool:
    """Whether the convolution is expected to be the cheaper A^H A."""
    dims = len(shape)
    gridding = _TOUCH * samples * width**dims + _GRID_CELL * math.prod(grid)
    return gridding > _TOEPLITZ_CELL * math.prod(2 * n for n in shape)


class _Plan:
    """Coils in equal blocks of lanes: interleaved maps per slice and block, and buffers."""

    samples: tuple[int, ...]

    def __init__(self, grid: LaneGrid, maps: Any, factors: Any):
        """`maps`: (slices, sets, coil, *shape); `factors`: real, broadcasts over the image."""
        self.grid, self.xp = grid, grid.xp
        slices, self.sets, coils = maps.shape[:3]
        self.lanes = grid.lanes_for(coils)
        self.starts = range(0, coils, self.lanes)
        self.planar = maps.reshape(slices, self.sets, coils, *grid.size)
        self.maps = self.interleaved(factors)
        self._buffers: dict[Any, Any] = {}

    def interleaved(self, factors: Any) -> list[Any]:
        """Maps (sets, z, y, x, lanes) of every slice and block, times real factors."""
        xp, blocks = self.xp, []
        if xp is np:
            require_memory(
                "interleaved coil maps",
                self.planar.nbytes // self.planar.shape[2] * len(self.starts) * self.lanes,
                "compress the coils or reconstruct fewer slices at a time",
            )
        for of_slice in self.planar:
            for c in self.starts:
                block = xp.zeros((self.sets, *self.grid.size, self.lanes), self.grid.complex)
                some = of_slice[:, c : c + self.lanes]
                block[..., : some.shape[1]] = xp.moveaxis(some * factors, 1, -1)
                blocks.append(block)
        return blocks

    def blocks(self, s: int) -> Any:
        """(first coil, maps) of a slice's blocks."""
        first = s * len(self.starts)
        return zip(self.starts, self.maps[first : first + len(self.starts)], strict=True)

    def buffer(self, name: str, shape: tuple[int, ...]) -> Any:
        """Kept scratch of the grid's complex type."""
        if (name, shape) not in self._buffers:
            self._buffers[name, shape] = self.xp.empty(shape, self.grid.complex)
        return self._buffers[name, shape]

    def image(self, name: str) -> Any:
        return self.buffer(name, (self.sets, *self.grid.size))

    def encode(self, kernels: Any, images: Any, maps: Any, work: Any) -> None:
        """FFT of the sum over sets of maps times images."""
        self.weigh(kernels, images, maps, work)
        self.grid.fft(kernels, work, -1)

    def decode(self, kernels: Any, work: Any, maps: Any, out: Any, add: bool) -> None:
        """Adjoint of encode, into out or added to it."""
        self.grid.fft(kernels, work, 1)
        self.combine(kernels, work, maps, out, add)

    def weigh(self, kernels: Any, images: Any, maps: Any, work: Any) -> None:
        kernels.grid_pad_maps(images[0], maps[0], work)
        for m in range(1, self.sets):
            other = self.buffer("other", work.shape)
            kernels.grid_pad_maps(images[m], maps[m], other)
            work += other

    def combine(self, kernels: Any, work: Any, maps: Any, out: Any, add: bool) -> None:
        target = self.image("part") if add else out
        for m in range(self.sets):
            kernels.grid_crop_maps(work, maps[m], target[m])
        if add:
            out += target

    def convolved(
        self, kernels: Any, convolution: Convolution, maps: Any, images: Any, out: Any, s: int
    ) -> None:
        """out = maps^H convolution maps images, over all blocks."""
        first = s * len(self.starts)
        for b in range(len(self.starts)):
            target = self.image("part") if b else out
            convolution.combined(kernels, images, maps[first + b], target)
            if b:
                out += target


class Cartesian(_Plan):
    """FFT on the image's own grid; A^H A as a periodic convolution in one kernel."""

    def __init__(self, edge: Edge, maps: Any, shape: tuple[int, ...], mask: Any, real: Any):
        super().__init__(LaneGrid(edge.xp, real, shape, shape), maps, 1)
        xp, pixels = edge.xp, math.prod(shape)
        self.samples = self.grid.size
        scale = np.ones(sum(self.grid.size))
        scale[-self.grid.size[2] :] /= math.sqrt(pixels)
        self.scale = xp.asarray(scale, real)
        self.mask: Any = None
        self.convolution: Convolution | None = None  # without a mask A^H A needs no transform
        if mask is not None:
            self.mask = mask.reshape(self.grid.size).astype(real)
            squared = xp.fft.ifftshift(self.mask**2) / pixels
            self.convolution = Convolution(
                xp, real, shape, xp.ascontiguousarray(squared, dtype=real)
            )
        self.own_fft = own_fft(shape)

    def forward(self, kernels: Any, images: Any, y: Any, s: int = 0) -> None:
        work = self.grid.borrow(self.lanes)
        for c, maps in self.blocks(s):
            self.encode(kernels, images, maps, work)
            kernels.grid_crop(work, self.scale, y[c : c + self.lanes])
        self.grid.give_back(work)
        if self.mask is not None:
            y *= self.mask

    def adjoint(self, kernels: Any, y: Any, out: Any, s: int = 0) -> None:
        if self.mask is not None:
            y = y * self.mask
        work = self.grid.borrow(self.lanes)
        for c, maps in self.blocks(s):
            kernels.grid_pad(y[c : c + self.lanes], self.scale, work)
            self.decode(kernels, work, maps, out, c > 0)
        self.grid.give_back(work)

    def normal(self, kernels: Any, images: Any, out: Any, s: int = 0) -> None:
        if self.convolution is not None and self.own_fft:
            return self.convolved(kernels, self.convolution, self.maps, images, out, s)
        work = self.grid.borrow(self.lanes)
        for c, maps in self.blocks(s):
            self.weigh(kernels, images, maps, work)
            if self.convolution is not None:
                self.grid.filter(kernels, work, self.convolution.spectrum)
            self.combine(kernels, work, maps, out, c > 0)
        self.grid.give_back(work)


class Gridded(_Plan):
    """NUFFT, with off-resonance as a sum over time segments; A^H A as NUFFTs or convolutions."""

    def __init__(self, edge: Edge, operator: Any, maps: Any, real: Any):
        shape = operator.image_shape
        flat = operator.coordinates.reshape(-1, len(shape))
        plan = Gridding(edge, flat, shape, operator.eps, real)
        self.plan, self.width = plan.plan, plan.width
        z, y, _ = plan.size
        a = plan.apodisation
        super().__init__(plan, maps, a[:z, None, None] * a[z : z + y, None] * a[z + y :])
        self.samples = (plan.samples,)
        xp = edge.xp
        self.root: Any = None
        self.weights: Any = None
        self.density = xp.ones(plan.samples, real)
        if operator.weights is not None:
            self.weights = operator.weights.reshape(-1).astype(real)
            self.root = xp.sqrt(self.weights)
            self.density = xp.ascontiguousarray(self.weights[self.plan.order])
        self.temporal: Any = None
        self.spatial: Any = None
        if operator.segments is not None:
            temporal = xp.asarray(operator.segments.temporal.reshape(-1, plan.samples))
            self.temporal = xp.ascontiguousarray(temporal[:, self.plan.order], plan.complex)
            spatial = operator.segments.spatial.reshape(len(temporal), -1)
            self.spatial = xp.asarray(spatial, plan.complex)
        self.toeplitz = (
            operator.normal == "toeplitz"
            or operator.normal == "auto"
            and (self._toeplitz_is_faster(operator))
        )
        self._convolutions: list[tuple[Convolution, Any]] = []
        self._plain_maps: list[Any] = []

    def _toeplitz_is_faster(self, operator: Any) -> bool:
        if self.temporal is not None and operator.r2 is not None:
            return False
        cells = self.grid.cells[3 - self.grid.dims :]
        width = self.width
        # With segments both routes repeat, the convolutions about 1.6 times as often.
        if not prefers_toeplitz(self.samples[0], width, cells, operator.image_shape):
            return False
        return self.temporal is None

    def forward(self, kernels: Any, images: Any, y: Any, s: int = 0) -> None:
        work = self.grid.borrow(self.lanes)
        for c, maps in self.blocks(s):
            if self.temporal is None:
                self.encode(kernels, images, maps, work)
                kernels.grid_interpolate(work, *self.plan, y[c : c + self.lanes])
            else:
                total = self._segmented(kernels, images, maps, work)
                some = y[c : c + self.lanes]
                some[:, self.plan.order] = total.T[: some.shape[0]]
        self.grid.give_back(work)
        if self.root is not None:
            y *= self.root

    def adjoint(self, kernels: Any, y: Any, out: Any, s: int = 0) -> None:
        if self.root is not None:
            y = y * self.root
        work = self.grid.borrow(self.lanes)
        for c, maps in self.blocks(s):
            some = y[c : c + self.lanes]
            if self.temporal is None:
                kernels.grid_spread(some, *self.plan, work)
                self.decode(kernels, work, maps, out, c > 0)
            else:
                total = self._sorted("total")
                total[:, some.shape[0] :] = 0
                total[:, : some.shape[0]] = some[:, self.plan.order].T
                self._collected(kernels, total, maps, work, out, c > 0, None)
        self.grid.give_back(work)

    def normal(self, kernels: Any, images: Any, out: Any, s: int = 0) -> None:
        if self.toeplitz:
            return self._toeplitz_normal(kernels, images, out, s)
        work = self.grid.borrow(self.lanes)
        for c, maps in self.blocks(s):
            if self.temporal is None:
                samples = self._sorted("total")
                self.encode(kernels, images, maps, work)
                kernels.grid_interpolate_sorted(work, *self.plan, samples)
                kernels.grid_spread_sorted(samples, self.density, *self.plan, work)
                self.decode(kernels, work, maps, out, c > 0)
            else:
                total = self._segmented(kernels, images, maps, work)
                self._collected(kernels, total, maps, work, out, c > 0, self.density)
        self.grid.give_back(work)

    def _sorted(self, name: str) -> Any:
        """Samples in tile order, interleaved."""
        return self.buffer(name, (self.samples[0], self.lanes))

    def _segmented(self, kernels: Any, images: Any, maps: Any, work: Any) -> Any:
        """sum_l temporal[l] NUFFT(spatial[l] images), in tile order."""
        total, samples = self._sorted("total"), self._sorted("samples")
        turned = self.image("turned")
        for k, (b, c) in enumerate(zip(self.temporal, self.spatial, strict=True)):
            _scale_images(kernels, images, c, False, False, turned)
            self.encode(kernels, turned, maps, work)
            kernels.grid_interpolate_sorted(work, *self.plan, samples)
            kernels.scale_lanes(samples, b, False, k > 0, total)
        return total

    def _collected(
        self, kernels: Any, total: Any, maps: Any, work: Any, out: Any, add: bool, density: Any
    ) -> None:
        """Adjoint of _segmented, of the samples times their density."""
        density = self.buffer_of_ones() if density is None else density
        samples, turned = self._sorted("samples"), self.image("turned")
        for k, (b, c) in enumerate(zip(self.temporal, self.spatial, strict=True)):
            kernels.scale_lanes(total, b, True, False, samples)
            kernels.grid_spread_sorted(samples, density, *self.plan, work)
            self.decode(kernels, work, maps, turned, False)
            _scale_images(kernels, turned, c, True, add or k > 0, out)

    def buffer_of_ones(self) -> Any:
        if "ones" not in self._buffers:
            self._buffers["ones"] = self.xp.ones(self.samples, self.grid.real)
        return self._buffers["ones"]

    def prepare_toeplitz(self, edge: Edge, operator: Any) -> None:
        """The spectra, once."""
        if self._convolutions or not self.toeplitz:
            return
        shape, real = operator.image_shape, self.grid.real
        flat = operator.coordinates.reshape(-1, len(shape))
        self._plain_maps = self.interleaved(1)
        if self.temporal is None:
            kinds: Any = [(self.weights, None)]
        else:
            host = host_array(operator.b0), host_array(operator.readout_times)
            temporal, spatial = difference_segments(*host, operator.eps / 2)
            w = 1.0 if self.weights is None else self.weights
            kinds = [
                (edge.xp.asarray(b.reshape(-1), real) * w, edge.xp.asarray(c.reshape(-1)))
                for b, c in zip(temporal, spatial, strict=True)
            ]
        for weights, phase in kinds:
            spectrum = lags_spectrum(edge, flat, shape, weights, operator.eps, real)
            phase = None if phase is None else phase.astype(self.grid.complex)
            self._convolutions.append((Convolution(edge.xp, real, shape, spectrum), phase))
        for convolution, _ in self._convolutions[1:]:
            convolution._work = self._convolutions[0][0]._work

    def _toeplitz_normal(self, kernels: Any, images: Any, out: Any, s: int) -> None:
        for k, (convolution, phase) in enumerate(self._convolutions):
            if phase is None:
                self.convolved(kernels, convolution, self._plain_maps, images, out, s)
                continue
            turned, back = self.image("turned"), self.image("back")
            _scale_images(kernels, images, phase, False, False, turned)
            self.convolved(kernels, convolution, self._plain_maps, turned, back, s)
            _scale_images(kernels, back, phase, True, k > 0, out)


def _scale_images(
    kernels: Any, images: Any, factors: Any, conjugate: bool, accumulate: bool, out: Any
) -> None:
    """out[m] (+)= factors images[m]."""
    for image, to in zip(images, out, strict=True):
        kernels.scale_lanes(image.reshape(-1, 1), factors, conjugate, accumulate, to.reshape(-1, 1))
