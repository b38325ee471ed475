"""The SENSE encoding operator: coil maps and Fourier transform."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .._checks import choice, number, whole
from .._kernels.select import Edge, edge_of, host_array
from .._memory import new_array
from ..errors import DataError, PyradWarning, ShapeError
from ..operators import LinearOperator
from ._sense_plans import Cartesian, Gridded
from .coordinates import check_coordinates
from .off_resonance import Segments, time_segments
from .toeplitz import check_weights

__all__ = ["Sense"]

_FEWER = "take fewer frames or slices at a time"


class Sense(LinearOperator):
    """Image to multi-coil k-space: ``y_c = W^(1/2) M F (s_c x)``.

    Parameters
    ----------
    maps : complex array (coil, y, x) or (coil, z, y, x)
        Coil sensitivities s_c. Several sets (maps, coil, ...), as ESPIRiT gives, make the operator
        soft-SENSE: the image gets that axis too, and k-space is the sum over sets. With ``slices``
        the first axis is slices, each with its own maps: (slices, [maps,] coil, ...).
    mask : bool or real array, optional
        Cartesian sampling mask M of the image's shape (or broadcasting to it), DC at ``n // 2``.
    coordinates : array (..., samples, dims), optional
        Non-Cartesian positions in cycles per field of view; excludes ``mask``.
    weights : real array, optional
        Density weights W, one per non-Cartesian sample; the operator carries their square root,
        so that ``A.H @ A`` weights by W.
    b0 : real array of one image's shape, optional
        Off-resonance in Hz: samples become ``sum_n s_c x exp(-2 pi i (k n / N + b0 t))``. Needs
        ``coordinates`` and ``readout_times``.
    readout_times : real array of the samples' shape, or (samples,), optional
        Time t of each sample in seconds.
    r2 : real array of one image's shape, optional
        Relaxation rate R2* in 1 / s: a factor ``exp(-r2 t)``.
    segments : int, optional
        Time segments for b0 and r2; by default the fewest that keep ``eps / 2``.
    dims : int, optional
        Axes of one image; by default those of the coordinates, or all after the coils.
    slices : bool
        The first axis of ``maps`` is slices (needs ``dims`` in the Cartesian case).
    normal : {"auto", "toeplitz", "nufft"}
        How ``A.gram`` and the solvers compute ``A^H A``: by convolution, by NUFFT there and back,
        or whichever costs less for this trajectory.
    eps : float
        Accuracy of the non-Cartesian transform.

    Notes
    -----
    ``domain_shape`` is ``([slices,] [maps,] *image)``, ``range_shape`` is
    ``([slices,] coil, *image)`` or ``([slices,] coil, *samples)``; further leading axes (frames
    with the same sampling) are accepted.
    All transforms are unitary. ``gram`` keeps samples in tile order between its two halves, or
    convolves (:class:`Toeplitz`); "auto" compares the cells that both touch, with costs per cell
    that were measured (they decide by ratios, not by the clock, so that results repeat).

    Off-resonance is a sum over time segments with the optimal coefficients of
    :func:`time_segments`; the adjoint is exact.

    Raises
    ------
    ShapeError
        mask, weights, coordinates, b0 or readout_times that do not fit.
    DataError
        NaN, coordinates out of range, both mask and coordinates.
    DeviceMemoryError
        What a call would allocate does not fit into free memory.

    Warns
    -----
    PyradWarning
        The mask undersamples by more than the number of coils.

    References
    ----------
    Pruessmann et al., Magn. Reson. Med. 46 (2001), doi:10.1002/mrm.1241. Uecker et al., Magn.
    Reson. Med. 71 (2014), doi:10.1002/mrm.24751 (soft-SENSE). Sutton et al., IEEE Trans. Med.
    Imaging 22 (2003), doi:10.1109/TMI.2002.808360 (off-resonance).

    Examples
    --------
    >>> A = prc.mr.Sense(maps, mask=mask)
    >>> image = prc.solvers.cg(A, kspace, iterations=20).x
    """

    kind = "complex"
    batched = True
    fast_normal = True

    def __init__(
        self,
        maps: Any,
        *,
        mask: Any = None,
        coordinates: Any = None,
        weights: Any = None,
        b0: Any = None,
        readout_times: Any = None,
        r2: Any = None,
        segments: int | None = None,
        dims: int | None = None,
        slices: bool = False,
        normal: str = "auto",
        eps: float = 1e-3,
    ):
        edge = edge_of(maps=maps, mask=mask, coordinates=coordinates, weights=weights)
        self.maps = edge.complex("maps")
        self.normal = choice("normal", normal, ("auto", "toeplitz", "nufft"))
        if mask is not None and coordinates is not None:
            raise DataError("give mask or coordinates, not both: a mask is for Cartesian k-space")
        if weights is not None and coordinates is None:
            raise DataError("weights go with coordinates; put Cartesian weights into mask")
        self.slices = bool(slices)
        count = _dims(self.maps, coordinates, dims, self.slices)
        self.image_shape = tuple(self.maps.shape[self.maps.ndim - count :])
        lead = self.maps.shape[: self.maps.ndim - count - 1]
        self._lead = lead[:1] if self.slices else ()
        self._sets = lead[len(self._lead) :]
        coils = self.maps.shape[self.maps.ndim - count - 1]
        self.mask = _check_mask(edge, self.image_shape, coils) if mask is not None else None
        self.coordinates, self.weights = None, None
        if coordinates is not None:
            _, self.coordinates = check_coordinates(coordinates, self.image_shape)
            self.weights = check_weights(weights, self.coordinates)
        self.eps = number("eps", eps)
        self.b0, self.readout_times, self.r2 = b0, readout_times, r2
        self.segments: Segments | None = None
        if b0 is not None or readout_times is not None or r2 is not None:
            self.segments = self._segments(segments)
        samples = self.image_shape if self.coordinates is None else self.coordinates.shape[:-1]
        super().__init__(
            (*self._lead, *self._sets, *self.image_shape), (*self._lead, coils, *samples)
        )
        self._plans: dict[np.dtype, Cartesian | Gridded] = {}

    def _segments(self, count: int | None) -> Segments:
        if self.coordinates is None:
            raise DataError("b0 and r2 need coordinates: on a grid all samples of a line differ")
        if self.readout_times is None or (self.b0 is None and self.r2 is None):
            raise DataError("b0 (or r2) and readout_times go together; one of them is missing")
        fields = {"b0": self.b0, "r2": self.r2, "readout_times": self.readout_times}
        edge = edge_of(maps=self.maps, **fields)
        on_host = {}
        for name in edge.arrays:
            if name == "maps":
                continue
            array = edge.real(name)
            on_host[name] = host_array(array)
            if name != "readout_times" and tuple(array.shape) != self.image_shape:
                raise ShapeError(f"{name} has shape {array.shape}, the image {self.image_shape}")
        samples = self.coordinates.shape[:-1]
        try:
            times = np.broadcast_to(on_host["readout_times"], samples)
        except ValueError:
            raise ShapeError(
                f"readout_times has shape {on_host['readout_times'].shape}, but the samples have "
                f"{tuple(samples)}"
            ) from None
        self.readout_times = times
        field = on_host.get("b0")
        self.b0 = field = np.zeros(self.image_shape) if field is None else field
        return time_segments(field, times, r2=on_host.get("r2"), eps=self.eps / 2, segments=count)

    def _plan(self, x: Any) -> tuple[Edge, Cartesian | Gridded]:
        edge = edge_of(x=x, maps=self.maps)
        real = x.real.dtype
        if real not in self._plans:
            coils = self.range_shape[len(self._lead)]
            maps = self.maps.reshape(
                math.prod(self._lead), math.prod(self._sets), coils, *self.image_shape
            )
            if self.coordinates is None:
                plan: Any = Cartesian(edge, maps, self.image_shape, self.mask, real)
            else:
                plan = Gridded(edge, self, maps, real)
            self._plans[real] = plan
        return edge, self._plans[real]

    def _images(self, x: Any, plan: Any) -> Any:
        """(frames, slices, sets, z, y, x)."""
        slices = math.prod(self._lead)
        return x.reshape(-1, slices, math.prod(self._sets), *plan.grid.size)

    def _coils(self, y: Any, plan: Any) -> Any:
        """(frames, slices, coil, *plan.samples)."""
        slices, coils = math.prod(self._lead), self.range_shape[len(self._lead)]
        return y.reshape(-1, slices, coils, *plan.samples)

    def _forward(self, x: Any) -> Any:
        edge, plan = self._plan(x)
        shape = (*_batch(x, self.domain_shape), *self.range_shape)
        y = new_array(edge, "k-space", shape, x.dtype, _FEWER)
        for images, samples in zip(self._images(x, plan), self._coils(y, plan), strict=True):
            for s in range(len(images)):
                plan.forward(edge.kernels, images[s], samples[s], s)
        return y

    def _adjoint(self, y: Any) -> Any:
        edge, plan = self._plan(y)
        shape = (*_batch(y, self.range_shape), *self.domain_shape)
        x = new_array(edge, "images", shape, y.dtype, _FEWER)
        for images, samples in zip(self._images(x, plan), self._coils(y, plan), strict=True):
            for s in range(len(images)):
                plan.adjoint(edge.kernels, samples[s], images[s], s)
        return x

    def _normal(self, x: Any) -> Any:
        out = edge_of(x=x).xp.empty_like(x)
        self.normal_into(x, out)
        return out

    def normal_into(self, x: Any, out: Any) -> None:
        """``A^H A x`` into ``out`` of x's shape and dtype, both contiguous complex arrays of
        ``(..., *domain_shape)``; after the first call nothing is allocated."""
        edge, plan = self._plan(x)
        if isinstance(plan, Gridded):
            plan.prepare_toeplitz(edge, self)
        for images, targets in zip(self._images(x, plan), self._images(out, plan), strict=True):
            for s in range(len(images)):
                plan.normal(edge.kernels, images[s], targets[s], s)


def _batch(array: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(array.shape[: array.ndim - len(shape)])


def _dims(maps: Any, coordinates: Any, dims: int | None, slices: bool) -> int:
    """Axes of one image."""
    if coordinates is not None:
        shape = np.shape(coordinates)
        count = int(shape[-1]) if shape else 0
        if dims is not None and whole("dims", dims, 1) != count:
            raise ShapeError(f"dims is {dims}, but coordinates have {count} axes")
    elif dims is not None:
        count = whole("dims", dims, 1)
    else:
        count = maps.ndim - 1 - int(slices)
    extra = maps.ndim - 1 - count
    if not 1 <= count <= 3 or not int(slices) <= extra <= 1 + int(slices):
        axes = "(slices, [maps,] coil, ...)" if slices else "([maps,] coil, ...)"
        raise ShapeError(
            f"maps has shape {maps.shape}; expected {axes} with {count} image axes; dims= says "
            "how many axes an image has"
        )
    return count


def _check_mask(edge: Edge, shape: tuple[int, ...], coils: int) -> Any:
    mask = edge.real("mask", dtype=np.float32)
    try:
        full = edge.xp.broadcast_to(mask, shape)
    except ValueError:
        raise ShapeError(f"mask has shape {mask.shape}, but the image {tuple(shape)}") from None
    kept = int((full != 0).sum())
    if kept == 0:
        raise DataError("mask keeps no sample")
    rate = math.prod(shape) / kept
    if rate > coils:
        warnings.warn(
            f"mask keeps one sample in {rate:.1f}, but there are only {coils} coils; parallel "
            "imaging alone cannot make up for that",
            PyradWarning,
            stacklevel=4,
        )
    return edge.xp.ascontiguousarray(full)
