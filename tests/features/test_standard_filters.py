"""IBSI 2's filters as image types: in windows what pyrad_core.filters gives on the whole image."""

import math

import numpy as np
import pytest

from pyrad_core import features, filters
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.errors import DataError
from pyrad_core.features import Settings
from pyrad_core.features.filtering import Source, filtered_images

SPACING = (2.0, 1.0, 1.0)
WINDOWS = {
    "inside": (slice(9, 12), slice(14, 20), slice(13, 21)),
    "border": (slice(0, 4), slice(29, 33), slice(0, 3)),
    "all": (slice(0, 20), slice(0, 33), slice(0, 34)),
}
GABOR = {"sigma": 1.5, "wavelength": 3.0, "aspect": 1.5, "angle_step": math.pi / 4}
# Settings of the image type, title, function, its arguments; letters for 3D and by slice.
CASES = [
    ("mean", {"support": 5}, "mean-5", filters.mean, {"support": 5}),
    (
        "laplacian_of_gaussian",
        {"sigma": [1.5]},
        "laplacian-of-gaussian-sigma-1-5-mm-{}D",
        filters.laplacian_of_gaussian,
        {"sigma": 1.5, "spacing": SPACING},
    ),
    (
        "laws",
        {"kernels": "L5E5{S5}", "pooling": "max", "energy_distance": 3},
        "laws-L5E5{S5}-max-energy-3",
        filters.laws,
        {"kernels": "L5E5{S5}", "pooling": "max", "energy_distance": 3},
    ),
    (
        "gabor",
        GABOR,
        "gabor-sigma-1-5-mm-wavelength-3-0-mm-aspect-1-5-mean-axial",
        filters.gabor,
        {**GABOR, "spacing": SPACING},
    ),
    (
        "separable_wavelet",
        {"wavelet": "db2", "bands": "LH{H}", "level": 2},
        "separable-wavelet-db2-LH{H}-level-2",
        filters.separable_wavelet,
        {"wavelet": "db2", "bands": "LH{H}", "level": 2},
    ),
    (
        "nonseparable_wavelet",
        {"level": 2},
        "nonseparable-wavelet-simoncelli-level-2",
        filters.nonseparable_wavelet,
        {"level": 2},
    ),
    (
        "riesz",
        {"order": (1, 0, 1), "sigma": 2.0},
        "riesz-1-0-1-sigma-2-0-mm",
        filters.riesz,
        {"order": (1, 0, 1), "sigma": 2.0, "spacing": SPACING},
    ),
]


def volume(seed=0, shape=(20, 33, 34)):
    return np.random.default_rng(seed).normal(100, 40, shape).astype(np.float32)


def images(image, given, window, spacing=SPACING, flat=False, **settings):
    source = Source(
        np, cpu_kernels(), image, spacing, Settings(filters=given, **settings), window, None,
        image.dtype, flat,
    )  # fmt: skip
    return [(name, values) for name, values, _ in filtered_images(source)]


def letters(value, by_slice):
    """Kernels, bands, powers and titles of a case for two axes or three."""
    if isinstance(value, str):
        cut = value.partition("{")[0] + value.partition("}")[2] if by_slice else value
        return cut.replace("{", "").replace("}", "")
    return value[:2] if by_slice and isinstance(value, tuple) and len(value) == 3 else value


