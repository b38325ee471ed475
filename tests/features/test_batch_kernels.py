"""Kernels that take many regions in one call, against the kernels of one region, CPU and CUDA."""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core import features
from pyrad_core._kernels import cpu
from pyrad_core.features.offsets import half_offsets, neighbourhood_offsets

PAD = 2


class Batch:
    """Random regions of different sizes and numbers of levels."""

    def __init__(self, dtype, level_counts=(5, 1, 12, 30)):
        rng = np.random.default_rng(7)
        sizes = [(4, 5, 6), (1, 1, 1), (3, 9, 2), (2, 3, 17)]
        self.volumes = [
            np.pad(rng.integers(0, ng + 1, size).astype(dtype), PAD)
            for size, ng in zip(sizes, level_counts, strict=True)
        ]
        self.ng = level_counts
        first = np.cumsum([0, *(v.size for v in self.volumes)])
        rows = zip(first, self.volumes, level_counts, strict=False)
        self.shapes = np.array([(at, *v.shape, ng) for at, v, ng in rows], np.int64)
        self.levels = np.concatenate([v.ravel() for v in self.volumes])

    def starts(self, cells):
        return np.cumsum([0, *cells]).astype(np.int64)


@pytest.fixture(params=[np.uint8, np.uint16])
def batch(request):
    return Batch(request.param)


def on(device, kernel, *args, outputs):
    """The kernel's outputs on the CPU and on the device; equal in every bit."""
    expected = [np.empty(shape, dtype) for shape, dtype in outputs]
    getattr(cpu, kernel)(*args, *expected)
    with device:
        moved = [device.array(a) if isinstance(a, np.ndarray) else a for a in args]
        out = [device.array(np.ones(shape, dtype)) for shape, dtype in outputs]
        getattr(device.kernels, kernel)(*moved, *out)
    return expected, [device.numpy(o) for o in out]


def test_glcm_count_batch(device, batch):
    offsets = half_offsets((1, 2), in_plane=False)
    starts = batch.starts([len(offsets) * ng * ng for ng in batch.ng])
    (expected,), (got,) = on(
        device, "glcm_count_batch", batch.levels, batch.shapes, PAD, offsets, starts,
        outputs=[((starts[-1],), np.uint32)],
    )  # fmt: skip
    np.testing.assert_array_equal(got, expected)
    for r, (volume, ng) in enumerate(zip(batch.volumes, batch.ng, strict=True)):
        one = np.empty((len(offsets), ng, ng), np.uint32)
        cpu.glcm_count(volume, PAD, offsets, one)
        np.testing.assert_array_equal(expected[starts[r] : starts[r + 1]], one.ravel())


def test_run_lengths_batch(device, batch):
    offsets = half_offsets((1,), in_plane=False)
    longest = [max(v.shape) - 2 * PAD for v in batch.volumes]
    starts = batch.starts([13 * ng * n for ng, n in zip(batch.ng, longest, strict=True)])
    (expected,), (got,) = on(
        device, "run_lengths_batch", batch.levels, batch.shapes, PAD, offsets, starts,
        outputs=[((starts[-1],), np.uint64)],
    )  # fmt: skip
    np.testing.assert_array_equal(got, expected)
    for r, (volume, ng) in enumerate(zip(batch.volumes, batch.ng, strict=True)):
        one = np.empty((13, ng, longest[r]), np.uint64)
        cpu.run_lengths(volume, PAD, offsets, one)
        np.testing.assert_array_equal(expected[starts[r] : starts[r + 1]], one.ravel())


def test_neighbourhood_batch(device, batch):
    offsets = neighbourhood_offsets(features.Settings(distances=(1,)), False)
    starts = batch.starts([27 * ng for ng in batch.ng])
    sizes = [((2 * starts[-1],), np.uint64), ((starts[-1],), np.uint64)]
    args = (batch.levels, batch.shapes, PAD, offsets, 0, starts)
    expected, got = on(device, "neighbourhood_batch", *args, outputs=sizes)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    for r, (volume, ng) in enumerate(zip(batch.volumes, batch.ng, strict=True)):
        tones, dependences = np.empty((ng, 27, 2), np.uint64), np.empty((ng, 27), np.uint64)
        cpu.neighbourhood(volume, PAD, offsets, 0, tones, dependences)
        part = slice(starts[r], starts[r + 1])
        np.testing.assert_array_equal(expected[1][part], dependences.ravel())
        np.testing.assert_array_equal(expected[0][2 * starts[r] : 2 * starts[r + 1]], tones.ravel())


