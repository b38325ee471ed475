"""Many regions of one image: labels of a mask, or masks, or both.

Boxes of all labels come from one pass over a mask. Where filters, resampling or normalisation look
at more than a region, masks close to each other share one filtered image; everything else is worked
out per region, so that each result is that of a call of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import threads
from .._kernels.select import edge_of, host_array
from ..errors import DataError
from ._batch import share_matrices
from ._image import take_pair
from ._run import add_region, margin_of, provenance
from .preprocess import Prepared, prepare, regions_of
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["Job", "labels_of", "many_results"]

_DENSE_LABELS = 1 << 16
_HALO = 16  # voxels around a box, about what filters look at
_BATCH_VOXELS = 1 << 24  # of the boxes that are in work at a time
_MASK_BYTES = 256 << 20  # of whole masks that are in work at a time
_APART = ("lbp3d",)  # filters that depend on the mask
_WHOLE = ("nonseparable_wavelet", "riesz")  # filters that work on the whole image in any case

Box = tuple[tuple[int, int], ...]


@dataclass
class Job:
    """A label of a mask; its box and voxels, if they are known."""

    mask: Any
    label: int
    known: tuple[Box, int] | None = None


def labels_of(mask: Any, labels: Sequence[int] | None) -> list[Job]:
    """A job per label (all that occur, in increasing order, if None), with boxes from one pass."""
    edge = edge_of(mask=take_pair(mask, mask, None)[1].data)
    array = _whole_numbers(edge["mask"])
    top = -1 if array is None else int(array.max())
    if not 0 <= top < _DENSE_LABELS or (array.dtype.kind == "i" and int(array.min()) < 0):
        return [Job(mask, label) for label in _present(edge, labels)]
    out = edge.xp.empty((top + 1, 7), np.int64)
    edge.kernels.label_boxes(edge.xp.ascontiguousarray(array), out)
    table = host_array(out)
    chosen = [int(v) for v in np.flatnonzero(table[:, 6])] if labels is None else labels
    if not chosen:
        raise DataError("mask is empty: all its voxels are 0")
    return [Job(mask, label, _known(table, label)) for label in chosen]


def _whole_numbers(array: Any) -> Any:
    """The mask in a type that boxes are counted in, or None if its values are no labels."""
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype.name in ("uint8", "uint16", "int16", "int32", "int64"):
        return array
    if (
        array.dtype.kind != "f"
        or array.dtype.itemsize < 4
        or not bool((array < _DENSE_LABELS).all())
    ):
        return None
    whole = array.astype(np.int32)
    return whole if bool((whole == array).all()) else None


def _known(table: np.ndarray, label: int) -> tuple[Box, int] | None:
    """None where the label does not occur: the call of its own says so."""
    if label >= len(table) or not table[label, 6]:
        return None
    begin, end = table[label, :3], table[label, 3:6]
    return tuple((int(b), int(e)) for b, e in zip(begin, end, strict=True)), int(table[label, 6])


def _present(edge: Any, labels: Sequence[int] | None) -> Sequence[int]:
    if labels is not None:
        return labels
    found = [int(v) for v in edge.xp.unique(edge["mask"]).tolist() if v > 0]
    if not found:
        raise DataError("mask is empty: all its voxels are 0")
    return found


def many_results(
    image: Any, jobs: Sequence[Job], settings: Settings, spacing: Any, families: tuple[str, ...]
) -> list[Features]:
    """A result per job, in order."""
    results: list[Features] = []
    shared: dict[str, Any] = {}
    margin = margin_of(families)
    for part in _parts(jobs, _most_at_once(image, settings)):
        several = [
            prepare(
                image, job.mask, settings=settings, spacing=spacing, label=job.label,
                margin_mm=margin, known=job.known, shared=shared,
            )
            for job in part
        ]  # fmt: skip
        found = {id(p): Features(settings) for p in several}
        for group in _groups(several, settings):
            _extract(group, [found[id(p)] for p in group], families)
        for job, p in zip(part, several, strict=True):
            result = found[id(p)]
            result.provenance = provenance(p, job.label, result.__dict__.pop("_voxels"))
            results.append(result)
    return results


def _most_at_once(image: Any, settings: Settings) -> int:
    """Regions that may be in work together, where each keeps a mask of the whole image."""
    if set(settings.filters) == {"original"} and settings.resample is None:
        return 1 << 20
    return max(1, _MASK_BYTES // int(np.prod(getattr(image, "shape", None) or (1 << 24,))))


def _parts(jobs: Sequence[Job], most: int) -> Iterator[Sequence[Job]]:
    """Jobs in a row that are not too many and whose boxes are not too large in total."""
    begin, voxels = 0, 0
    for at, job in enumerate(jobs):
        size = _volume(job.known[0]) if job.known else _BATCH_VOXELS
        if at > begin and (voxels + size > _BATCH_VOXELS or at - begin >= most):
            yield jobs[begin:at]
            begin, voxels = at, 0
        voxels += size
    yield jobs[begin:]


def _groups(several: list[Prepared], settings: Settings) -> list[list[Prepared]]:
    """Which masks are filtered at once: together they take no more than each with its halo."""
    if not several[0].whole or set(settings.filters) & set(_APART):
        if set(settings.filters) == {"original"}:
            return [several]  # nothing is filtered
        return [[p] for p in several]
    if set(settings.filters) & set(_WHOLE):
        return [several]
    groups: list[tuple[Box, int, list[Prepared]]] = []
    for p in several:
        own = _grown(p.box)
        for at, (box, cost, members) in enumerate(groups):
            both = tuple((min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(box, own, strict=True))
            if _volume(both) <= cost + _volume(own):
                groups[at] = both, _volume(both), [*members, p]
                break
        else:
            groups.append((own, _volume(own), [p]))
    return [members for _, _, members in groups]


def _grown(box: Box) -> Box:
    return tuple((begin - _HALO, end + _HALO) for begin, end in box)


def _volume(box: Box) -> int:
    return int(np.prod([end - begin for begin, end in box]))


def _extract(group: list[Prepared], results: list[Features], families: tuple[str, ...]) -> None:
    workers = min(threads.num_threads(), len(group))
    threaded = workers > 1 and isinstance(group[0].image, np.ndarray)
    with ThreadPoolExecutor(workers if threaded else 1) as pool:
        for name, regions in regions_of(group):
            share_matrices(regions, families)

            def one(result: Features, region: Region, name: str = name) -> None:
                result.__dict__["_voxels"] = region.count
                add_region(result, name, region, families)

            run = pool.map if threaded else map
            list(run(one, results, regions))
