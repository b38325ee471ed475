"""GLCM, intensity statistics and histogram against IBSI's tables and reference values."""

from __future__ import annotations

import ast
import csv

import numpy as np
import pytest
from features.reference import AGGREGATIONS, assert_ibsi, ibsi_values, nifti
from helpers import data_path

from pyrad_core import features

SCALARS = ("intensity_statistics", "intensity_histogram")
CONFIGURATIONS = {
    "A": {"resegment_range": (-500, 400), "discretisation": ("fbs", 25)},
    "B": {
        "resample": (2, 2, 2),
        "resample_in_plane": True,
        "resegment_range": (-500, 400),
        "discretisation": ("fbn", 32),
    },
    "C": {"resample": (2, 2, 2), "resegment_range": (-1000, 400), "discretisation": ("fbs", 25)},
    "D": {"resample": (2, 2, 2), "resegment_sigma": 3.0, "discretisation": ("fbn", 32)},
    "E": {
        "resample": (2, 2, 2),
        "interpolation": "cubic",
        "resegment_range": (-1000, 400),
        "resegment_sigma": 3.0,
        "discretisation": ("fbn", 32),
    },
}


@pytest.fixture(scope="module")
def digital():
    image, spacing = nifti("ibsi1", "digital_phantom", "phantom.nii.gz")
    mask, _ = nifti("ibsi1", "digital_phantom", "mask.nii.gz")
    return image, mask, spacing


@pytest.fixture(scope="module")
def ct():
    folder = ("ibsi1", "ct_phantom_CC-BY-NC-3.0")
    image, spacing = nifti(*folder, "phantom.nii.gz")
    mask, _ = nifti(*folder, "mask.nii.gz")
    return np.rint(image.astype(np.float32)), mask, spacing


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_digital_phantom_ibsi(digital, aggregation):
    image, mask, spacing = digital
    settings = features.Settings.preset("ibsi", aggregation=aggregation, discretisation=None)
    got = features.extract(image, mask, settings=settings, spacing=spacing).by_ibsi_tag()
    assert_ibsi(ibsi_values("digital_phantom", "glcm", aggregation), got)
    for family in SCALARS:
        assert_ibsi(ibsi_values("digital_phantom", family), got)


@pytest.mark.parametrize(
    ("config", "aggregation"),
    [(c, a) for c in CONFIGURATIONS for a in (AGGREGATIONS[:4] if c in "AB" else AGGREGATIONS[4:])],
)
def test_ct_phantom_ibsi(ct, config, aggregation):
    image, mask, spacing = ct
    settings = features.Settings.preset("ibsi", aggregation=aggregation, **CONFIGURATIONS[config])
    result = features.extract(image, mask, settings=settings, spacing=spacing)
    assert_ibsi(ibsi_values(config, "glcm", aggregation), result.by_ibsi_tag())
    for family in SCALARS:
        assert_ibsi(ibsi_values(config, family), result.by_ibsi_tag())
    counts = {row["feature"]: row for row in ibsi_values(config, "diagnostic")}
    expected = counts["int_mask_vox_count_reseg_roi"]
    assert abs(result.provenance["voxels"] - float(expected["value"])) <= float(
        expected["tolerance"]
    )


def _matrices(dim):
    """(direction, slice) -> published table; "merged" among the directions."""
    tables = {}
    path = data_path("features", "ibsi1", "ibsi1_digital_phantom_matrices.csv")
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            if (row["family"], row["dim"]) != ("glcm", dim):
                continue
            table = tables.setdefault((row["direction_xyz"], row["slice_z"]), np.zeros((6, 6), int))
            table[int(row["i"]) - 1, int(row["j"]) - 1] = int(row["n"])
    return tables


@pytest.mark.parametrize("dim", ["2D", "3D"])
def test_matrices_ibsi(digital, dim):
    image, mask, _ = digital
    settings = features.Settings(discretisation=None)
    counts, offsets = features.matrices.glcm(image, mask, settings=settings, by_slice=dim == "2D")
    tables = _matrices(dim)
    assert len(tables) == (20 if dim == "2D" else 14)
    for (direction, slice_z), published in tables.items():
        of_slice = counts[int(slice_z) - 1] if slice_z else counts
        if direction == "merged":
            got = of_slice.sum(axis=0)
        else:
            step = np.array(ast.literal_eval(direction)[::-1])
            same = (offsets == step).all(axis=1) | (offsets == -step).all(axis=1)
            (got,) = of_slice[same]
        np.testing.assert_array_equal(got, published, err_msg=f"{direction} {slice_z}")
