"""Tables and stages of collaborative filtering: transforms, reference blocks, noise levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from .._kernels.select import Edge

__all__ = ["EDGE", "PROFILES", "Noise", "Profile", "run_stages"]

EDGE = {2: 8, 3: 4}  # of a block
_LEAST_VARIANCE = 1e-3  # of a coefficient, relative to the mean


@dataclass(frozen=True)
class Profile:
    """Pairs are (first, second stage); squared differences count per voxel, in units of the noise.

    ``alike`` is the largest difference from ``expected`` within a group. What is expected of alike
    blocks is twice the noise that they still hold: without it, even parts of the guide give groups
    of neighbours that share their voxels, and little noise averages out. ``wiener`` multiplies the
    variance in the second stage, whose guide has lost some of the image.
    """

    step: tuple[int, int]
    search: tuple[int, int]  # radius
    group: tuple[int, int]
    threshold: float
    alike: tuple[float, float]
    transform: tuple[str, str] = ("bior1.5", "dct")
    expected: tuple[float, float] = (1.6, 0.005)
    wiener: float = 0.7
    beta: float = 2.0

    def with_threshold(self, threshold: float) -> Profile:
        return replace(self, threshold=threshold)


PROFILES = {
    "np": {
        2: Profile((3, 2), (19, 19), (32, 32), 2.9, (3.0, 1.0), beta=1.5),
        3: Profile((3, 3), (5, 5), (16, 32), 3.0, (3.0, 0.4), ("bior1.5", "bior1.5")),
    },
    "lc": {
        2: Profile((5, 5), (12, 12), (16, 16), 2.9, (3.0, 1.0), beta=1.5),
        3: Profile((4, 4), (4, 4), (16, 16), 3.0, (3.0, 0.4), ("bior1.5", "bior1.5")),
    },
}


@dataclass(frozen=True)
class Noise:
    """Standard deviation, and what makes the noise uneven: in space, or over frequencies."""

    sigma: float
    relative: Any = None  # map of sigma over its root mean square
    psd: Any = None

    def reshaped(self, shape: tuple[int, ...]) -> Noise:
        def reshape(x: Any) -> Any:
            return None if x is None else x.reshape(shape)

        return replace(self, relative=reshape(self.relative), psd=reshape(self.psd))


def run_stages(edge: Edge, x: Any, noise: Noise, profile: Profile, stages: str, inside: Any) -> Any:
    """The filtered volume ``(z, y, x)``; an image has z of length 1."""
    xp = edge.xp
    real = x.dtype.type
    low, high = float(x.min()), float(x.max())
    if noise.sigma <= 1e-2 * float(np.finfo(x.dtype).eps) * (high - low):
        return x  # less than the image's rounding
    pivot = real(low / 2 + high / 2)
    unit = (x - pivot) / real(noise.sigma)
    block = (1, EDGE[2], EDGE[2]) if x.shape[0] == 1 else (EDGE[3],) * 3
    guide = None
    for stage in range(2 if stages == "both" else 1):
        starts = [_starts(n, b, profile.step[stage]) for n, b in zip(x.shape, block, strict=True)]
        search = tuple(profile.search[stage] if b > 1 else 0 for b in block)
        # what blocks of the second stage may hold is wanted in the first
        reach = [s + b for s, b in zip(search, block, strict=True)] if stages == "both" else [0] * 3
        grow = reach if stage == 0 else [0] * 3
        forward, inverse = transform(profile.transform[stage], block[2])
        variance = _variances(xp, noise, forward, block) * (1.0, profile.wiener)[stage]
        result = xp.empty_like(unit)
        edge.kernels.bm4d_stage(
            unit,
            guide,
            *(xp.asarray(s) for s in starts),
            _levels(edge, x, noise, inside, starts, block, grow),
            *(xp.asarray(m.astype(x.dtype)) for m in (forward, inverse)),
            xp.asarray(variance.astype(x.dtype)),
            xp.asarray(np.kaiser(block[2], profile.beta).astype(x.dtype)),
            search,
            profile.group[stage],
            profile.alike[stage] * 64,
            profile.expected[stage] * 64,
            profile.threshold,
            result,
        )
        guide = result
    filtered = pivot + real(noise.sigma) * guide
    if noise.relative is not None:
        filtered = xp.where(noise.relative > 0, filtered, x)
    return filtered if inside is None else xp.where(inside, filtered, x)


@lru_cache(maxsize=8)
def transform(name: str, edge: int) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (forward, inverse) along one axis; rows of forward have norm 1, the first is DC."""
    if name == "dct":
        k, x = np.mgrid[:edge, :edge]
        forward = np.sqrt(2 / edge) * np.cos(np.pi * (x + 0.5) * k / edge)
        forward[0] /= np.sqrt(2)
        return forward, forward.T.copy()
    from ..wavelet import dwt

    details: list[np.ndarray] = []
    rest = np.eye(edge)
    while len(rest) > 1:
        rest, detail = dwt(rest, name, mode="periodization", axis=0)
        details.insert(0, detail)
    forward = np.concatenate([rest, *details])
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    return forward, np.linalg.inv(forward)


