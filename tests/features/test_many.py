"""Many labels and masks in one pass: every result is that of a call of its own."""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import features
from pyrad_core.errors import DataError

SPACING = (2.0, 1.0, 1.5)
FILTERS = {"original": {}, "wavelet": {}, "square": {}, "gradient": {}}


def scene(seed=0, shape=(18, 30, 33)):
    """(image, mask with labels 1, 2, 5 and 9, of which 9 is one voxel)."""
    rng = np.random.default_rng(seed)
    image = rng.normal(100, 40, shape).astype(np.float32)
    mask = np.zeros(shape, np.uint8)
    mask[3:9, 4:11, 5:14] = 1
    mask[5:15, 12:22, 10:20][rng.random((10, 10, 10)) < 0.7] = 2
    mask[2:5, 24:29, 24:31] = 5
    mask[16, 1, 1] = 9
    return image, mask


def assert_same(got, expected):
    assert list(got) == list(expected)
    np.testing.assert_array_equal(list(got.values()), list(expected.values()))
    assert got.reasons == expected.reasons
    assert got.provenance == expected.provenance


@pytest.mark.parametrize(
    "settings",
    [
        features.Settings(),
        features.Settings(aggregation="2D_avg", families=("glcm", "glrlm", "glszm", "ngtdm")),
        features.Settings(resample=(1.5,) * 3, discretisation=("fbn", 300), families=("glcm",)),
        features.Settings(resegment_sigma=2.0, distances=(1, 2), gldm_alpha=1),
        features.Settings.preset("pyradiomics", binWidth=20, normalize=True, normalizeScale=100),
        features.Settings.preset("pyradiomics", resampledPixelSpacing=[1, 1, 1], binCount=8),
        features.Settings.preset("pyradiomics", binWidth=0.3).replace(families=("glrlm", "glszm")),
    ],
    ids=["ibsi", "slices", "resampled", "resegmented", "normalised", "corner grid", "many levels"],
)  # fmt: skip
def test_labels_are_calls_of_their_own(settings):
    image, mask = scene()
    found = features.extract(image, mask, label=[5, 1, 2], settings=settings, spacing=SPACING)
    assert list(found) == [5, 1, 2]
    for label, got in found.items():
        expected = features.extract(image, mask, label=label, settings=settings, spacing=SPACING)
        assert_same(got, expected)


def test_one_filtered_image_serves_all():
    image, mask = scene(1, (18, 61, 40))
    settings = features.Settings(
        filters=FILTERS, families=("first_order", "glcm", "local_intensity")
    )
    found = features.extract(image, mask, label="all", settings=settings, spacing=SPACING)
    assert list(found) == [1, 2, 5, 9]
    for label, got in found.items():
        assert_same(
            got, features.extract(image, mask, label=label, settings=settings, spacing=SPACING)
        )


def test_filters_run_once_for_close_masks(monkeypatch):
    from pyrad_core.features import preprocess

    calls = []
    original = preprocess.filtered_images
    monkeypatch.setattr(
        preprocess, "filtered_images", lambda source: calls.append(1) or original(source)
    )
    image, mask = scene()
    settings = features.Settings(filters=FILTERS, families=("first_order",))
    features.extract(image, mask, label=[1, 2], settings=settings, spacing=SPACING)
    assert len(calls) == 1
    wide = np.zeros((4, 400, 400), np.float32)
    far = np.zeros(wide.shape, np.uint8)
    far[1:3, :3, :3], far[1:3, 396:, 396:] = 1, 2
    wide[far > 0] = np.arange(np.count_nonzero(far))
    features.extract(wide, far, label=[1, 2], settings=settings, spacing=SPACING)
    assert len(calls) == 3


def test_recursive_log_of_close_masks():
    image, mask = scene(2)
    settings = features.Settings.preset("pyradiomics", imageType={"LoG": {"sigma": [1.0, 2.0]}})
    found = features.extract(image, mask, label=[1, 2], settings=settings, spacing=SPACING)
    for label, got in found.items():
        expected = features.extract(image, mask, label=label, settings=settings, spacing=SPACING)
        first = [name for name in expected if "firstorder" in name]
        np.testing.assert_allclose(
            [got[n] for n in first], [expected[n] for n in first], rtol=1e-4, atol=1e-4
        )


