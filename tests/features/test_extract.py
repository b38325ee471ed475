"""extract, Settings and the input rules: bad inputs 76-84, invariances, dtypes, threads."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import features
from pyrad_core.errors import DataError, DeviceMemoryError, FileFormatError, ShapeError
from pyrad_core.features import Settings, extract

PYRADIOMICS = Settings.preset("pyradiomics", binWidth=10)
TEXTURE = tuple(family for family in PYRADIOMICS.families if family != "shape")


@pytest.fixture
def case():
    rng = np.random.default_rng(3)
    image = rng.normal(100, 30, (7, 8, 9)).astype(np.float32)
    mask = (rng.random(image.shape) < 0.6).astype(np.uint8)
    return image, mask


# --- bad inputs, by number -----------------------------------------------------------------------


def test_bad_input_76_empty_mask(case):
    with pytest.raises(DataError, match="mask is empty"):
        extract(case[0], np.zeros_like(case[1]))


@pytest.mark.parametrize("preset", ["ibsi", "pyradiomics"])
def test_bad_input_77_one_voxel(case, preset):
    mask = np.zeros_like(case[1])
    mask[3, 4, 5] = 1
    settings = Settings.preset(preset)
    got = extract(case[0], mask, settings=settings, spacing=1.0)
    assert got["stat_mean"] == pytest.approx(case[0][3, 4, 5])
    assert np.isnan(got["original_glcm_Contrast"])
    assert "no two voxels" in got.reasons["original_glcm_Contrast"]
    assert set(got.reasons) >= {name for name, value in got.items() if np.isnan(value)}


@pytest.mark.parametrize("preset", ["ibsi", "pyradiomics"])
def test_bad_input_78_constant_region(case, preset):
    image = np.full_like(case[0], 7.3)
    got = extract(image, case[1], settings=Settings.preset(preset), spacing=1.0)
    undefined = {name for name, value in got.items() if np.isnan(value)}
    assert undefined <= set(got.reasons)
    if preset == "pyradiomics":
        assert not undefined
        assert got["original_glcm_Correlation"] == 1 and got["original_glcm_MCC"] == 1
        assert got["original_firstorder_Skewness"] == 0
    else:
        assert {"original_glcm_Correlation", "original_first_order_Kurtosis"} <= undefined
    assert got["stat_mean"] == pytest.approx(7.3, rel=1e-6)
    assert got["stat_var"] == 0 and got["cm_contrast"] == 0


def test_bad_input_79_shapes_differ(case):
    with pytest.raises(ShapeError, match=r"\(7, 8, 9\).*\(7, 8, 8\)"):
        extract(case[0], case[1][:, :, :8])


@dataclasses.dataclass
class Image:
    data: np.ndarray
    spacing: tuple
    affine: np.ndarray | None = None


def test_bad_input_79_grids_differ(case):
    moved = np.eye(4)
    moved[0, 3] = 5.0
    with pytest.raises(DataError, match="spacing"):
        extract(Image(case[0], (1, 1, 1)), Image(case[1], (2, 1, 1)))
    with pytest.raises(DataError, match="elsewhere"):
        extract(Image(case[0], (1, 1, 1), np.eye(4)), Image(case[1], (1, 1, 1), moved))


def test_bad_input_80_label_absent(case):
    labels = case[1].copy()
    labels[0, 0, :2] = 1, 3
    with pytest.raises(DataError, match=r"label 4 .*labels present: \[1, 3\]"):
        extract(case[0], labels, label=4)


def test_bad_input_81_nan_in_region(case):
    image, mask = case
    inside = np.argwhere(mask)
    image[tuple(inside[7])] = np.nan
    image[tuple(inside[9])] = np.inf
    at = tuple(int(i) for i in inside[7])
    with pytest.raises(
        DataError, match=f"2 NaN or Inf.*{at}".replace("(", r"\(").replace(")", r"\)")
    ):
        extract(image, mask)


def test_nan_outside_the_region_is_no_matter(case):
    image, mask = case
    expected = extract(image, mask)
    image[mask == 0] = np.nan
    assert extract(image, mask) == expected


@pytest.mark.parametrize("width", [0, -5, np.nan, "wide"])
def test_bad_input_82_bin_width(width):
    with pytest.raises(DataError, match="bin width"):
        Settings(discretisation=("fbs", width))
    with pytest.raises(DataError, match="bin width"):
        Settings.preset("pyradiomics", binWidth=width)


@pytest.mark.parametrize("preset", ["ibsi", "pyradiomics"])
def test_bad_input_82_too_many_bins(case, preset):
    settings = Settings.preset(preset).replace(discretisation=("fbs", 1e-7))
    with pytest.raises(DataError, match=r"1e-07 gives .* bins; at most 4096"):
        extract(*case, settings=settings)
    with pytest.raises(DataError, match="5000 bins; at most 4096"):
        Settings(discretisation=("fbn", 5000))


def test_bad_input_83_misspelt_settings():
    with pytest.raises(DataError, match="'binwith'; did you mean 'binWidth'"):
        Settings.preset("pyradiomics", binwith=10)
    with pytest.raises(DataError, match="'agregation'; did you mean 'aggregation'"):
        Settings(agregation="3D_avg")
    with pytest.raises(DataError, match="did you mean '3D_merged'"):
        Settings(aggregation="3D_mergd")
    with pytest.raises(DataError, match="did you mean 'glcm'"):
        Settings(families=("glmc",))
    with pytest.raises(DataError, match="did you mean 'Wavelet'"):
        Settings.preset("pyradiomics", imageType={"Wavlet": {}})
    with pytest.raises(DataError, match="did you mean 'Contrast'"):
        features.glcm(
            np.ones((3, 3, 3)),
            np.ones((3, 3, 3)),
            settings=Settings(features={"glcm": ("Contrst",)}),
        )


@pytest.mark.parametrize(("value", "shown"), [(0.3, "0.3"), (-1, "-1.0"), (np.nan, "nan")])
def test_bad_input_84_values_that_are_no_labels(case, value, shown):
    mask = case[1].astype(np.float64)
    mask[1, 2, 3] = value
    with pytest.raises(DataError, match=rf"no labels.*first {shown} at index \(1, 2, 3\)"):
        extract(case[0], mask)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int32, np.int64, np.uint64,
                                   np.float32, np.float64])  # fmt: skip
def test_bad_input_84_mask_dtypes(case, dtype):
    assert extract(case[0], case[1].astype(dtype)) == extract(*case)


def test_bad_input_61_half_precision(case):
    with pytest.raises(DataError, match="float16"):
        extract(case[0].astype(np.float16), case[1])
    with pytest.raises(DataError, match="complex64"):
        extract(case[0].astype(np.complex64), case[1])


def test_more_bytes_than_memory(case, monkeypatch):
    from pyrad_core import _memory as memory

    monkeypatch.setattr(memory, "_SMALL", 1000)
    monkeypatch.setattr(memory, "_free_bytes", lambda: 2000)
    with pytest.raises(DeviceMemoryError, match="fewer grey levels"):
        extract(*case, settings=PYRADIOMICS)


# --- invariances ----------------------------------------------------------------------------------


def _table(image, mask, aggregation="3D_avg"):
    """Features that depend neither on the axes' order nor on PyRadiomics' choice of triangles."""
    settings = PYRADIOMICS.replace(aggregation=aggregation, families=TEXTURE)
    return extract(image, mask, settings=settings, spacing=1.0)


@budget(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    dtype=st.sampled_from([np.float32, np.float64, np.int16, np.uint8, np.int32]),
)
def test_axes_flips_and_strides_do_not_matter(seed, shape, dtype):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 200, shape).astype(dtype)
    mask = rng.integers(0, 2, shape).astype(np.uint8)
    mask.flat[0] = 1
    expected = _table(image, mask)
    for turned in (
        lambda a: a.transpose(2, 0, 1),
        lambda a: a[::-1, :, ::-1],
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
    ):
        got = _table(turned(image), turned(mask))
        np.testing.assert_allclose(
            list(got.values()), list(expected.values()), rtol=1e-9, atol=1e-11, equal_nan=True
        )


@budget(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), distance=st.integers(1, 3), levels=st.sampled_from([3, 40, 300]))
def test_counts_equal_a_plain_loop(seed, distance, levels):
    rng = np.random.default_rng(seed)
    image = rng.integers(1, levels + 1, (4, 5, 6)).astype(np.float32)
    mask = (rng.random(image.shape) < 0.7).astype(np.uint8)
    mask[0, 0, 0] = 1
    settings = Settings(discretisation=None, distances=(distance,), symmetric=False)
    counts, offsets = features.matrices.glcm(image, mask, settings=settings)
    assert len(offsets) == ((2 * distance + 1) ** 3 - (2 * distance - 1) ** 3) // 2
    expected = np.zeros_like(counts)
    inside = {tuple(v): int(image[tuple(v)]) for v in np.argwhere(mask)}
    for k, offset in enumerate(offsets.tolist()):
        for voxel, level in inside.items():
            other = tuple(a + b for a, b in zip(voxel, offset, strict=True))
            if other in inside:
                expected[k, level - 1, inside[other] - 1] += 1
    np.testing.assert_array_equal(counts, expected)


@budget(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), norm=st.sampled_from(["chebyshev", "manhattan", "euclidean"]),
       reach=st.integers(1, 2), alpha=st.integers(0, 2))  # fmt: skip
def test_neighbourhoods_equal_a_plain_loop(seed, norm, reach, alpha):
    rng = np.random.default_rng(seed)
    image = rng.integers(1, 6, (3, 4, 5)).astype(np.float32)
    mask = (rng.random(image.shape) < 0.7).astype(np.uint8)
    mask[0, 0, 0] = 1
    settings = Settings(
        discretisation=None, distances=(reach,), neighbourhood_norm=norm, gldm_alpha=alpha
    )
    order = {"chebyshev": np.inf, "manhattan": 1, "euclidean": 2}[norm]
    inside = np.argwhere(mask)
    apart = np.linalg.norm(inside[:, None] - inside, ord=order, axis=2)
    near = (apart > 0) & (apart <= reach)
    level = image[mask != 0].astype(int)
    counts = features.matrices.ngldm(image, mask, settings=settings)
    alike = (near & (np.abs(level[:, None] - level) <= alpha)).sum(axis=1)
    expected = np.zeros_like(counts)
    np.add.at(expected, (level - 1, alike), 1)
    np.testing.assert_array_equal(counts, expected)
    number, difference = features.matrices.ngtdm(image, mask, settings=settings)
    kept = near.any(axis=1)
    mean = (near * level).sum(axis=1)[kept] / near.sum(axis=1)[kept]
    ng = level.max()
    np.testing.assert_array_equal(number, np.bincount(level[kept] - 1, minlength=ng))
    spread = np.bincount(level[kept] - 1, np.abs(level[kept] - mean), minlength=ng)
    np.testing.assert_allclose(difference, spread, rtol=1e-12)


@budget(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.floats(0.2, 1.0), levels=st.integers(1, 4),
       shape=st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(1, 70)))  # fmt: skip
def test_zones_equal_scipy_label(seed, share, levels, shape):
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(seed)
    image = rng.integers(1, levels + 1, shape).astype(np.float32)
    mask = (rng.random(shape) < share).astype(np.uint8)
    mask.flat[0] = image.flat[0] = 1
    settings = Settings(discretisation=None)
    for by_slice, structure in ((False, np.ones((3, 3, 3))), (True, np.zeros((3, 3, 3)))):
        if by_slice:
            structure[1] = 1
        edge = np.pad(mask, 1)
        distance = np.zeros(edge.shape, int)
        if by_slice:
            for z in range(1, edge.shape[0] - 1):
                distance[z] = ndimage.distance_transform_cdt(edge[z], "taxicab")
        else:
            distance = ndimage.distance_transform_cdt(edge, "taxicab")
        expected = []
        for level in range(1, levels + 1):
            zones, count = ndimage.label((image == level) & (mask > 0), structure)
            for k in range(1, count + 1):
                inside = zones == k
                near = distance[1:-1, 1:-1, 1:-1][inside].min()
                expected.append((level, int(inside.sum()), int(near)))
        aggregation = "2.5D" if by_slice else "3D"
        chosen = settings.replace(aggregation=aggregation)
        for column, name in ((1, "glszm"), (2, "gldzm")):
            counts, values = getattr(features.matrices, name)(image, mask, settings=chosen)
            table = np.zeros_like(counts)
            for zone in expected:
                table[zone[0] - 1, np.searchsorted(values, zone[column])] += 1
            np.testing.assert_array_equal(counts, table)


@pytest.mark.parametrize("crop", [True, False])
def test_peaks_look_beyond_the_region(crop):
    """A hot voxel beside the region counts in the spheres; one of several maxima decides."""
    image = np.zeros((1, 21, 21))
    image[0, 10, 10] = image[0, 10, 4] = 50.0
    image[0, 10, 2] = 90.0
    mask = np.zeros(image.shape, np.uint8)
    mask[0, 10, 4:13] = 1
    filters = {"original": {}} if crop else {"original": {}, "wavelet": {}}
    settings = Settings(families=("local_intensity",), filters=filters)
    got = extract(image, mask, settings=settings, spacing=(20.0, 2.0, 2.0))
    y, x = np.ogrid[:21, :21]
    disc = image[0][4 * ((y - 10) ** 2 + (x - 4) ** 2) <= 6.2035**2]
    assert got["original_local_intensity_LocalPeak"] == pytest.approx(disc.mean())
    assert np.isnan(extract(image, mask, settings=settings)["loc_peak_glob"] if crop else np.nan)


def test_volume_histogram_closed_form():
    image = np.arange(1, 101, dtype=np.float32).reshape(1, 10, 10)
    mask = np.ones_like(image)
    plain = features.intensity_volume_histogram(image, mask)
    assert (plain["ivh_v10"], plain["ivh_v90"]) == pytest.approx((0.90, 0.10))  # 11, 91 of 100
    assert (plain["ivh_i10"], plain["ivh_i90"]) == (91, 11)
    halves = features.intensity_volume_histogram(image / 2, mask)  # not whole: as they are
    assert halves["ivh_i10"] == 45.5 and halves["ivh_v10"] == plain["ivh_v10"]
    ranged = Settings(resegment_range=(-99, 200))
    assert features.intensity_volume_histogram(image, mask, settings=ranged)["ivh_v90"] == 0
    binned = Settings(ivh_discretisation=("fbn", 10))
    assert features.intensity_volume_histogram(image, mask, settings=binned)["ivh_i10"] == 10
    flat = features.intensity_volume_histogram(np.ones((2, 2, 2)), np.ones((2, 2, 2)))
    assert (
        np.isnan(flat["ivh_v10"])
        and "single level"
        in flat.reasons["original_intensity_volume_histogram_VolumeAtIntensityFraction10"]
    )


def test_merged_equals_the_average_of_one_slice(case):
    image, mask = case[0][:1], case[1][:1]
    slices = [_table(image, mask, name) for name in ("2.5D_merged", "2D_slice_merged", "3D_merged")]
    for other in slices[1:]:
        np.testing.assert_allclose(list(other.values()), list(slices[0].values()), rtol=1e-12)
    settings = PYRADIOMICS.replace(families=TEXTURE)
    flat = extract(image[0], mask[0], settings=settings, spacing=(1.0, 1.0))
    np.testing.assert_allclose(list(flat.values()), list(_table(image, mask).values()), rtol=1e-12)


@pytest.mark.parametrize("preset", ["ibsi", "pyradiomics"])
def test_threads_do_not_change_the_bits(preset):
    rng = np.random.default_rng(0)
    image, mask = rng.normal(0, 60, (40, 50, 60)), np.ones((40, 50, 60), np.uint8)
    found = []
    for threads in (1, 2, 5):
        with prc.set_num_threads(threads):
            found.append(extract(image, mask, settings=Settings.preset(preset), spacing=1.0))
    assert found[0] == found[1] == found[2]


def test_many_levels(case):
    """16-bit levels, tables counted one by one."""
    image, mask = case
    fine = Settings(discretisation=("fbn", 1200), aggregation="3D_merged")
    got = features.glcm(image, mask, settings=fine)
    counts, _ = features.matrices.glcm(image, mask, settings=fine.replace(aggregation="3D_avg"))
    table = counts.sum(axis=0)
    i, j = np.nonzero(table)
    share = table[i, j] / table.sum()
    assert counts.shape == (13, 1200, 1200)
    assert got["Contrast"] == pytest.approx(((i - j) ** 2 * share).sum(), rel=1e-12)
    assert got["JointEntropy"] == pytest.approx(-(share * np.log2(share)).sum(), rel=1e-12)


# --- settings and results -------------------------------------------------------------------------


def test_settings_from_files(tmp_path):
    own, theirs = tmp_path / "own.yaml", tmp_path / "Params.yaml"
    own.write_text("discretisation: [fbn, 32]\nresample: [2, 2, 2]\naggregation: 3D\n")
    assert Settings.from_yaml(own) == Settings(
        discretisation=("fbn", 32), resample=(2, 2, 2), aggregation="3D_merged"
    )
    theirs.write_text(
        "imageType: {Original: {}, Wavelet: {}}\n"
        "featureClass: {glcm: [Contrast, Id], firstorder: }\n"
        "setting: {binWidth: 10, label: 2, resampledPixelSpacing: [1, 2, 3], "
        "interpolator: sitkLinear}\n"
    )
    read = Settings.from_yaml(theirs)
    assert read.discretisation == ("fbs", 10) and read.label == 2
    assert read.resample == (3, 2, 1) and read.interpolation == "linear"
    assert read.features == {"glcm": ("Contrast", "Id")}
    assert list(read.filters) == ["original", "wavelet"]
    assert Settings(**Settings.from_yaml(theirs).to_dict()) == read
    own.write_text("- a\n- b\n")
    with pytest.raises(FileFormatError, match="no mapping"):
        Settings.from_yaml(own)
    own.write_text("a: [")
    with pytest.raises(FileFormatError, match="no readable YAML"):
        Settings.from_yaml(own)


def test_result_lookup_and_table(case):
    got = extract(*case, settings=Settings(families=("glcm",)))
    assert got["cm_contrast"] == got["ACUI"] == got["Contrast"] == got["original_glcm_Contrast"]
    assert got.by_ibsi_tag()["cm_contrast"] == got["Contrast"]
    with pytest.raises(KeyError, match="did you mean 'original_glcm_Contrast'"):
        got["original_glcm_Contrst"]
    row = got.table()[5]
    assert (row["name"], row["ibsi_tag"], row["ibsi_code"]) == (
        "original_glcm_Contrast", "cm_contrast", "ACUI",
    )  # fmt: skip
    assert got.provenance["voxels"] == int(case[1].sum())
    assert got.settings.aggregation == "3D_avg"


def test_images_that_carry_a_grid(case):
    nibabel = pytest.importorskip("nibabel")
    image, mask = case
    spacing = (3.0, 2.0, 1.0)
    expected = extract(image, mask, settings=PYRADIOMICS, spacing=spacing)
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    nifti = [nibabel.Nifti1Image(a.T, affine) for a in case]
    assert extract(*nifti, settings=PYRADIOMICS) == expected
    own = Image(image, spacing, affine), Image(mask, spacing, affine)
    assert extract(*own, settings=PYRADIOMICS) == expected
    assert np.isnan(extract(*case, settings=PYRADIOMICS)["TotalEnergy"])


def test_resampling_needs_the_voxel_size(case):
    with pytest.raises(DataError, match="pass spacing"):
        extract(*case, settings=Settings(resample=(2, 2, 2)))
    with pytest.raises(DataError, match="spacing"):
        extract(*case, spacing=(1, 0, 1))


def test_region_that_vanishes(case):
    with pytest.raises(DataError, match="re-segmentation leaves no voxel"):
        extract(*case, settings=Settings(resegment_range=(5000, 6000)))
    mask = np.zeros_like(case[1])
    mask[3, 4, 5] = 1
    with pytest.raises(DataError, match="vanishes"):
        extract(case[0], mask, settings=Settings(resample=(9, 9, 9)), spacing=1.0)


def test_minimum_roi(case):
    mask = np.zeros_like(case[1])
    mask[3, 2:6, 3] = 1
    with pytest.raises(DataError, match="extends along 1 axes"):
        extract(case[0], mask, settings=Settings(minimum_roi_dimensions=2))
    with pytest.raises(DataError, match="4 voxels"):
        extract(case[0], mask, settings=Settings(minimum_roi_size=4))


def test_labels(case):
    image, mask = case
    labels = mask + (np.arange(9) > 4).astype(np.uint8) * mask
    alone = extract(image, (labels == 2).astype(np.uint8))
    assert extract(image, labels, label=2) == alone
    assert extract(image, labels, settings=Settings(label=2)) == alone


def test_inputs_stay_as_they_are(case):
    image, mask = case
    copies = image.copy(), mask.copy()
    image.flags.writeable = mask.flags.writeable = False
    extract(image, mask, settings=PYRADIOMICS)
    np.testing.assert_array_equal(image, copies[0])
    np.testing.assert_array_equal(mask, copies[1])
