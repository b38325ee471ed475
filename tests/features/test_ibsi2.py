"""Filters as image types: IBSI 2's reference values of phase 2, see features.ibsi2."""

import pytest
from features.ibsi2 import FILTERS, compared, reference


def test_all_published_values_are_judged():
    assert sum(len(rows) for rows in reference().values()) == 323


@pytest.mark.parametrize("name", FILTERS)
def test_reference_values_ibsi2(name):
    rows, wrong = compared(name)
    assert rows and not wrong, f"{len(rows) - len(wrong)} of {len(rows)} agree: {wrong}"
