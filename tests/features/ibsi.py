"""IBSI's phantoms and configurations, extracted once per session, and its published matrices."""

from __future__ import annotations

import ast
import csv
from functools import cache

import numpy as np
from features.reference import AGGREGATIONS, agrees, ibsi_values, nifti
from helpers import data_path

from pyrad_core import features

CONFIGURATIONS = {
    "digital_phantom": {"discretisation": None},
    "A": {"resegment_range": (-500, 400), "discretisation": ("fbs", 25)},
    "B": {
        "resample": (2, 2, 2),
        "resample_in_plane": True,
        "resegment_range": (-500, 400),
        "discretisation": ("fbn", 32),
    },
    "C": {
        "resample": (2, 2, 2),
        "resegment_range": (-1000, 400),
        "discretisation": ("fbs", 25),
        "ivh_discretisation": ("fbs", 2.5),
    },
    "D": {"resample": (2, 2, 2), "resegment_sigma": 3.0, "discretisation": ("fbn", 32)},
    "E": {
        "resample": (2, 2, 2),
        "interpolation": "cubic",
        "resegment_range": (-1000, 400),
        "resegment_sigma": 3.0,
        "discretisation": ("fbn", 32),
        "ivh_discretisation": ("fbn", 1000),
    },
}
# IBSI's family -> (this package's, which aggregations it has)
FAMILIES = {
    "morphology": ("shape", "none"),
    "local_intensity": ("local_intensity", "none"),
    "ivh": ("intensity_volume_histogram", "none"),
    "intensity_statistics": ("first_order", "none"),
    "intensity_histogram": ("intensity_histogram", "none"),
    "glcm": ("glcm", "six"),
    "glrlm": ("glrlm", "six"),
    "glszm": ("glszm", "zone"),
    "gldzm": ("gldzm", "zone"),
    "ngtdm": ("ngtdm", "zone"),
    "ngldm": ("ngldm", "zone"),
}


def aggregations(config):
    """The aggregations that IBSI publishes for a configuration."""
    return {"A": AGGREGATIONS[:4], "B": AGGREGATIONS[:4]}.get(
        config, AGGREGATIONS if config == "digital_phantom" else AGGREGATIONS[4:]
    )


@cache
def phantom(config):
    """(image, mask, spacing) of a configuration."""
    if config == "digital_phantom":
        folder = ("ibsi1", "digital_phantom")
    else:
        folder = ("ibsi1", "ct_phantom_CC-BY-NC-3.0")
    image, spacing = nifti(*folder, "phantom.nii.gz")
    mask, _ = nifti(*folder, "mask.nii.gz")
    return np.rint(image.astype(np.float32)), mask, spacing


@cache
def extracted(config, aggregation):
    """All families of a configuration; those without aggregations only with its first one."""
    image, mask, spacing = phantom(config)
    first = aggregation == aggregations(config)[0]
    wanted = tuple(ours for ours, kind in FAMILIES.values() if kind != "none" or first)
    settings = features.Settings.preset(
        "ibsi", aggregation=aggregation, families=wanted, **CONFIGURATIONS[config]
    )
    return features.extract(image, mask, settings=settings, spacing=spacing)


def cases(config):
    """(IBSI's family, extracted aggregation, aggregation in the reference table)."""
    for family, (_, kind) in FAMILIES.items():
        done = set()
        for aggregation in aggregations(config):
            column = {"none": "", "six": aggregation, "zone": aggregation.split("_")[0]}[kind]
            if column not in done:
                done.add(column)
                yield family, aggregation, column


def compared(config, family, aggregation, column):
    """(rows that have a published value, those of them that disagree as text)."""
    rows = ibsi_values(config, family, column)
    got = extracted(config, aggregation).by_ibsi_tag()
    wrong = [
        f"{row['feature']}: {got.get(row['feature'], np.nan):.6g}, published {row['value']} "
        f"+- {row['tolerance']} ({row['consensus'] or 'no'} consensus)"
        for row in rows
        if not agrees(row, got.get(row["feature"], np.nan))
    ]
    return rows, wrong


