"""Bad inputs 62-69 of the catalogue, over every method that ``pyrad-core denoise`` knows."""

from __future__ import annotations

import contextlib
import inspect

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import denoise
from pyrad_core.cli._denoise_methods import METHODS

WIDTHS = {"patch", "window", "search", "size"}  # of neighbourhoods, in voxels
STRENGTHS = {"sigma", "h", "weight", "sigma_space", "sigma_range", "conductance"}
#: Methods whose widths may be even.
EVEN = {"bm4d", "bm3d", "median", "percentile", "rank"}
#: Widths that mean something else: gibbs has two distances.
OTHER = {("gibbs", "window")}
LIMITS = [np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64]

EVERY = pytest.mark.parametrize("name", METHODS)


def _accepted(name):
    return set(inspect.signature(getattr(denoise, name)).parameters)


def _shape(name):
    method = METHODS[name]
    if method.series:
        return (12, 7, 8, 9)
    return (7, 14, 15) if 3 in method.dims else (14, 15)


def _image(name, seed=0):
    shape = _shape(name)
    x = np.zeros(shape)
    x[..., shape[-1] // 2 :] = 4
    return x + np.random.default_rng(seed).normal(10, 0.5, shape)


def _call(name, image, noise=0.5, /, **options):
    """The image that the method makes, called as the command does."""
    method = METHODS[name]
    arguments = {**method.defaults, **method.levels(noise, 1.0), **options}
    found = getattr(denoise, name)(image, **arguments)
    return found[0] if isinstance(found, tuple) else found


@EVERY
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_input_62_nan_or_inf(name, value):
    image = _image(name)
    at = tuple(n // 2 for n in image.shape)
    image[at] = value
    with pytest.raises(prc.DataError, match=r"holds 1 NaN or Inf values, the first at index") as e:
        _call(name, image)
    assert str(at) in str(e.value)


@pytest.mark.parametrize(
    ("name", "width"),
    sorted({(n, w) for n in METHODS for w in _accepted(n) & WIDTHS} - OTHER),
)
def test_bad_input_63_64_wider_than_the_image_and_even_widths(name, width):
    image = _image(name)
    if width in ("patch", "window"):
        with pytest.raises(prc.DataError, match=rf"{width} is .*101.*\d+, \d+"):
            _call(name, image, **{width: 101})
    if name not in EVEN:
        with pytest.raises(prc.DataError, match=rf"{width} is .*4.*odd"):
            _call(name, image, **{width: 4})
    for bad in (0, -3, 2.5):
        with pytest.raises(prc.DataError, match=width):
            _call(name, image, **{width: bad})


@pytest.mark.parametrize(
    ("name", "strength"), [(n, s) for n in METHODS for s in sorted(_accepted(n) & STRENGTHS)]
)
def test_bad_input_65_negative_strength(name, strength):
    image = _image(name)
    for bad in (-1.0, np.nan):
        with pytest.raises(prc.DataError, match=strength):
            _call(name, image, **{strength: bad})
    if strength == "h":
        with pytest.raises(prc.DataError, match="h is 0"):
            _call(name, image, h=0.0)


@EVERY
@pytest.mark.parametrize("axis", [-3, -2, -1])
def test_bad_input_66_one_voxel_along_an_axis(name, axis):
    """A defined result, or an error with the shape; bounds are what the sanitizers see."""
    image = _image(name)
    if image.ndim < -axis:
        pytest.skip("the method has two dimensions")
    image = np.take(image, [2], axis)
    try:
        result = _call(name, image)
    except prc.PyradError as error:
        assert str(image.shape[axis]) in str(error)
        return
    assert result.shape == image.shape and np.isfinite(result).all()


@EVERY
def test_arguments_of_wrong_types(name):
    """An error of the package, or (flags, text that reads as a number) an accepted value."""
    image = _image(name).astype(np.float32)
    for argument in sorted(_accepted(name) - {"image", "dwi"}):
        for bad in ("x", (), (1, None, 2, "a", 3), [[1, 2], [3]], {}, object(), 1j, 10**400):
            with contextlib.suppress(prc.PyradError):
                _call(name, image, **{argument: bad})
    for bad in (None, "x", [[1, 2], [3]], object()):
        with pytest.raises(prc.DataError):
            _call(name, bad)


@EVERY
def test_numpy_scalars_and_lists_are_numbers_and_tuples(name):
    image = _image(name).astype(np.float32)
    defaults = inspect.signature(getattr(denoise, name)).parameters.items()
    given = {key: p.default for key, p in defaults if type(p.default) in (int, float)}
    pairs = {key: p.default for key, p in defaults if isinstance(p.default, tuple)}
    scalars = {key: np.dtype(type(value)).type(value) for key, value in given.items()}
    lists = {key: list(value) for key, value in pairs.items()}
    np.testing.assert_array_equal(_call(name, image, **scalars, **lists), _call(name, image))


@EVERY
def test_bad_input_66_no_voxel_and_wrong_dimensions(name):
    for shape in [(0, *_shape(name)[1:]), ()]:
        with pytest.raises(prc.DataError):
            _call(name, np.zeros(shape))
    with pytest.raises(prc.DataError, match="float16"):
        _call(name, _image(name).astype(np.float16))


@EVERY
@pytest.mark.parametrize("value", [0.0, 0.1, -1000.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bad_input_67_constant_image(name, value, dtype):
    image = np.full(_shape(name), value, dtype)
    result = _call(name, image)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, image, rtol=8 * np.finfo(dtype).eps)


@EVERY
def test_bad_input_68_integers_become_float32(name):
    image = (_image(name) * 10).astype(np.int16)
    result = _call(name, image, 5.0)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, _call(name, image.astype(np.float32), 5.0))


@EVERY
@pytest.mark.parametrize("dtype", LIMITS)
def test_bad_input_69_integers_near_their_limits(name, dtype):
    """No overflow: the result of values at both ends stays finite and near their range."""
    ends = np.iinfo(dtype)
    image = np.random.default_rng(0).choice(np.array([ends.min, ends.max], dtype), _shape(name))
    noise = 0.1 * float(ends.max)
    result = _call(name, image, noise)
    width = float(ends.max) - float(ends.min)
    assert np.isfinite(result).all()
    assert result.min() > ends.min - width and result.max() < ends.max + width


@EVERY
def test_input_is_left_alone_whatever_its_strides(name):
    image = _image(name).astype(np.float32)
    wide = np.zeros([2 * n for n in image.shape], np.float32)
    view = wide[tuple(slice(None, None, 2) for _ in image.shape)]
    view[...] = image
    kept = image.copy()
    image.flags.writeable = False
    expected = _call(name, image)
    np.testing.assert_array_equal(image, kept)
    np.testing.assert_array_equal(_call(name, view), expected)
    np.testing.assert_array_equal(_call(name, np.asfortranarray(image)), expected)
    np.testing.assert_array_equal(_call(name, image[::-1].copy()[::-1]), expected)


@pytest.mark.parametrize("name", [n for n in METHODS if "out" in _accepted(n)])
def test_out_is_filled_or_refused(name):
    image = _image(name).astype(np.float32)
    expected, out = _call(name, image), np.full_like(image, np.nan)
    assert _call(name, image, out=out) is out
    np.testing.assert_array_equal(out, expected)
    fixed = np.empty_like(image)
    fixed.flags.writeable = False
    for bad, why in [
        (np.empty(image.shape), "dtype"),
        (np.empty(image.shape[:-1], np.float32), "shape"),
        (np.empty(image.shape[::-1], np.float32).T, "contiguous"),
        (fixed, "read-only|writable"),
    ]:
        with pytest.raises(prc.DataError, match=f"out.*({why})"):
            _call(name, image, out=bad)


@pytest.mark.parametrize("name", [n for n in METHODS if "mask" in _accepted(n)])
def test_outside_of_the_mask_the_image_stays(name):
    image = _image(name).astype(np.float32)
    inside = np.zeros(image.shape[-min(image.ndim, 3) :], bool)
    inside[..., 2:-2, 1:-1] = True
    result = _call(name, image, mask=inside)
    np.testing.assert_array_equal(result[..., ~inside], image[..., ~inside])
    with pytest.raises(prc.ShapeError, match="mask"):
        _call(name, image, mask=inside[..., 1:])
    nothing = _call(name, image, mask=np.zeros_like(inside))
    np.testing.assert_array_equal(nothing, image)


@EVERY
def test_same_bits_for_any_number_of_threads(name, thread_count):
    image = _image(name).astype(np.float32)
    prc.set_num_threads(1)
    single = _call(name, image)
    prc.set_num_threads(3)
    np.testing.assert_array_equal(_call(name, image), single)