@pytest.mark.parametrize("by_slice", [False, True])
@pytest.mark.parametrize("boundary", ["mirror", "periodic", "zero", "nearest"])
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_windows_hold_what_the_whole_image_gives(case, boundary, by_slice):
    name, options, title, function, arguments = case
    image = volume()
    with_boundary = {} if name == "nonseparable_wavelet" else {"boundary": boundary}
    adapted = {
        key: value if key == "spacing" else letters(value, by_slice)
        for key, value in arguments.items()
    }
    if name != "gabor":
        adapted["by_slice"] = by_slice
    whole = function(image.astype(np.float64), **adapted, **with_boundary)
    given = {name: {**{k: letters(v, by_slice) for k, v in options.items()}, **with_boundary}}
    aggregation = "2D_avg" if by_slice else "3D_avg"
    for window in WINDOWS.values():
        ((got_title, got),) = images(image, given, window, aggregation=aggregation)
        if "{}" in title:
            assert got_title == title.format(2 if by_slice else 3)
        elif name == "riesz":
            assert got_title == ("riesz-1-0-sigma-2-0-mm" if by_slice else title)
        else:
            assert got_title == letters(title, by_slice)
        np.testing.assert_allclose(got, whole[window], rtol=0, atol=1e-11 * np.abs(whole).max())


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_slices_across_another_axis(case, axis):
    name, options = case[:2]
    given = {name: {k: letters(v, True) for k, v in options.items()}}
    image = volume(1, (24, 25, 26))
    common = {"aggregation": "2D_avg", "spacing": (1.0,) * 3}
    window = (slice(3, 9), slice(4, 11), slice(12, 20))
    ((_, got),) = images(image, given, window, slice_axis=axis, **common)
    order = [axis, *(d for d in range(3) if d != axis)]
    turned = np.ascontiguousarray(image.transpose(order))
    ((_, expected),) = images(turned, given, tuple(window[d] for d in order), **common)
    np.testing.assert_array_equal(got.transpose(order), expected)


def test_an_image_of_one_slice_is_filtered_in_2d():
    image, mask = volume()[0], np.zeros((33, 34), np.uint8)
    mask[10:20, 12:25] = 1
    given = {"mean": {}, "laws": {"kernels": ["E5L5", "S5S5"]}, "gabor": GABOR}
    found = features.extract(
        image, mask, spacing=1.0, settings=Settings(filters=given, families=("first_order",))
    )
    names = [name.partition("_")[0] for name in found]
    assert list(dict.fromkeys(names))[:3] == ["mean-5", "laws-E5L5", "laws-S5S5"]
    expected = filters.laws(image.astype(np.float64), "S5S5")[mask > 0].mean()
    assert math.isclose(found["laws-S5S5_first_order_Mean"], expected, rel_tol=1e-10)


def test_lists_give_an_image_each():
    window = WINDOWS["inside"]
    given = {
        "mean": {"support": [3, 5]},
        "gabor": {"sigma": [1.0, 2.0], "wavelength": [2.0, 4.0], "angle": 0.5, "response": "real"},
        "separable_wavelet": {"bands": ["LLH", "HHH"], "level": [1, 2], "wavelet": "haar"},
        "riesz": {"order": [[1, 0, 0], [0, 1, 0]]},
    }
    names = [name for name, _ in images(volume(), given, window)]
    assert len(set(names)) == len(names) == 2 + 4 + 4 + 2
    assert names[2] == "gabor-sigma-1-0-mm-wavelength-2-0-mm-aspect-1-0-angle-0-5-real-axial"
    assert names[-2:] == ["riesz-1-0-0", "riesz-0-1-0"]
    assert not any("_" in name for name in names)


def test_close_masks_share_an_image():
    image = volume()
    mask = np.zeros(image.shape, np.uint8)
    mask[3:9, 4:11, 5:14], mask[8:14, 14:22, 9:20] = 1, 2
    given = {
        "mean": {},
        "laws": {"kernels": "L5E5S5", "pooling": "mean"},
        "nonseparable_wavelet": {},
    }
    settings = Settings(filters=given, families=("first_order", "glcm"))
    found = features.extract(image, mask, label="all", settings=settings, spacing=SPACING)
    for label, got in found.items():
        alone = features.extract(image, mask, label=label, settings=settings, spacing=SPACING)
        assert list(got) == list(alone)
        np.testing.assert_array_equal(list(got.values()), list(alone.values()))


