"""Every family against IBSI's reference values, and the published matrices; see features.ibsi.

``python -m benchmarks.conformity`` prints passed / total per family.
"""

from __future__ import annotations

import numpy as np
import pytest
from features.ibsi import CONFIGURATIONS, cases, compared, extracted, matrix_pairs
from features.reference import ibsi_values

CASES = [(config, *case) for config in CONFIGURATIONS for case in cases(config)]


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


@pytest.mark.parametrize(
    ("family", "dim", "count"),
    [(family, dim, (20, 14)[dim == "3D"]) for family in ("glcm", "glrlm") for dim in ("2D", "3D")]
    + [(family, dim, (4, 1)[dim == "3D"]) for family in ("glszm", "gldzm", "ngtdm", "ngldm")
       for dim in ("2D", "3D")],
)  # fmt: skip
def test_published_matrices_ibsi(family, dim, count):
    pairs = list(matrix_pairs(family, dim))
    assert len(pairs) == count
    for name, got, published in pairs:
        np.testing.assert_array_equal(got, published, err_msg=name)