def _starts(size: int, block: int, step: int) -> np.ndarray:
    """Where reference blocks begin; the last one ends with the axis."""
    return np.unique(np.append(np.arange(0, size - block + 1, step), size - block))


def _variances(xp: Any, noise: Noise, forward: np.ndarray, block: tuple[int, ...]) -> np.ndarray:
    """Noise variance of each coefficient of a block, relative to the mean variance."""
    if noise.psd is None:
        return np.ones(64)
    density = noise.psd / noise.sigma**2
    for axis, edge in enumerate(block):
        rows = forward if edge > 1 else np.ones((1, 1))
        size = density.shape[axis]
        power = abs(np.fft.fft(rows, size, axis=1)) ** 2 / size
        density = xp.moveaxis(xp.tensordot(density, xp.asarray(power), (axis, 1)), -1, axis)
    values = density.get() if hasattr(density, "get") else density
    return np.maximum(values.ravel(), _LEAST_VARIANCE)


def _levels(
    edge: Edge,
    x: Any,
    noise: Noise,
    inside: Any,
    starts: list[np.ndarray],
    block: tuple[int, ...],
    grow: list[int],
) -> Any:
    """Noise of every reference block relative to sigma; 0 where no voxel of the mask is near."""
    xp = edge.xp
    if noise.relative is None:
        level = xp.ones([len(s) for s in starts], x.dtype)
    else:
        squares = noise.relative.astype(np.float64) ** 2
        voxels = int(np.prod(block))
        level = xp.sqrt(xp.maximum(_box_sums(xp, squares, starts, block, [0] * 3), 0) / voxels)
        level = xp.where(level < 1e-3, 0, level).astype(x.dtype)
    if inside is not None:
        count = _box_sums(xp, inside.astype(np.int64), starts, block, grow)
        level = xp.where(count > 0, level, x.dtype.type(0))
    return xp.ascontiguousarray(level)


def _box_sums(
    xp: Any, values: Any, starts: list[np.ndarray], block: tuple[int, ...], grow: list[int]
) -> Any:
    """Sums over the boxes of the reference blocks, grown to both sides."""
    for axis, (start, edge, more) in enumerate(zip(starts, block, grow, strict=True)):
        zero = xp.zeros_like(values.take(xp.asarray([0]), axis=axis))
        sums = xp.concatenate([zero, xp.cumsum(values, axis=axis)], axis=axis)
        last = xp.asarray(np.minimum(start + edge + more, values.shape[axis]))
        first = xp.asarray(np.maximum(start - more, 0))
        values = sums.take(last, axis=axis) - sums.take(first, axis=axis)
    return values
