"""IBSI 2, phase 1: the 33 reference response maps of digital phantoms, for tests and report."""

import csv
import functools
import json
import math

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import filters

nibabel = pytest.importorskip("nibabel")

BOUNDARIES = {
    "constant": "zero",
    "nearest": "nearest",
    "wrap": "periodic",
    "reflect": "mirror",
}
SPACING = 2.0
TOLERANCE = 0.01  # of the map's range
# The table has no parameters for the Riesz maps.
RIESZ = {
    "9.a": {"order": (1, 0, 0), "sigma": 3.0, "boundary": "zero"},
    "9.b.1": {"order": (0, 2, 0), "sigma": 3.0, "boundary": "zero"},
    "10.b.1": {"order": (0, 2, 0), "family": "simoncelli"},
}


@functools.cache
def table():
    path = data_path("features", "ibsi2", "ibsi2_response_map_tests.csv")
    with open(path, newline="") as file:
        return {row["test_id"]: row for row in csv.DictReader(file)}


def load(*parts):
    """As (z, y, x)."""
    image = nibabel.load(data_path("features", "ibsi2", *parts))
    return np.ascontiguousarray(np.asarray(image.dataobj, dtype=np.float64).T)


def response(test_id, row):
    image = load("digital_phantom", f"{row['phantom']}_image.nii.gz")
    by_slice = row["by_slice_2D"] == "True"
    given = json.loads(row["parameters_mirp_vocabulary"])
    prefix = next((key.split("_boundary")[0] for key in given if "boundary" in key), "")
    p = {key.removeprefix(prefix + "_"): value for key, value in given.items()}
    boundary = BOUNDARIES.get(p.get("boundary_condition"))
    pooling = p.get("pooling_method") if p.get("rotation_invariance") else None
    if prefix == "mean_filter":
        return filters.mean(image, support=p["kernel_size"], boundary=boundary, by_slice=by_slice)
    if prefix == "laplacian_of_gaussian":
        return filters.laplacian_of_gaussian(
            image,
            sigma=p["sigma"],
            truncate=p["kernel_truncate"],
            boundary=boundary,
            spacing=SPACING,
            by_slice=by_slice,
        )
    if prefix == "laws":
        return filters.laws(
            image,
            p["kernel"],
            pooling=pooling,
            energy_distance=p.get("delta"),
            boundary=boundary,
            by_slice=by_slice,
        )
    if prefix == "gabor":
        step = p.get("theta_step")
        return filters.gabor(
            image,
            sigma=p["sigma"],
            wavelength=p["lambda"],
            aspect=p["gamma"],
            angle=math.radians(p["theta"]),
            angle_step=None if step is None else math.radians(step),
            planes="orthogonal" if pooling else "axial",
            boundary=boundary,
            spacing=SPACING,
        )
    if prefix == "separable_wavelet":
        return filters.separable_wavelet(
            image,
            p["families"],
            p["set"],
            level=p.get("decomposition_level", 1),
            pooling=pooling,
            boundary=boundary,
        )
    if prefix == "nonseparable_wavelet":
        return filters.nonseparable_wavelet(
            image, family=p["families"], level=p["decomposition_level"]
        )
    return filters.riesz(image, spacing=SPACING, **RIESZ[test_id])


IDS = (
    "1.a.1 1.a.2 1.a.3 1.a.4 1.b.1 2.a 2.b 2.c 3.a.1 3.a.2 3.a.3 3.b.1 3.b.2 3.b.3 3.c.1 3.c.2 "
    "3.c.3 4.a.1 4.a.2 4.b.1 4.b.2 5.a.1 5.a.2 6.a.1 6.a.2 7.a.1 7.a.2 8.a.1 8.a.2 8.a.3 9.a "
    "9.b.1 10.b.1"
).split()


def difference(test_id):
    """Largest difference to the reference map, as a share of its range."""
    row = table()[test_id]
    reference = load("reference_response_maps", row["reference_map"])
    return np.abs(response(test_id, row) - reference).max() / np.ptp(reference)


def conformity():
    """(maps within tolerance, maps) by filter, and a line for each map beyond it."""
    counts, disagree = {}, []
    for test_id in IDS:
        found = difference(test_id)
        passed, total = counts.get(test_id.split(".")[0], (0, 0))
        counts[test_id.split(".")[0]] = passed + (found <= TOLERANCE), total + 1
        if found > TOLERANCE:
            disagree.append(f"IBSI 2 map {test_id}: off by {found:.1%} of its range")
    return counts, disagree
