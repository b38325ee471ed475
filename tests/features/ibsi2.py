"""IBSI 2, phase 2: statistics of the filtered CT phantom against its reference values.

A: without interpolation, slice by slice; B: resampled to 1 mm, in 3D (arXiv:2006.05470). Agreement
is the published tolerance, without regard to printed digits.
"""

from __future__ import annotations

import csv
import math
from functools import cache

import numpy as np
from features.ibsi import phantom
from helpers import data_path

from pyrad_core import features

PREPROCESSING = {
    "A": {"aggregation": "2D_avg"},
    "B": {"aggregation": "3D_avg", "resample": (1, 1, 1), "interpolation": "cubic"},
}
_GABOR = {"sigma": 5.0, "wavelength": 2.0, "aspect": 1.5, "angle_step": math.pi / 8}
_ENERGY = {"pooling": "max", "energy_distance": 7}
_WAVELET = {"wavelet": "db3", "pooling": "mean"}
FILTERS = {
    "1.A": {"original": {}},
    "2.A": {"mean": {"support": 5}},
    "3.A": {"laplacian_of_gaussian": {"sigma": 1.5}},
    "4.A": {"laws": {"kernels": "L5E5", **_ENERGY}},
    "5.A": {"gabor": _GABOR},
    "6.A": {"separable_wavelet": {"bands": "LH", **_WAVELET}},
    "7.A": {"separable_wavelet": {"bands": "HH", "level": 2, **_WAVELET}},
    "8.A": {"nonseparable_wavelet": {"level": 1}},
    "9.A": {"nonseparable_wavelet": {"level": 2}},
    "1.B": {"original": {}},
    "2.B": {"mean": {"support": 5}},
    "3.B": {"laplacian_of_gaussian": {"sigma": 1.5}},
    "4.B": {"laws": {"kernels": "L5E5E5", **_ENERGY}},
    "5.B": {"gabor": {**_GABOR, "planes": "orthogonal"}},
    "6.B": {"separable_wavelet": {"bands": "LLH", **_WAVELET}},
    "7.B": {"separable_wavelet": {"bands": "HHH", "level": 2, **_WAVELET}},
    "8.B": {"nonseparable_wavelet": {"level": 1}},
    "9.B": {"nonseparable_wavelet": {"level": 2}},
}


@cache
def reference():
    """Filter -> rows with a published value (quartiles of 8.B have none)."""
    path = data_path("features", "ibsi2", "ibsi2_reference_feature_values.csv")
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["value"]]
    return {name: [row for row in rows if row["filter_id"] == name] for name in FILTERS}


@cache
def extracted(name):
    """IBSI's tag -> value."""
    image, mask, spacing = phantom("A")
    settings = features.Settings(
        filters=FILTERS[name],
        families=("first_order",),
        resegment_range=(-1000, 400),
        **PREPROCESSING[name[-1]],
    )
    found = features.extract(image, mask, settings=settings, spacing=spacing)
    return found.by_ibsi_tag(next(iter(found)).partition("_")[0])


def compared(name):
    """(rows with a published value, those of them that disagree as text)."""
    got = extracted(name)
    wrong = [
        f"{name} {row['feature']}: {got.get(row['feature'], np.nan):.6g}, published "
        f"{row['value']} +- {row['tolerance']}"
        for row in reference()[name]
        if not abs(got.get(row["feature"], np.nan) - float(row["value"])) <= float(row["tolerance"])
    ]
    return reference()[name], wrong


def conformity():
    """(configuration -> filter -> (passed, total), the values that disagree as text)."""
    table: dict = {letter: {} for letter in PREPROCESSING}
    disagree = []
    for name in FILTERS:
        rows, wrong = compared(name)
        number, letter = name.split(".")
        table[letter][number] = len(rows) - len(wrong), len(rows)
        disagree += wrong
    return table, disagree
