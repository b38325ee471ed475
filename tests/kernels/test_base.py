"""csrc/base through both kernel tables."""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core._kernels import cpu


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 255, 70_001])
def test_count_nonfinite_parity(device, dtype, size):
    x = np.random.default_rng(size).standard_normal(size).astype(dtype)
    if size > 10:
        x[[size // 2, size - 1]] = np.nan, -np.inf
        x[3] = np.finfo(dtype).max
    with device:
        found = device.kernels.count_nonfinite(device.array(x))
    bad = np.flatnonzero(~np.isfinite(x))
    assert found == cpu.count_nonfinite(x) == (bad.size, bad[0] if bad.size else -1)
