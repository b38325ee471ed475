"""Transform, product and transform back in one kernel against the three steps."""

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core import ShapeError
from pyrad_core._kernels.select import cpu_kernels

from .oracles import complex_normal

SHAPES = [((1, 1, 1), 2), ((1, 1, 20), 1), ((1, 12, 15), 12), ((6, 10, 9), 4), ((7, 1, 8), 2)]


@pytest.mark.parametrize("cells, lanes", SHAPES)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_filter_numpy(cells, lanes, dtype):
    rng = np.random.default_rng(0)
    grid = complex_normal(rng, (*cells, lanes), dtype)
    factor = rng.random(cells).astype(grid.real.dtype)
    spectrum = np.fft.fftn(grid.astype(complex), axes=(0, 1, 2)) * factor[..., None]
    expected = np.fft.ifftn(spectrum, axes=(0, 1, 2)) * np.prod(cells)
    former, results = prc.num_threads(), []
    for count in (1, 3):
        prc.set_num_threads(count)
        got = grid.copy()
        cpu_kernels().lane_fft_filter(got, factor, cells)
        results.append(got)
    prc.set_num_threads(former)
    assert relative_error(results[0], expected) < (1e-6 if dtype == np.complex64 else 1e-14)
    np.testing.assert_array_equal(*results)
    with pytest.raises(ShapeError, match="factor has"):
        cpu_kernels().lane_fft_filter(grid, np.ones((9, 9, 9), grid.real.dtype), cells)


@pytest.mark.parametrize("cells, lanes", SHAPES)
def test_filter_cuda_twin(device, cells, lanes):
    rng = np.random.default_rng(1)
    grid = complex_normal(rng, (*cells, lanes), np.complex128)
    factor = rng.random(cells)
    expected, got = grid.copy(), device.array(grid)
    cpu_kernels().lane_fft_filter(expected, factor, cells)
    with device:
        device.kernels.lane_fft_filter(got, device.array(factor), cells)
    assert relative_error(device.numpy(got), expected) < 1e-13
