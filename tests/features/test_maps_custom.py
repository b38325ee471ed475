"""Local features of the user's own."""

import ctypes

import numpy as np
import pytest
from scipy import ndimage

import pyrad_core as prc
from pyrad_core import features
from pyrad_core.errors import DataError

NUMBER = ctypes.POINTER(ctypes.c_double)
COUNT = ctypes.POINTER(ctypes.c_int64)
KIND = ctypes.CFUNCTYPE(ctypes.c_double, NUMBER, ctypes.c_int64, NUMBER, COUNT, NUMBER)


def data(dtype=np.float32, shape=(5, 7, 9)):
    rng = np.random.default_rng(0)
    return rng.normal(0, 10, shape).astype(dtype), (rng.random(shape) < 0.7).astype(np.uint8)


@pytest.fixture(scope="module")
def compiled():
    numba = pytest.importorskip("numba")

    @numba.cfunc(features.LOCAL_FEATURE)
    def spread(values, count, window, shape, spacing):
        inside = numba.carray(values, count)
        inside.sort()
        return inside[count - 1] - inside[0]

    @numba.cfunc(features.LOCAL_FEATURE)
    def volume(values, count, window, shape, spacing):
        box = numba.carray(window, (shape[0], shape[1], shape[2]))
        known = 0
        for x in box.flat:
            known += x == x
        return known * spacing[0] * spacing[1] * spacing[2]

    return {"Spread": spread, "Volume": volume}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("radius", [1, 3])
def test_range_and_volume_scipy(compiled, dtype, radius):
    image, mask = data(dtype)
    got = features.maps(image, mask, features=compiled, radius=radius, spacing=(3.0, 1.0, 0.5))
    size = 2 * radius + 1
    high = ndimage.maximum_filter(np.where(mask, image, -np.inf), size, mode="constant", cval=-1e9)
    low = ndimage.minimum_filter(np.where(mask, image, np.inf), size, mode="constant", cval=1e9)
    count = ndimage.convolve(mask.astype(float), np.ones((size,) * 3), mode="constant")
    assert list(got) == ["original_local_Spread", "original_local_Volume"]
    for name, expected in (("Spread", high - low), ("Volume", 1.5 * count)):
        values = got[f"original_local_{name}"]
        assert values.dtype == dtype
        assert np.isnan(values[mask == 0]).all()
        np.testing.assert_allclose(values[mask == 1], expected[mask == 1], rtol=1e-6)


def test_windows_beyond_the_mask_and_in_two_dimensions(compiled):
    image, mask = data()
    settings = features.Settings(masked_kernel=False)
    wide = features.maps(image, mask, features=compiled, settings=settings, spacing=1.0)
    inner = wide["original_local_Volume"][1:-1, 1:-1, 1:-1]
    assert (inner[mask[1:-1, 1:-1, 1:-1] == 1] == 27).all()
    flat = features.maps(image[2], mask[2], features=compiled, spacing=1.0)
    assert flat["original_local_Spread"].shape == (7, 9)


@pytest.mark.sanitize
def test_a_ctypes_function_on_all_threads():
    image, mask = data()
    mean = KIND(lambda values, count, window, shape, spacing: sum(values[:count]) / count)
    found = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            found.append(features.maps(image, mask, features={"Mean": mean}))
    whole = features.maps(image, mask, family="first_order", features="Mean")
    for got in found:
        np.testing.assert_allclose(
            got["original_local_Mean"], whole["original_first_order_Mean"], rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"F": lambda *_: 0.0}, "'F' is a Python function; expected a numba.cfunc"),
        ({"F": 3}, "signature float64"),
        ({"F": ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)}, "signature float64"),
        ({"F": ctypes.CFUNCTYPE(ctypes.c_float, *KIND._argtypes_)(abs)}, "signature float64"),
        ({"my_feature": KIND(lambda *_: 0.0)}, "without underscores"),
        ({}, "features is empty"),
    ],
)
def test_wrong_functions(wrong, message):
    image, mask = data()
    with pytest.raises(DataError, match=message):
        features.maps(image, mask, features=wrong)


def test_family_and_functions_exclude_each_other():
    image, mask = data()
    with pytest.raises(DataError, match="leave family out"):
        features.maps(image, mask, family="glcm", features={"F": KIND(lambda *_: 0.0)})
    with pytest.raises(DataError, match="family"):
        features.maps(image, mask)


def test_on_a_gpu_the_error_says_so(device):
    image, mask = data()
    function = {"F": KIND(lambda *_: 0.0)}
    with device, pytest.raises(DataError, match="runs on the CPU only"):
        features.maps(device.array(image), device.array(mask), features=function)
