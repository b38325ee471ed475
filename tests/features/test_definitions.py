"""Definitions that differ are options of their own; docs/features.md says what the code does."""

from __future__ import annotations

import dataclasses
import re
from importlib.util import find_spec

import numpy as np
import pytest
from features import documented

from pyrad_core import features
from pyrad_core.errors import DataError
from pyrad_core.features import Settings, extract
from pyrad_core.features._filter_options import OPTIONS
from pyrad_core.features.settings import RULES


@pytest.fixture
def case():
    rng = np.random.default_rng(1)
    image = rng.normal(100, 30, (6, 8, 9))
    mask = (rng.random(image.shape) < 0.4).astype(np.uint8)
    return image, mask


def _value(case, name, **settings):
    found = extract(*case, settings=Settings(**settings), spacing=1.0)
    return next(value for key, value in found.items() if key.endswith(name))


@pytest.mark.parametrize(
    ("rule", "family", "name", "more"),
    [
        ("kurtosis", "first_order", "Kurtosis", {}),
        ("axis_lengths", "shape", "MajorAxisLength", {}),
        ("neighbourhood", "ngtdm", "Busyness", {"distances": (2,)}),
        ("neighbourhood", "ngldm", "DependenceVariance", {"distances": (2,)}),
    ],
)
def test_each_definition_is_its_own_option(case, rule, family, name, more):
    """Under either conventions an option gives the value of the other ones."""
    ibsi, theirs = RULES[rule]
    kept = {"families": (family,), **more}
    both = {}
    for conventions in ("ibsi", "pyradiomics"):
        for value in (ibsi, theirs):
            both[conventions, value] = _value(
                case, name, conventions=conventions, **{rule: value}, **kept
            )
        plain = _value(case, name, conventions=conventions, **kept)
        assert plain == both[conventions, ibsi if conventions == "ibsi" else theirs]
    assert both["ibsi", ibsi] == both["pyradiomics", ibsi] != both["ibsi", theirs]
    assert both["ibsi", theirs] == both["pyradiomics", theirs]


def test_formulas_of_the_options(case):
    image, mask = case
    x = image[mask > 0]
    plain = _value(case, "Kurtosis", kurtosis="plain", families=("first_order",))
    centred = x - x.mean()
    assert plain == pytest.approx((centred**4).mean() / (centred**2).mean() ** 2)
    assert _value(case, "Kurtosis", families=("first_order",)) == pytest.approx(plain - 3)
    n = len(x)
    lengths = [
        _value(case, "MajorAxisLength", axis_lengths=rule, families=("shape",))
        for rule in ("n-1", "n")
    ]
    assert lengths[0] / lengths[1] == pytest.approx(np.sqrt(n / (n - 1)))


def test_undefined_and_lone_voxels():
    flat = np.full((4, 4, 4), 7.0), np.ones((4, 4, 4), np.uint8)
    kept = {"families": ("first_order", "glcm")}
    for conventions in ("ibsi", "pyradiomics"):
        for rule, expected in (("nan", np.nan), ("limit", 1.0)):
            got = _value(flat, "glcm_Correlation", conventions=conventions, undefined=rule, **kept)
            assert np.array_equal(got, expected, equal_nan=True)
    image, mask = np.zeros((3, 3, 7)), np.zeros((3, 3, 7), np.uint8)
    image[0, 0], mask[0, 0] = [1, 3, 3, 2, 9, 9, 4], [1, 1, 1, 1, 0, 0, 1]  # the last one alone
    kept = {"discretisation": None}
    for rule, lone in (("left_out", 0), ("counted", 1)):
        number, _ = features.matrices.ngtdm(
            image, mask, settings=Settings(lone_voxels=rule, **kept)
        )
        assert number[3] == lone
    row = Settings(families=("glrlm",), **kept)
    averaged, dropped = (
        extract(image, mask, settings=row.replace(empty_directions=r))["LongRunEmphasis"]
        for r in ("averaged", "left_out")
    )
    assert dropped == pytest.approx((1 + 4 + 1 + 1) / 4) and averaged == pytest.approx(
        (dropped + 12) / 13
    )


def test_bad_input_83_misspelt_rule():
    with pytest.raises(DataError, match="did you mean 'excess'"):
        Settings(kurtosis="exces")


def test_the_table_of_names_is_current():
    assert documented.PAGE.read_text() == documented.written()


def test_the_page_names_what_exists():
    """Fields and filters of the tables exist, and none is left out."""
    text = documented.PAGE.read_text()
    section = text.partition("## Definitions that differ")[2].partition("## Filters")[0]
    fields = {f.name for f in dataclasses.fields(Settings)}
    second = [line.split("|")[2] for line in section.splitlines() if line.startswith("| ")][1:]
    named = {name for cell in second for name in re.findall(r"`(\w+)`", cell)}
    arguments = {"intensity_mask", "morphological_mask", "extract", "definition"}
    assert named - arguments <= fields
    assert set(RULES) <= named
    filters = text.partition("## Filters")[2].partition("## Parameter")[0]
    rows = [line.split("|") for line in filters.splitlines() if line.startswith("| `")]
    listed = {r[1].strip(" `"): set(re.findall(r"`(\w+)`", r[3])) for r in rows}
    assert {**listed, "original": set()} == {name: set(o) for name, o in OPTIONS.items()}


def test_the_page_runs():
    names: dict = {}
    for block in re.findall(r"^```python\n(.*?)^```", documented.PAGE.read_text(), re.M | re.S):
        if "numba" in block and find_spec("numba") is None:
            continue
        exec(compile(block, str(documented.PAGE), "exec"), names)
    assert names["table"].shape[0] == 3
