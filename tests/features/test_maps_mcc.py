"""Maximal correlation coefficient of windows against eigenvalues by NumPy."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from pyrad_core._kernels import cpu
from pyrad_core.features import Settings, maps


def directions():
    return [d for d in itertools.product((-1, 0, 1), repeat=3) if d > (0, 0, 0)]


def mcc_of_window(levels, step):
    """Second largest |eigenvalue| of D^-1/2 P D^-1/2, NaN without pairs."""
    low = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(step, levels.shape, strict=True))
    high = tuple(slice(max(0, s), n - max(0, -s)) for s, n in zip(step, levels.shape, strict=True))
    first, second = levels[low].ravel(), levels[high].ravel()
    if first.size == 0:
        return np.nan
    table = np.zeros((levels.max() + 1,) * 2)
    np.add.at(table, (first, second), 1)
    np.add.at(table, (second, first), 1)
    present = table.sum(0) > 0
    table = table[present][:, present]
    root = np.sqrt(table.sum(0))
    values = np.sort(np.abs(np.linalg.eigvalsh(table / np.outer(root, root))))
    return values[-2] if len(values) > 1 else 0.0


@pytest.mark.parametrize("width", [0, 8, 16])
@pytest.mark.parametrize(("ng", "radius"), [(3, 1), (7, 1), (40, 1), (5, 2), (24, 2)])
def test_mcc_of_every_window_eigenvalues(ng, radius, width):
    rng = np.random.default_rng(ng)
    levels = rng.integers(0, ng, (5, 6, 7))
    levels[2:4, 2:5] = np.arange(7) % 2  # graphs in parts and without odd cycles
    mask = np.ones(levels.shape, np.uint8)
    settings = replace(Settings.preset("pyradiomics"), discretisation=("fbs", 1.0))
    before = cpu.limit_vector_width(width)
    try:
        found = maps(
            levels.astype(np.float64),
            mask,
            family="glcm",
            features="MCC",
            radius=radius,
            settings=settings,
        )["original_glcm_MCC"]
    finally:
        cpu.limit_vector_width(before)
    for at in itertools.product(*(range(n) for n in levels.shape)):
        window = levels[tuple(slice(max(0, a - radius), a + radius + 1) for a in at)]
        expected = np.nanmean([mcc_of_window(window, step) for step in directions()])
        assert abs(found[at] - expected) < 1e-9