@pytest.mark.parametrize("in_plane", [False, True])
def test_find_zones_batch(device, batch, in_plane):
    starts = batch.starts([np.count_nonzero(v) for v in batch.volumes])
    sizes = [((starts[-1], 4), np.int32), ((len(batch.ng),), np.int64)]
    args = (batch.levels, batch.shapes, PAD, in_plane, starts)
    (zones, counts), (got, got_counts) = on(device, "find_zones_batch", *args, outputs=sizes)
    np.testing.assert_array_equal(got_counts, counts)
    none = np.empty((0, 0, 0), np.uint16)
    for r, volume in enumerate(batch.volumes):
        one = np.empty((np.count_nonzero(volume), 4), np.int32)
        assert cpu.find_zones(volume, PAD, in_plane, none, one) == counts[r]
        part = slice(starts[r], starts[r] + counts[r])
        np.testing.assert_array_equal(zones[part], one[: counts[r]])
        np.testing.assert_array_equal(got[part], one[: counts[r]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level_dtype", [np.uint8, np.uint16])
def test_discretise_batch(device, dtype, level_dtype):
    batch, rng = Batch(level_dtype), np.random.default_rng(2)
    values = [rng.normal(50, 20, np.array(v.shape) - 2 * PAD).astype(dtype) for v in batch.volumes]
    masks = [(rng.random(v.shape) < 0.7).astype(np.uint8) for v in values]
    first = np.cumsum([0, *(v.size for v in values)])
    boxes = np.array([(a, *v.shape) for a, v in zip(first, values, strict=False)], np.int64)
    rules = np.array([(0, 0.0, 100.0, 5.0), (1, 0.0, 25.0, 0), (0, 5.0, 9.0, 1.0), (1, -3.0, 4, 0)])
    flat = (np.concatenate([a.ravel() for a in arrays]) for arrays in (values, masks))
    args = (*flat, boxes, rules, batch.shapes, PAD)
    sizes = [(batch.levels.shape, level_dtype), ((4, 31), np.int64)]
    expected, got = on(device, "discretise_batch", *args, outputs=sizes)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    for r, ng in enumerate(batch.ng):
        one = np.empty(batch.volumes[r].shape, level_dtype)
        kind, a, b, c = rules[r]
        if kind:
            cpu.discretise_steps(values[r], masks[r], a, b, ng, PAD, one)
        else:
            cpu.discretise_uniform(values[r], masks[r], a, b, c, ng, PAD, one)
        at = batch.shapes[r, 0]
        np.testing.assert_array_equal(expected[0][at : at + one.size], one.ravel())
        np.testing.assert_array_equal(expected[1][r], np.bincount(one.ravel(), minlength=31))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.int64])
def test_label_boxes(device, dtype):
    mask = np.random.default_rng(0).integers(0, 6, (5, 6, 19)).astype(dtype)
    mask[mask == 3] = 0
    mask[1, 2, 3:9] = 7
    (expected,), (got,) = on(device, "label_boxes", mask, outputs=[((7, 7), np.int64)])
    np.testing.assert_array_equal(got, expected)
    assert not expected[0].any() and not expected[3].any()
    for label in (1, 2, 4, 5):
        at = np.argwhere(mask == label)
        wanted = [*at.min(axis=0), *(at.max(axis=0) + 1), len(at)]
        np.testing.assert_array_equal(expected[label], wanted)


def test_batch_refuses_what_would_leave_its_arrays(batch):
    offsets = half_offsets((1,), in_plane=False)
    starts = batch.starts([13 * ng * ng for ng in batch.ng])
    out = np.empty(starts[-1], np.uint32)
    for change in ((0, 0, 10**6), (2, 1, 1), (1, 4, 3), (3, 4, 10**6)):
        shapes = batch.shapes.copy()
        shapes[change[:2]] = change[2]
        if tuple(change) == (1, 4, 3):
            shapes[0, 4] = 1  # levels beyond
        with pytest.raises(Exception, match="region|levels"):
            cpu.glcm_count_batch(batch.levels, shapes, PAD, offsets, starts, out)