def test_masks_that_overlap():
    image, mask = scene()
    masks = {"a": mask == 1, "b": (mask > 0).astype(np.float32), "c": mask == 2}
    found = features.extract_many(image, masks, spacing=SPACING)
    assert list(found) == ["a", "b", "c"]
    for name, got in found.items():
        assert_same(got, features.extract(image, masks[name], spacing=SPACING))
    listed = features.extract_many(image, list(masks.values()), spacing=SPACING)
    for got, expected in zip(listed, found.values(), strict=True):
        assert_same(got, expected)
    nested = features.extract_many(image, [mask, mask], label=[1, 2], spacing=SPACING)
    assert [list(n) for n in nested] == [[1, 2], [1, 2]]
    assert features.extract_many(image, [], spacing=SPACING) == []


def test_threads_do_not_change_bits():
    rng = np.random.default_rng(3)
    image = rng.normal(0, 50, (6, 60, 60)).astype(np.float32)
    mask = (np.arange(36).reshape(1, 6, 6).repeat(6, 0) + 1).repeat(10, 1).repeat(10, 2)
    settings = features.Settings.preset("pyradiomics", binWidth=10)
    before, found = prc.num_threads(), []
    try:
        for count in (1, 3):
            prc.set_num_threads(count)
            found.append(
                features.extract(image, mask, label="all", settings=settings, spacing=SPACING)
            )
    finally:
        prc.set_num_threads(before)
    assert len(found[0]) == 36
    for label, expected in found[0].items():
        assert_same(found[1][label], expected)


def test_on_a_device(device):
    image, mask = scene()
    settings = features.Settings.preset("pyradiomics", binWidth=20)
    expected = features.extract(image, mask, label=[1, 2, 5], settings=settings, spacing=SPACING)
    with device:
        found = features.extract(
            device.array(image), device.array(mask), label=[1, 2, 5], settings=settings,
            spacing=SPACING,
        )  # fmt: skip
    for label, got in found.items():
        assert list(got) == list(expected[label])
        np.testing.assert_allclose(
            list(got.values()), list(expected[label].values()), rtol=1e-9, atol=1e-9
        )


def test_labels_that_are_none():
    image, mask = scene()
    for label in ("some", [], [1, 1], 1.0, [0], [1.5]):
        with pytest.raises(DataError, match="label"):
            features.extract(image, mask, label=label)
    with pytest.raises(DataError, match="label 7 is not in the mask; labels present"):
        features.extract(image, mask, label=[1, 7])
    with pytest.raises(DataError, match="empty"):
        features.extract(image, np.zeros_like(mask), label="all")
    negative = mask.astype(np.int16)
    negative[0, 0, 0] = -1
    with pytest.raises(DataError, match="no labels"):
        features.extract(image, negative, label="all")
    with pytest.raises(DataError, match="once per label"):
        features.extract(image, mask, label=[1, 2], intensity_mask=mask)
    spoilt = image.copy()
    spoilt[4, 5, 6] = np.nan
    with pytest.raises(DataError, match="NaN or Inf"):
        features.extract(spoilt, mask, label=[1, 2])
    assert len(features.extract(spoilt, mask, label=[2, 5])) == 2


def test_filters_of_the_mask_see_their_own():
    """LBP3D has values inside the region only."""
    image, mask = scene(2)
    settings = features.Settings(
        conventions="pyradiomics", filters={"lbp3d": {}}, families=("first_order",),
        discretisation=("fbn", 8),
    )  # fmt: skip
    found = features.extract(image, mask, label=[1, 2], settings=settings, spacing=SPACING)
    for label, got in found.items():
        expected = features.extract(image, mask, label=label, settings=settings, spacing=SPACING)
        assert_same(got, expected)


def test_parts_of_many_labels(monkeypatch):
    """Regions are worked on in parts where their masks or boxes would take too much memory."""
    from pyrad_core.features import _many

    image, mask = scene()
    settings = features.Settings(filters=FILTERS, families=("first_order",))
    expected = features.extract(image, mask, label="all", settings=settings, spacing=SPACING)
    monkeypatch.setattr(_many, "_MASK_BYTES", 2 * image.size)
    monkeypatch.setattr(_many, "_BATCH_VOXELS", 600)
    found = features.extract(image, mask, label="all", settings=settings, spacing=SPACING)
    for label, got in found.items():
        assert_same(got, expected[label])
