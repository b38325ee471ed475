"""Matrices of many regions of one filtered image, worked out in one call each.

What is found is put where the families look for it, so that nothing else changes: the numbers are
integers and equal those of the kernels of one region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ._sizes import host
from .offsets import half_offsets, neighbourhood_offsets
from .region import Levels, Region, uniform_rule

__all__ = ["share_matrices"]

_SMALL = 1 << 20  # voxels of a box; larger regions keep threads busy on their own
_BYTES = 256 << 20  # tables of one call


def share_matrices(regions: Sequence[Region], families: tuple[str, ...]) -> None:
    """Grey levels and matrices of the regions that are small, for 3D families."""
    settings = regions[0].settings
    if settings.dimension != "3D" or len(regions) < 2:
        return
    pad = max(1, *settings.distances)
    small = [region for region in regions if region.mask.size <= _SMALL]
    rules = [(region, uniform_rule(region)) for region in small]
    for wide in (False, True):
        chosen = [(r, rule) for r, rule in rules if rule and (rule[4] > 255) == wide]
        for part in _parts(chosen, pad):
            _Batch([r for r, _ in part], [rule for _, rule in part], pad).fill(families)


def _parts(chosen: list, pad: int) -> Iterator[list]:
    begin, total = 0, 0
    for at, (region, rule) in enumerate(chosen):
        longest, ng = max(region.mask.shape), rule[4]
        size = 13 * ng * (4 * ng + 8 * longest) + 24 * ng * 27 + 20 * region.mask.size
        if at > begin and total + size > _BYTES:
            yield chosen[begin:at]
            begin, total = at, 0
        total += size
    if len(chosen) > begin:
        yield chosen[begin:]


class _Batch:
    """Regions packed behind each other."""

    def __init__(self, regions: list[Region], rules: list[Any], pad: int):
        self.regions, self.rules, self.pad = regions, rules, pad
        self.xp, self.kernels = regions[0].xp, regions[0].kernels
        boxes = np.array([r.mask.shape for r in regions], np.int64)
        padded = boxes + 2 * pad
        self.ng = np.array([rule[4] for rule in rules], np.int64)
        self.first = _starts(padded.prod(axis=1))
        self.boxes = np.column_stack([_starts(boxes.prod(axis=1))[:-1], boxes])
        self.table = np.column_stack([self.first[:-1], padded, self.ng])
        self.longest = boxes.max(axis=1)
        self.shapes = self.xp.asarray(self.table)

    def fill(self, families: tuple[str, ...]) -> None:
        self._pack()
        if "glcm" in families:
            self._glcm()
        if "glrlm" in families:
            self._runs()
        if {"ngtdm", "ngldm"} & set(families):
            self._neighbourhoods()
        if "glszm" in families and "gldzm" not in families:
            self._zones()

    def _pack(self) -> None:
        xp = self.xp
        values = xp.concatenate([r.values.reshape(-1) for r in self.regions])
        mask = xp.concatenate([r.mask.reshape(-1) for r in self.regions])
        rules = np.array([rule[:4] for rule in self.rules], np.float64)
        top = int(self.ng.max())
        self.levels = xp.empty(int(self.first[-1]), np.uint8 if top <= 255 else np.uint16)
        counts = xp.empty((len(self.regions), top + 1), np.int64)
        self.kernels.discretise_batch(
            values, mask, xp.asarray(self.boxes), xp.asarray(rules), self.shapes, self.pad,
            self.levels, counts,
        )  # fmt: skip
        found = host(counts)
        for k, (region, rule) in enumerate(zip(self.regions, self.rules, strict=True)):
            shape = tuple(int(n) for n in self.table[k, 1:4])
            packed = self.levels[self.first[k] : self.first[k + 1]].reshape(shape)
            numbers = found[k, 1 : self.ng[k] + 1].copy()
            region.__dict__["_levels"] = Levels(packed, self.pad, int(self.ng[k]), numbers, rule[5])

    def _glcm(self) -> None:
        offsets = half_offsets(self.regions[0].settings.distances, in_plane=False)
        starts = _starts(len(offsets) * self.ng**2)
        out = self.xp.empty(int(starts[-1]), np.uint32)
        self.kernels.glcm_count_batch(
            self.levels, self.shapes, self.pad, self.xp.asarray(offsets),
            self.xp.asarray(starts), out,
        )  # fmt: skip
        for k, region in enumerate(self.regions):
            shape = (len(offsets), int(self.ng[k]), int(self.ng[k]))
            region.__dict__["_pairs"] = out[starts[k] : starts[k + 1]].reshape(shape)

    def _runs(self) -> None:
        starts = _starts(13 * self.ng * self.longest)
        out = self.xp.empty(int(starts[-1]), np.uint64)
        offsets = half_offsets((1,), in_plane=False)
        self.kernels.run_lengths_batch(
            self.levels, self.shapes, self.pad, self.xp.asarray(offsets),
            self.xp.asarray(starts), out,
        )  # fmt: skip
        for k, region in enumerate(self.regions):
            shape = (13, int(self.ng[k]), int(self.longest[k]))
            region.__dict__["_runs"] = out[starts[k] : starts[k + 1]].reshape(shape)

    def _neighbourhoods(self) -> None:
        settings, xp = self.regions[0].settings, self.xp
        offsets = neighbourhood_offsets(settings, False)
        columns = len(offsets) + 1
        starts = _starts(columns * self.ng)
        tones = xp.empty(2 * int(starts[-1]), np.uint64)
        dependences = xp.empty(int(starts[-1]), np.uint64)
        self.kernels.neighbourhood_batch(
            self.levels, self.shapes, self.pad, xp.asarray(offsets), settings.gldm_alpha,
            xp.asarray(starts), tones, dependences,
        )  # fmt: skip
        for k, region in enumerate(self.regions):
            begin, end, ng = starts[k], starts[k + 1], int(self.ng[k])
            region.__dict__.setdefault("_neighbourhoods", {})[False, False] = (
                tones[2 * begin : 2 * end].reshape(ng, columns, 2),
                dependences[begin:end].reshape(ng, columns),
            )

    def _zones(self) -> None:
        xp = self.xp
        starts = _starts(np.array([region.count for region in self.regions]))
        zones = xp.empty((int(starts[-1]), 4), np.int32)
        counts = xp.empty(len(self.regions), np.int64)
        self.kernels.find_zones_batch(
            self.levels, self.shapes, self.pad, False, xp.asarray(starts), zones, counts
        )
        rows, numbers = host(zones), host(counts)
        for k, region in enumerate(self.regions):
            found = rows[starts[k] : starts[k] + numbers[k]]
            region.__dict__.setdefault("_zones", {})[False, False] = found


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
