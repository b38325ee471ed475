"""Reference data of the feature tests: IBSI's tables and phantoms, PyRadiomics' baselines."""

from __future__ import annotations

import ast
import csv
from functools import cache

import numpy as np
from helpers import data_path

AGGREGATIONS = (
    "2D_avg", "2D_slice_merged", "2.5D_direction_merged", "2.5D_merged", "3D_avg", "3D_merged",
)  # fmt: skip


def nifti(*parts):
    """(array (z, y, x), spacing (z, y, x)) of a file of the reference data."""
    import nibabel

    image = nibabel.load(data_path("features", *parts))
    spacing = tuple(float(s) for s in image.header.get_zooms()[::-1])
    return np.ascontiguousarray(np.asanyarray(image.dataobj).T), spacing


@cache
def _ibsi_table():
    with open(data_path("features", "ibsi1", "ibsi1_reference_values.csv"), newline="") as file:
        return list(csv.DictReader(file))


@cache
def ibsi_rows():
    """Rows with a published value."""
    return [row for row in _ibsi_table() if row["value"]]


def ibsi_rows_without_value():
    """Rows of features that IBSI never standardised."""
    return [row for row in _ibsi_table() if not row["value"]]


def ibsi_values(config, family, aggregation=""):
    """Rows of one configuration, family and aggregation."""
    return [
        row
        for row in ibsi_rows()
        if (row["config"], row["family"], row["aggregation"]) == (config, family, aggregation)
    ]


def agrees(row, got):
    """Within the published tolerance, or equal to the printed digits."""
    text, value = row["value"], float(row["value"])
    if abs(got - value) <= float(row["tolerance"]):
        return True
    digits = max(1, len(text.lstrip("-").replace(".", "").lstrip("0")))
    if "." not in text:  # zeros at the end fill up: 1490 is printed to three digits
        digits = max(min(digits, 3), len(text.lstrip("-").rstrip("0")))
    return float(f"{got:.{digits}g}") == value


def assert_ibsi(rows, by_tag):
    wrong = [
        f"{row['feature']}: {by_tag[row['feature']]:.6g}, published {row['value']} "
        f"+- {row['tolerance']}"
        for row in rows
        if not agrees(row, by_tag[row["feature"]])
    ]
    assert rows and not wrong, wrong


@cache
def nrrd(case):
    """(image, mask, spacing) of a PyRadiomics test case; lung1 stands where it was cropped from."""
    import nrrd

    crop = "_crop" if case == "lung1" else ""
    folder = ("features", "pyradiomics")
    arrays = [
        nrrd.read(str(data_path(*folder, f"{case}_{p}{crop}.nrrd"))) for p in ("image", "label")
    ]
    (image, header), (mask, _) = arrays
    spacing = tuple(float(s) for s in np.linalg.norm(header["space directions"], axis=1)[::-1])
    image, mask = np.ascontiguousarray(image.T), np.ascontiguousarray(mask.T)
    if case == "lung1":
        at = (20, 335, 194)  # crop's first voxel in the 48 x 512 x 512 volume
        pad = [(a, n - a - m) for a, n, m in zip(at, (48, 512, 512), image.shape, strict=True)]
        image, mask = np.pad(image, pad, mode="edge"), np.pad(mask, pad)
    return image, mask, spacing


@cache
def baseline(name):
    """column -> (settings, {feature: value}) of one PyRadiomics baseline file."""
    path = data_path("features", "pyradiomics", "baseline", f"baseline_{name}.csv")
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    cells = {row[0]: row for row in rows}
    columns = {}
    for at, column in enumerate(rows[0][1:], start=1):
        settings = ast.literal_eval(cells["diagnostics_Configuration_Settings"][at])
        values = {
            row[0]: float(row[at]) for row in rows if row[0].startswith("original_") and row[at]
        }
        columns[column] = (settings, values)
    return columns
