"""FeatureExtractor: tables of cases, scikit-learn's conventions, bad cases."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

from pyrad_core import features, io
from pyrad_core.errors import DataError, PyradWarning, ShapeError
from pyrad_core.features import FeatureExtractor, Settings

SETTINGS = Settings(families=("first_order", "glcm"), discretisation=("fbn", 8))


def _cases(count=6):
    rng = np.random.default_rng(0)
    cases = []
    for number in range(count):
        image = rng.normal(100, 10 * (1 + number % 2), (6, 7, 8)).astype(np.float32)
        mask = (rng.random(image.shape) < 0.8).astype(np.uint8)
        cases.append((image, mask))
    return cases


@pytest.mark.parametrize("n_jobs", [None, 1, 3, -1])
def test_rows_are_those_of_extract(n_jobs):
    cases = _cases()
    extractor = FeatureExtractor(SETTINGS, n_jobs=n_jobs)
    table = extractor.fit(cases).transform(cases)
    expected = [features.extract(*case, settings=SETTINGS) for case in cases]
    assert table.dtype == np.float64 and table.shape == (6, len(expected[0]))
    assert extractor.get_feature_names_out().tolist() == list(expected[0])
    for row, one in zip(table, expected, strict=True):
        np.testing.assert_array_equal(row, list(one.values()))
    np.testing.assert_array_equal(extractor.fit_transform(cases), table)
    assert extractor.errors_ == {} and len(extractor.provenance_) == 6
    hashes = {p["image_sha256"] for p in extractor.provenance_}
    assert len(hashes) == 6 and extractor.provenance_[0]["voxels"] == cases[0][1].sum()


def test_files_and_cases(tmp_path):
    (image, mask), *_ = _cases(1)
    labels = mask * 3
    paths = [
        io.write_image(tmp_path / name, array, spacing=(2, 1, 1))
        for name, array in (("image.nii.gz", image), ("mask.nii.gz", labels))
    ]
    expected = features.extract(image, mask, settings=SETTINGS, spacing=(2, 1, 1))
    cases = [
        io.Case(*paths, label=3),
        (*map(str, paths), 3),
        (io.read_image(paths[0]), paths[1], 3),
    ]
    table = FeatureExtractor(SETTINGS).fit_transform(cases)
    for row in table:
        np.testing.assert_array_equal(row, list(expected.values()))


def test_settings_by_name_mapping_and_file(tmp_path):
    cases = _cases(1)
    path = tmp_path / "Params.yaml"
    path.write_text("featureClass: {firstorder: [Mean]}\nsetting: {binWidth: 10}\n")
    for settings, name in (
        (path, "original_firstorder_Mean"),
        ({"families": ("first_order",)}, "original_first_order_Mean"),
        (SETTINGS, "original_first_order_Mean"),
    ):
        assert name in FeatureExtractor(settings).fit(cases).get_feature_names_out()
    with pytest.raises(DataError, match="did you mean 'families'"):
        FeatureExtractor({"familis": ()}).fit(cases)
    with pytest.raises(DataError, match="expected Settings"):
        FeatureExtractor(7).fit(cases)


def test_parameters():
    extractor = FeatureExtractor(SETTINGS, label=2)
    params = extractor.get_params()
    assert params["settings"] is SETTINGS and params["label"] == 2
    assert params["settings__gldm_alpha"] == 0
    extractor.set_params(on_error="nan", settings__gldm_alpha=1)
    assert extractor.settings.gldm_alpha == 1 and extractor.on_error == "nan"
    assert "on_error='nan'" in repr(extractor)
    with pytest.raises(DataError, match="did you mean 'on_error'"):
        extractor.set_params(on_eror="nan")
    with pytest.raises(DataError, match="'rise'; did you mean 'raise'"):
        FeatureExtractor(on_error="rise").fit(_cases(1))
    with pytest.raises(DataError, match="n_jobs is 0"):
        FeatureExtractor(n_jobs=0).fit(_cases(1))
    with pytest.raises(DataError, match="not fitted"):
        extractor.transform(_cases(1))
    fitted = pickle.loads(pickle.dumps(extractor.fit([(*_cases(1)[0], 1)])))
    assert fitted.get_feature_names_out().size


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_bad_case_is_a_row_of_nan(n_jobs):
    cases = _cases(4)
    cases[1] = (cases[1][0], np.zeros_like(cases[1][1]))
    cases[2] = (cases[2][0], cases[2][1][:, :, :5])
    extractor = FeatureExtractor(SETTINGS, on_error="nan", n_jobs=n_jobs)
    table = extractor.fit_transform(cases)
    assert np.isnan(table[[1, 2]]).all() and np.isfinite(table[[0, 3]]).all()
    assert set(extractor.errors_) == {1, 2}
    assert "mask is empty" in extractor.errors_[1] and "shape" in extractor.errors_[2]
    with pytest.raises(DataError, match="mask is empty"):
        FeatureExtractor(SETTINGS, n_jobs=n_jobs).fit_transform(cases)
    with pytest.raises(ShapeError):
        FeatureExtractor(SETTINGS).fit_transform(cases[2:])
    with pytest.raises(DataError, match="no case can be used"):
        extractor.fit_transform(cases[1:3])
    with pytest.raises(DataError, match="no case can be used"):
        extractor.fit(cases[1:3])


def test_undefined_values_have_reasons():
    image = np.full((4, 4, 4), 7.0)
    extractor = FeatureExtractor(SETTINGS)
    table = extractor.fit_transform([(image, np.ones(image.shape, np.uint8))])
    undefined = set(extractor.feature_names_out_[np.isnan(table[0])])
    assert undefined and undefined <= set(extractor.reasons_[0])


def test_columns_are_those_of_fit():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(8, 9, 10)), np.ones((8, 9, 10), np.uint8)
    thin = rng.normal(size=(3, 9, 10)), np.ones((3, 9, 10), np.uint8)
    images = [(io.Image(x, (1, 1, 1), np.eye(4)), m) for x, m in (wide, thin)]
    settings = Settings.preset(
        "pyradiomics",
        imageType={"Original": {}, "LoG": {"sigma": [1.0]}},
        featureClass={"firstorder": ["Mean"]},
    )
    with pytest.warns(PyradWarning, match="too small"):
        table = FeatureExtractor(settings).fit_transform(images)
    assert table.shape == (2, 2) and np.isnan(table[1, 1])
    with pytest.warns(PyradWarning, match="too small"):
        extractor = FeatureExtractor(settings).fit(images[1:])
    with pytest.warns(PyradWarning, match="not seen in fit"):
        assert extractor.transform(images[:1]).shape == (1, 1)


@pytest.mark.parametrize("wrong", ["image.nii", {"a": 1}, 5, [np.ones((3, 3))], ["ab"]])
def test_what_is_no_sequence_of_cases(wrong):
    with pytest.raises(DataError, match="expected"):
        FeatureExtractor().fit(wrong)


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    cases = _cases(2)
    extractor = FeatureExtractor(SETTINGS).set_output(transform="pandas")
    frame = extractor.fit_transform(cases)
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == extractor.get_feature_names_out().tolist()
    with pytest.raises(DataError, match="did you mean 'pandas'"):
        extractor.set_output(transform="panda")


def test_in_a_pipeline_sklearn():
    sklearn = pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    cases = _cases(12)
    y = np.arange(12) % 2
    extractor = FeatureExtractor(SETTINGS, n_jobs=2)
    copy = clone(extractor)
    assert copy is not extractor and copy.get_params() == extractor.get_params()
    steps = make_pipeline(extractor, VarianceThreshold(), StandardScaler(), LogisticRegression())
    assert steps.fit(cases, y).score(cases, y) == 1.0
    assert len(steps[:-1].get_feature_names_out()) == steps[-1].n_features_in_
    assert "settings__label" in {n.removeprefix("featureextractor__") for n in steps.get_params()}
    assert cross_val_score(steps, cases, y, cv=3).mean() > 0.9
    pytest.importorskip("pandas")
    frame = make_pipeline(extractor, StandardScaler()).set_output(transform="pandas")
    assert "original_glcm_Contrast" in frame.fit_transform(cases).columns
    with sklearn.config_context(transform_output="pandas"):
        assert hasattr(FeatureExtractor(SETTINGS).fit_transform(cases[:2]), "columns")


def test_scikit_learn_is_not_imported():
    code = (
        "import sys, numpy as np; from pyrad_core.features import *; "
        "FeatureExtractor(Settings(families=('first_order',))).fit_transform("
        "[(np.ones((3,3,3)), np.ones((3,3,3)))]); "
        "assert not {'sklearn', 'pandas', 'pyrad_core.io'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
