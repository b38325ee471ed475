"""Every family against IBSI's reference values, and the published matrices; see features.ibsi.

``PYTHONPATH=tests python -m features.ibsi`` prints passed / total per family.
"""

from __future__ import annotations

import ast

import numpy as np
import pytest
from features.ibsi import (
    CONFIGURATIONS,
    cases,
    compared,
    extracted,
    matrix_rows,
    phantom,
    published_matrices,
)  # fmt: skip
from features.reference import ibsi_values

from pyrad_core import features

CASES = [(config, *case) for config in CONFIGURATIONS for case in cases(config)]
PLAIN = features.Settings(discretisation=None)


@pytest.mark.parametrize(("config", "family", "aggregation", "column"), CASES)
def test_reference_values_ibsi(config, family, aggregation, column):
    rows, wrong = compared(config, family, aggregation, column)
    assert rows and not wrong, f"{len(rows) - len(wrong)} of {len(rows)} agree: {wrong}"


@pytest.mark.parametrize("config", "ABCDE")
def test_voxel_counts_ibsi(config):
    counts = {row["feature"]: row for row in ibsi_values(config, "diagnostic")}
    expected = counts["int_mask_vox_count_reseg_roi"]
    aggregation = next(case[2] for case in CASES if case[0] == config)
    result = extracted(config, aggregation)
    assert abs(result.provenance["voxels"] - float(expected["value"])) <= float(
        expected["tolerance"]
    )


@pytest.mark.parametrize("family", ["glcm", "glrlm"])
@pytest.mark.parametrize("dim", ["2D", "3D"])
def test_direction_matrices_ibsi(family, dim):
    image, mask, _ = phantom("digital_phantom")
    counts, offsets = getattr(features.matrices, family)(
        image, mask, settings=PLAIN, by_slice=dim == "2D"
    )
    tables = published_matrices(family, dim, counts.shape[-2:])
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


@pytest.mark.parametrize("dim", ["2D", "3D"])
def test_dependence_matrices_ibsi(dim):
    image, mask, _ = phantom("digital_phantom")
    counts = features.matrices.ngldm(image, mask, settings=PLAIN, by_slice=dim == "2D")
    tables = published_matrices("ngldm", dim, counts.shape[-2:])
    assert len(tables) == (4 if dim == "2D" else 1)
    for (_, slice_z), published in tables.items():
        got = counts[int(slice_z) - 1] if slice_z else counts
        np.testing.assert_array_equal(got, published)


@pytest.mark.parametrize("dim", ["2D", "3D"])
def test_tone_difference_matrices_ibsi(dim):
    image, mask, _ = phantom("digital_phantom")
    number, difference = features.matrices.ngtdm(image, mask, settings=PLAIN, by_slice=dim == "2D")
    rows = matrix_rows("ngtdm", dim)
    assert int(number.sum()) == sum(int(row["n"]) for row in rows)
    for row in rows:
        at = (int(row["slice_z"]) - 1, int(row["i"]) - 1) if row["slice_z"] else int(row["i"]) - 1
        assert number[at] == int(row["n"])
        assert difference[at] == pytest.approx(float(row["s"]), abs=6e-7)


@pytest.mark.parametrize("family", ["glszm", "gldzm"])
@pytest.mark.parametrize("dim", ["2D", "3D"])
def test_zone_matrices_ibsi(family, dim):
    image, mask, _ = phantom("digital_phantom")
    counts, values = getattr(features.matrices, family)(
        image, mask, settings=PLAIN, by_slice=dim == "2D"
    )
    tables = published_matrices(family, dim, (6, 100))
    assert len(tables) == (4 if dim == "2D" else 1)
    for (_, slice_z), published in tables.items():
        of_slice = counts[int(slice_z) - 1] if slice_z else counts
        got = np.zeros_like(published)
        got[:, values - 1] = of_slice
        np.testing.assert_array_equal(got, published)