def test_whole_images_are_filtered_once(monkeypatch):
    """Masks far from each other share the response of a filter without finite support."""
    calls = []
    original = filters.nonseparable_wavelet
    monkeypatch.setattr(
        filters, "nonseparable_wavelet", lambda *a, **k: calls.append(1) or original(*a, **k)
    )
    image = volume(2, (6, 90, 100))
    mask = np.zeros(image.shape, np.uint8)
    mask[1:4, :5, :5], mask[2:5, 84:, 92:] = 1, 2
    given = {"nonseparable_wavelet": {}, "mean": {}}
    settings = Settings(filters=given, families=("first_order",))
    found = features.extract(image, mask, label="all", settings=settings)
    assert len(calls) == 1
    for label, got in found.items():
        assert list(got.items()) == list(
            features.extract(image, mask, label=label, settings=settings).items()
        )


def test_orthogonal_planes():
    given = {"gabor": {**GABOR, "planes": "orthogonal", "pooling": "max"}}
    image, window = volume(), WINDOWS["inside"]
    ((name, got),) = images(image, given, window, spacing=(1.0,) * 3)
    assert name.endswith("-max-orthogonal")
    whole = filters.gabor(
        image.astype(np.float64), **GABOR, planes="orthogonal", pooling="max", spacing=1.0
    )
    np.testing.assert_allclose(got, whole[window], atol=1e-11 * whole.max())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"laws": {}}, "laws needs kernels"),
        ({"laws": {"kernels": "L5E5"}}, "expected one for each of 3 axes"),
        ({"laws": {"kernels": "L5E5X5"}}, "X5"),
        ({"gabor": {"sigma": 2.0}}, "gabor needs wavelength"),
        ({"gabor": {"sigma": -2.0, "wavelength": 2.0}}, "sigma"),
        ({"gabor": {"sigma": "wide", "wavelength": 2.0}}, "sigma"),
        ({"gabor": {"sigma": 2.0, "wavelength": 2.0, "aspect": 0}}, "aspect"),
        ({"laplacian_of_gaussian": {}}, "laplacian_of_gaussian needs sigma"),
        ({"laplacian_of_gaussian": {"sigma": 0}}, "sigma"),
        ({"mean": {"support": 4}}, "odd"),
        ({"mean": {"support": 2.5}}, "support"),
        ({"mean": {"boundary": "reflect"}}, "boundary"),
        ({"mean": {"suport": 3}}, "support"),
        ({"separable_wavelet": {}}, "separable_wavelet needs bands"),
        ({"separable_wavelet": {"bands": "LLH", "level": 0}}, "level"),
        ({"laws": {"kernels": "L5E5S5", "energy_distance": -2}}, "energy_distance"),
        ({"riesz": {}}, "riesz needs order"),
        ({"riesz": {"order": 1}}, "order"),
        ({"nonseparable_wavelet": {"level": 1.5}}, "level"),
    ],
)
def test_bad_options(given, message):
    image, mask = volume(), np.zeros((20, 33, 34), np.uint8)
    mask[5:9, 5:9, 5:9] = 1
    with pytest.raises(DataError, match=message):
        features.extract(image, mask, settings=Settings(filters=given), spacing=1.0)


def test_orthogonal_planes_leave_slices():
    given = {"gabor": {**GABOR, "planes": "orthogonal"}}
    with pytest.raises(DataError, match="leave the slices"):
        images(volume(), given, WINDOWS["inside"], aggregation="2D_avg")


def test_lengths_need_the_voxel_size():
    image, mask = volume(), np.zeros((20, 33, 34), np.uint8)
    mask[5:9, 5:9, 5:9] = 1
    settings = Settings(filters={"laplacian_of_gaussian": {"sigma": 1.0}})
    with pytest.raises(DataError, match="needs the voxel size"):
        features.extract(image, mask, settings=settings)


def test_bad_input_81_nan_near_the_region_only_matters_there():
    image, mask = volume(), np.zeros((20, 33, 34), np.uint8)
    mask[5:9, 5:9, 5:9] = 1
    settings = Settings(filters={"mean": {}}, families=("first_order",))
    image[19, 32, 33] = np.nan
    assert np.isfinite(list(features.extract(image, mask, settings=settings).values())).all()
    image[10, 6, 6] = np.nan
    with pytest.raises(DataError, match="mean needs an image without NaN"):
        features.extract(image, mask, settings=settings)