@cache
def matrix_rows(family, dim):
    """Rows of the published matrices of the digital phantom."""
    path = data_path("features", "ibsi1", "ibsi1_digital_phantom_matrices.csv")
    with open(path, newline="") as file:
        return [row for row in csv.DictReader(file) if (row["family"], row["dim"]) == (family, dim)]


def published_matrices(family, dim, shape):
    """(direction, slice) -> table of counts; "merged" among the directions."""
    tables = {}
    for row in matrix_rows(family, dim):
        table = tables.setdefault((row["direction_xyz"], row["slice_z"]), np.zeros(shape, int))
        table[int(row["i"]) - 1, int(row["j"]) - 1] = int(row["n"])
    return tables


def conformity():
    """(family -> configuration -> (passed, total), the values that disagree as text)."""
    table: dict = {family: {} for family in FAMILIES}
    disagree = []
    for config in CONFIGURATIONS:
        for family, aggregation, column in cases(config):
            rows, wrong = compared(config, family, aggregation, column)
            passed, count = table[family].get(config, (0, 0))
            table[family][config] = passed + len(rows) - len(wrong), count + len(rows)
            disagree += [f"{config} {family} {column}: {text}" for text in wrong]
    return table, disagree


def matrix_pairs(family, dim):
    """(name, computed, published) of every published matrix of a family; NGTDM: (n, s) per row."""
    image, mask, _ = phantom("digital_phantom")
    settings, by_slice = features.Settings(discretisation=None), dim == "2D"
    found = getattr(features.matrices, family)(image, mask, settings=settings, by_slice=by_slice)
    if family in ("glcm", "glrlm"):
        return _direction_pairs(family, dim, *found)
    if family == "ngtdm":
        return _tone_pairs(dim, *found)
    return _slice_pairs(family, dim, found)


def _direction_pairs(family, dim, counts, offsets):
    for (direction, slice_z), expected in published_matrices(
        family, dim, counts.shape[-2:]
    ).items():
        of_slice = counts[int(slice_z) - 1] if slice_z else counts
        if direction == "merged":
            got = of_slice.sum(axis=0)
        else:
            step = np.array(ast.literal_eval(direction)[::-1])
            same = (offsets == step).all(axis=1) | (offsets == -step).all(axis=1)
            (got,) = of_slice[same]
        yield f"{direction} {slice_z}", got, expected


def _slice_pairs(family, dim, found):
    counts, values = (found, None) if family == "ngldm" else found
    shape = counts.shape[-2:] if values is None else (counts.shape[-2], 100)
    for (_, slice_z), expected in published_matrices(family, dim, shape).items():
        got = counts[int(slice_z) - 1] if slice_z else counts
        if values is not None:
            got = np.zeros_like(expected)
            got[:, values - 1] = counts[int(slice_z) - 1] if slice_z else counts
        yield slice_z, got, expected


def _tone_pairs(dim, number, difference):
    """n and s of the levels that occur; s is printed to seven digits."""
    rows = matrix_rows("ngtdm", dim)
    for slice_z in dict.fromkeys(row["slice_z"] for row in rows):
        n, s = (a[int(slice_z) - 1] if slice_z else a for a in (number, difference))
        expected = np.zeros((2, len(n)))
        for row in rows:
            if row["slice_z"] == slice_z:
                expected[:, int(row["i"]) - 1] = int(row["n"]), float(row["s"])
        got = np.stack([n, s])
        got[1] = np.where(np.abs(s - expected[1]) < 6e-7, expected[1], s)
        yield slice_z, got, expected


def matrix_conformity():
    """Family -> (equal, published matrices)."""
    table = {}
    for family in ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"):
        pairs = [pair for dim in ("2D", "3D") for pair in matrix_pairs(family, dim)]
        equal = sum(np.array_equal(got, expected) for _, got, expected in pairs)
        table[family] = equal, len(pairs)
    return table
