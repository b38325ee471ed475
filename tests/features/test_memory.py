"""Peak memory of an extraction stays a known multiple of the region's box."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pyrad_core import features

BYTES_PER_VOXEL = 32  # of the box, at most; measured: 24 where every voxel is a zone of its own


def _status(field):
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M).group(1)) * 1024


def test_peak_of_all_matrices():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("the kernel does not tell the peak of memory")
    n = 120
    image = np.random.default_rng(0).integers(0, 400, (n, n, n)).astype(np.float32)
    mask = np.ones((n, n, n), np.uint8)
    families = ("first_order", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
    settings = features.Settings(discretisation=("fbn", 32), families=families)
    features.extract(image[:9, :9, :9], mask[:9, :9, :9], settings=settings)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    features.extract(image, mask, settings=settings)
    grown = _status("VmHWM") - before
    assert grown < BYTES_PER_VOXEL * n**3 + (24 << 20)  # and what does not depend on the size


def test_a_small_region_costs_its_own_memory():
    """No copy of the image: 64 MB of it, a region of 1000 voxels."""
    import tracemalloc

    image = np.zeros((64, 500, 500), np.float32)
    image += np.random.default_rng(0).normal(0, 50, (64, 1, 500)).astype(np.float32)
    mask = np.zeros(image.shape, np.uint8)
    mask[20:30, 200:210, 200:210] = 1
    settings = features.Settings.preset("pyradiomics", binWidth=10)
    tracemalloc.start()
    try:
        features.extract(image, mask, settings=settings, spacing=1.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
