"""PyRadiomics' baselines: the columns that the files at hand allow, and how they compare."""

from __future__ import annotations

import math

import numpy as np
from features.reference import baseline, nrrd

from pyrad_core import features

CASES = ("brain1", "brain2", "lung1")
_TEXTURE = ("", "_2d", "_FBN", "_flatRegion", "_normalization", "_resampling", "_resegmentation")
VARIANTS = {
    "firstorder": ("", "_normalization", "_resampling", "_resegmentation"),
    "glcm": (*_TEXTURE, "_combined"),
    "glrlm": (*_TEXTURE, "_combined"),
    "glszm": _TEXTURE,
    "gldm": _TEXTURE,
    "ngtdm": _TEXTURE,
    "shape": ("", "_resampling"),
    "shape2D": ("_shape2D",),
}
_SLICES = {"brain1_shape2D": 16, "brain2_shape2D": 8, "lung1_shape2D": 33}
# Written by an older PyRadiomics with another mesh (its 3.0.1 gives our values).
STALE = {
    ("brain1", f"original_shape_{name}")
    for name in ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity")
}
# Normalisation looks at the whole image, of which lung1 holds a crop.
COLUMNS = [
    (name, case + variant)
    for name, variants in VARIANTS.items()
    for case in CASES
    for variant in variants
    if case + variant != "lung1_normalization"
]


def compared(name, column):
    """(values compared, those of them off by more than 1e-6 as text), the stale ones left out."""
    image, mask, spacing = nrrd(column.split("_")[0])
    given, expected = baseline(name)[column]
    if name == "shape2D":
        mask = mask * (np.arange(len(mask)) == _SLICES[column])[:, None, None]
        given = {key: value for key, value in given.items() if key != "correctMask"}
    settings = features.Settings.preset("pyradiomics", **given, featureClass={name: None})
    got = features.extract(image, mask, settings=settings, spacing=spacing)
    assert set(got) == set(expected)
    chosen = {f: v for f, v in expected.items() if (column, f) not in STALE}
    wrong = [
        f"{column} {feature}: {got[feature]:.9g}, baseline {value:.9g}"
        for feature, value in chosen.items()
        if not math.isclose(got[feature], value, rel_tol=1e-6, abs_tol=1e-9)
    ]
    return len(chosen), wrong


def conformity():
    """(class -> case -> (passed, total) over all configurations, disagreements as text)."""
    table: dict = {name: dict.fromkeys(CASES, (0, 0)) for name in VARIANTS}
    disagree = []
    for name, column in COLUMNS:
        count, wrong = compared(name, column)
        case = column.split("_")[0]
        passed, total = table[name][case]
        table[name][case] = passed + count - len(wrong), total + count
        disagree += wrong
    return table, disagree
