"""Partial Fourier: the part of k-space that was not measured, from conjugate symmetry."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._checks import at_least, choice, number, positive, whole
from .._kernels.select import Edge, edge_of, host_array
from ..errors import DataError, ShapeError
from .fourier import fft_of_axes

__all__ = ["partial_fourier"]


def partial_fourier(
    kspace: Any,
    *,
    method: str = "homodyne",
    mask: Any = None,
    fraction: float | None = None,
    axis: int = -2,
    transition: float = 0.25,
    constraint: str = "real",
    relaxation: float | None = None,
    iterations: int = 12,
    tolerance: float = 0.0,
) -> Any:
    """Complete k-space that ends early on one side of one or more axes.

    An image whose phase is known is real but for that phase, and the k-space of a real image is
    its own mirror image. The phase comes from the symmetric centre of k-space, under a Hann window.

    Parameters
    ----------
    kspace : complex array (coil, y, x) or (coil, z, y, x)
        DC at ``n // 2``, zeros where nothing was measured; without gaps within the measured part
        (fill these with :func:`grappa` first). Coils are completed one by one; the k-space of a
        combined image is passed as one coil.
    method : {"homodyne", "pocs"}
        Homodyne weighs both halves once and keeps the part of the image that is in phase. POCS
        goes on projecting on the phase and on the measured samples, which it returns unchanged.
    mask : array of one coil's shape (or broadcasting to it), optional
        Non-zero where measured; by default where any coil is not exactly 0.
    fraction : float, optional
        Instead of a mask: the part of ``axis`` that was measured, from its beginning (5/8), or up
        to its end where negative (-5/8).
    axis : int
        Axis that ``fraction`` is about.
    transition : float
        Homodyne: width of the ramp by which weights fall, as a part of the symmetric band
        ``[-h, h]``. 1 is Noll's ramp from 2 to 0 across the whole band, which damps the noise of
        its outer lines; 0 is a step at its ends. In between, weights are 2 and 1, and ramps lead
        from 2 to 1 around -h and from 1 to 0 around h.
    constraint : {"real", "magnitude"}
        POCS: keep the part in phase, which may be negative, or the magnitude (Cuppen and van Est).
    relaxation : float, optional
        POCS: factor of every step, below 2; by default 1.9 for "real", where twice the projection
        is the exact answer for a real object, and 1 for "magnitude", which is no convex set.
    iterations : int
        POCS: at most so many.
    tolerance : float
        POCS: stop when a step changes k-space by less than this, relative to its norm.

    Returns
    -------
    complex array of k-space's shape and dtype
        Completed as far as the longer side reaches. A copy where no axis is one-sided.

    Raises
    ------
    DataError
        NaN, real or all-zero k-space; a centre that was not measured on both sides; gaps.
    ShapeError
        A mask that does not fit.

    Notes
    -----
    With a smooth weight m, 1 on the measured part and falling to 0 at its early end, homodyne
    multiplies by ``W(k) = 2 m(k) / (m(k) + m(-k))``: ``W(k) + W(-k) = 2`` wherever one of the two
    was measured, in any number of axes. A real object is recovered exactly by homodyne, and by POCS
    with an error that shrinks by ``|1 - relaxation / 2|`` per iteration. Where neither k nor -k was
    measured (a corner, if two axes are one-sided), homodyne leaves 0.

    References
    ----------
    Noll, Nishimura and Macovski, IEEE Trans. Med. Imaging 10 (1991), doi:10.1109/42.79473;
    Cuppen and van Est, Magn. Reson. Imaging 5 (1987), doi:10.1016/0730-725X(87)90146-4;
    Haacke, Lindskog and Lin, J. Magn. Reson. 92 (1991), doi:10.1016/0022-2364(91)90253-P;
    McGibney et al., Magn. Reson. Med. 30 (1993), doi:10.1002/mrm.1910300109.

    Examples
    --------
    >>> kspace[:, 160:] = 0                                  # 5/8 of 256 lines
    >>> full = prc.mr.partial_fourier(kspace, method="pocs")
    """
    edge = edge_of(kspace=kspace, mask=mask)
    y = edge.complex("kspace", ndim=(3, 4))
    choice("method", method, ("homodyne", "pocs"))
    choice("constraint", constraint, ("real", "magnitude"))
    transition = at_least("transition", transition, 0)
    tolerance = at_least("tolerance", tolerance, 0)
    iterations = whole("iterations", iterations, 1)
    factor = _relaxation(relaxation, constraint)
    if not bool(y.any()):
        raise DataError("kspace holds only zeros")
    sides = _sides(edge, y, fraction, axis)
    partial = tuple(d + 1 for d, side in enumerate(sides) if side.one_sided)
    if not partial:
        return edge.answer(y.copy())
    measured = (slice(None), *(slice(side.low, side.high) for side in sides))
    if "mask" in edge.arrays or fraction is not None:
        kept = edge.xp.zeros_like(y)
        kept[measured] = y[measured]
        y = kept
    problem = _Problem(edge, y, sides, partial)
    if method == "homodyne":
        return edge.answer(problem.homodyne(transition))
    out = problem.pocs(measured, iterations, tolerance, constraint == "magnitude", factor)
    out[measured] = y[measured]
    return edge.answer(out)


def _relaxation(given: float | None, constraint: str) -> float:
    if given is None:
        return 1.9 if constraint == "real" else 1.0
    factor = positive("relaxation", given)
    if factor >= 2:
        raise DataError(f"relaxation is {given}; expected less than 2")
    return factor


class _Side(NamedTuple):
    """The measured part [low, high) of an axis of n samples."""

    low: int
    high: int
    n: int

    @property
    def before(self) -> int:
        return self.n // 2 - self.low

    @property
    def after(self) -> int:
        return self.high - 1 - self.n // 2

    @property
    def one_sided(self) -> bool:
        """Whether the sides differ by more than the frequency -n/2 of even n, which is alone."""
        alone = self.low == 0 and self.n % 2 == 0
        return self.after != self.before - alone

    @property
    def symmetric(self) -> int:
        """h: all of -h .. h was measured."""
        return min(self.before, self.after)

    def frequencies(self) -> np.ndarray:
        return np.arange(self.n) - self.n // 2

    def window(self) -> np.ndarray:
        """Hann window over the symmetric part; 1 on an axis that is not one-sided."""
        k, h = self.frequencies(), self.symmetric
        if not self.one_sided:
            return np.ones(self.n)
        return np.where(abs(k) <= h, 0.5 + 0.5 * np.cos(np.pi * k / (h + 1)), 0.0)

    def membership(self, transition: float) -> np.ndarray:
        """m: 1 on the measured part, falling linearly to 0 just beyond its early end."""
        k, h = self.frequencies(), self.symmetric
        inside = (k >= -self.before) & (k <= self.after)
        if not self.one_sided:
            return inside.astype(float)
        outward = k if self.after < self.before else -k
        width = max(1.0, transition * 2 * (h + 1))
        return np.where(inside, np.clip((h + 1 - outward) / width, 0, 1), 0.0)

    def reach(self) -> np.ndarray:
        """Frequencies that the answer holds: as far as the longer side, on both."""
        return abs(self.frequencies()) <= max(self.before, self.after)


def _sides(edge: Edge, y: Any, fraction: float | None, axis: int) -> list[_Side]:
    shape = tuple(int(n) for n in y.shape[1:])
    if fraction is not None:
        if "mask" in edge.arrays:
            raise DataError("give mask or fraction, not both")
        return _from_fraction(shape, number("fraction", fraction), axis, y.ndim)
    if "mask" in edge.arrays:
        try:
            mask = edge.xp.broadcast_to(edge["mask"], shape) != 0
        except ValueError:
            raise ShapeError(
                f"mask has shape {tuple(edge['mask'].shape)}, but one coil of kspace {shape}"
            ) from None
    else:
        mask = (y != 0).any(axis=0)
    sides = []
    for d, n in enumerate(shape):
        others = tuple(a for a in range(len(shape)) if a != d)
        lines = np.flatnonzero(host_array(mask.any(axis=others)))
        if lines.size == 0:
            raise DataError("mask keeps no sample")
        sides.append(_Side(int(lines[0]), int(lines[-1]) + 1, n))
    gaps = math.prod(s.high - s.low for s in sides) - int(mask.sum())
    if gaps and "mask" not in edge.arrays:  # a few measured samples may be exact zeros
        inner = mask[tuple(slice(s.low, s.high) for s in sides)]
        for d in range(len(shape)):
            others = tuple(a for a in range(len(shape)) if a != d)
            gaps = int((~inner.any(axis=others)).sum())
            if gaps:
                break
    if gaps:
        raise DataError(
            f"kspace has gaps ({gaps}) within its measured part; fill them first, with grappa()"
        )
    return [_with_centre(d, side) for d, side in enumerate(sides)]


def _from_fraction(shape: tuple[int, ...], part: float, axis: int, ndim: int) -> list[_Side]:
    if not 0.5 < abs(part) <= 1:
        raise DataError(f"fraction is {part}; expected more than 0.5, at most 1 (or minus that)")
    if not -ndim < axis < ndim or axis % ndim == 0:
        raise DataError(f"axis is {axis}; expected an axis of kspace other than the coils'")
    sides = [_Side(0, n, n) for n in shape]
    d = axis % ndim - 1
    n, count = shape[d], min(shape[d], math.ceil(abs(part) * shape[d] - 1e-9))
    sides[d] = _Side(0, count, n) if part > 0 else _Side(n - count, n, n)
    return [_with_centre(d, side) for d, side in enumerate(sides)]


def _with_centre(d: int, side: _Side) -> _Side:
    if side.one_sided and side.symmetric < 1:
        raise DataError(
            f"kspace is measured from index {side.low} to {side.high - 1} along axis {d + 1}; the "
            f"phase needs samples on both sides of DC at {side.n // 2}"
        )
    return side


class _Problem:
    """k-space as images along the complete axes, whose weights are all 1.

    Along one-sided axes the transform is not centred: that is one more phase, the same in the image
    and in its estimate.
    """

    def __init__(self, edge: Edge, y: Any, sides: list[_Side], partial: tuple[int, ...]):
        self.edge, self.sides, self.partial = edge, sides, partial
        self.whole = tuple(d for d in range(1, y.ndim) if d not in partial)
        self.data = fft_of_axes(y.copy(), self.whole, True, "ortho") if self.whole else y
        phase = self._image(self.data * self._factors([s.window() for s in sides]))
        size = edge.xp.abs(phase)
        tiny = np.finfo(size.dtype).tiny
        self.phase = edge.xp.where(size > tiny, phase / edge.xp.maximum(size, tiny), 1)
        self.phase = edge.xp.ascontiguousarray(self.phase.astype(y.dtype))

    def homodyne(self, transition: float) -> Any:
        m = self._product([s.membership(transition) for s in self.sides])
        mirrored = m
        for d in self.partial:
            n = self.sides[d - 1].n
            mirrored = np.take(mirrored, (2 * (n // 2) - np.arange(n)) % n, axis=d)
        both = m + mirrored
        weights = np.where(both > 0, 2 * m / np.where(both > 0, both, 1), 0)
        image = self._image(self.data * self.edge.xp.asarray(weights, self._real))
        return self._close(self._constrained(image, False))

    def pocs(
        self, measured: Any, iterations: int, tolerance: float, magnitude: bool, factor: float
    ) -> Any:
        xp, axes = self.edge.xp, self.partial
        missing = self._missing(measured)
        reach = self._product([s.reach().astype(float) for s in self.sides])
        inside = None if reach.all() else xp.asarray(reach, self._real)
        k = self.data if self.whole else self.data.copy()
        scale = float(xp.linalg.norm(k.reshape(-1))) or 1.0
        for _ in range(iterations):
            image = self._constrained(self._image(k.copy()), magnitude)
            new = fft_of_axes(image, axes, False, "ortho")
            if inside is not None:
                new *= inside
            change = 0.0
            for box in missing:
                step = factor * (new[box] - k[box])
                k[box] += step
                if tolerance:
                    change += float(xp.linalg.norm(step.reshape(-1))) ** 2
            if tolerance and math.sqrt(change) <= tolerance * scale:
                break
        return fft_of_axes(k, self.whole, False, "ortho") if self.whole else k

    def _missing(self, measured: Any) -> list[tuple[slice, ...]]:
        """What is not measured along the one-sided axes, as boxes without overlap."""
        boxes = []
        known = [slice(None)] * self.data.ndim
        for d in self.partial:
            low, high, n = measured[d].start, measured[d].stop, self.data.shape[d]
            for outside in (slice(0, low), slice(high, n)):
                if outside.stop > outside.start:
                    boxes.append((*known[:d], outside, *known[d + 1 :]))
            known[d] = slice(low, high)
        return boxes

    @property
    def _real(self) -> Any:
        return self.data.real.dtype

    def _product(self, lines: list[np.ndarray]) -> np.ndarray:
        """Outer product over the one-sided axes, to broadcast over (coil, ...)."""
        total = np.ones((1,) * self.data.ndim)
        for d in self.partial:
            total = total * lines[d - 1].reshape([-1 if a == d else 1 for a in range(total.ndim)])
        return total

    def _factors(self, lines: list[np.ndarray]) -> Any:
        return self.edge.xp.asarray(self._product(lines), self._real)

    def _image(self, k: Any) -> Any:
        """Overwrites k."""
        return fft_of_axes(k, self.partial, True, "ortho")

    def _constrained(self, image: Any, magnitude: bool) -> Any:
        image = self.edge.xp.ascontiguousarray(image)
        self.edge.kernels.constrain_phase(self.phase.reshape(-1), magnitude, image.reshape(-1))
        return image

    def _close(self, image: Any) -> Any:
        return fft_of_axes(image, (*self.partial, *self.whole), False, "ortho")
