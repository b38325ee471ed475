"""Maximal correlation coefficient of windows against eigenvalues by NumPy."""

import functools
import itertools
from dataclasses import replace

import numpy as np
import pytest

import pyrad_core as prc
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


@functools.cache
def mcc_of_every_window(ng, radius):
    """An image of ng levels, and its map."""
    levels = np.random.default_rng(ng).integers(0, ng, (5, 6, 7))
    levels[2:4, 2:5] = np.arange(7) % 2  # graphs in parts and without odd cycles
    expected = np.empty(levels.shape)
    for at in itertools.product(*(range(n) for n in levels.shape)):
        window = levels[tuple(slice(max(0, a - radius), a + radius + 1) for a in at)]
        expected[at] = np.nanmean([mcc_of_window(window, step) for step in directions()])
    return levels, expected


@pytest.mark.sanitize
@pytest.mark.parametrize("width", [0, 8, 16])
@pytest.mark.parametrize(("ng", "radius"), [(3, 1), (7, 1), (40, 1), (5, 2), (24, 2)])
def test_mcc_of_every_window_eigenvalues(ng, radius, width):
    levels, expected = mcc_of_every_window(ng, radius)
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
    assert np.abs(found - expected).max() < 1e-9


def test_same_bits_for_any_number_of_threads():
    levels = np.random.default_rng(3).integers(0, 20, (9, 10, 13)).astype(np.float64)
    mask = np.ones(levels.shape, np.uint8)
    settings = replace(Settings.preset("pyradiomics"), discretisation=("fbs", 1.0))
    found = []
    for threads in (1, 2, 3):
        with prc.set_num_threads(threads):
            found.append(maps(levels, mask, family="glcm", radius=2, settings=settings))
    for other in found[1:]:
        for name, part in found[0].items():
            np.testing.assert_array_equal(other[name], part)


def mcc_of_tables(tables, width=16):
    """Of symmetric tables with even diagonals; each is written as pairs along a line of voxels."""
    lines, ng = [], max(len(table) for table in tables)
    for table in tables:
        counts = np.tril(table) - np.diag(np.diag(table) // 2)
        i, j = np.repeat(np.argwhere(counts), counts[counts > 0], axis=0).T
        lines.append(np.stack([i + 1, j + 1, 0 * i], axis=1).ravel())
    reach = max(len(line) for line in lines) // 2 + 1
    levels = np.zeros((1, len(tables), 4 * reach + 1), np.uint8)
    for row, line in zip(levels[0], lines, strict=True):
        row[reach : reach + len(line)] = line
    centres = np.arange(len(tables)) * levels.shape[2] + 2 * reach
    out = np.empty((len(tables), 24))
    before = cpu.limit_vector_width(width)
    try:
        cpu.local_glcm(
            levels, centres, np.array([[0, 0, 1]], np.int32), np.array([0, 1], np.int32),
            (0, 0, reach), ng, False, True, True, out,
        )  # fmt: skip
    finally:
        cpu.limit_vector_width(before)
    return out[:, -1]


def expected_mcc(table):
    table = table[table.sum(0) > 0][:, table.sum(0) > 0]
    root = np.sqrt(table.sum(0))
    values = np.sort(np.abs(np.linalg.eigvalsh(table / np.outer(root, root))))
    return values[-2] if len(values) > 1 else 0.0


def symmetric(counts):
    return counts + counts.T


def clusters(sizes, inside, between, seed=0):
    """Dense clusters with few pairs between one and the next."""
    rng = np.random.default_rng(seed)
    n, first = sum(sizes), 0
    counts = np.zeros((n, n), int)
    for size in sizes:
        counts[first : first + size, first : first + size] = rng.integers(1, inside, (size, size))
        if between and first + size < n:
            counts[first, first + size] = between
        first += size
    return symmetric(counts)


def equal_clusters(count, size, between):
    """The same cluster over and over, all joined to each other: equal eigenvalues."""
    block = 4 * np.ones((size, size), int)
    counts = np.kron(np.eye(count, dtype=int), block)
    counts[::size, ::size] += between * (1 - np.eye(count, dtype=int))
    return symmetric(counts)


def near_bipartite(n, loops, seed=0):
    """Eigenvalues close to minus each other."""
    counts = np.zeros((n, n), int)
    counts[: n // 2, n // 2 :] = np.random.default_rng(seed).integers(1, 40, (n // 2, n - n // 2))
    counts[0, 0] = loops
    return symmetric(counts)


def hard_tables():
    yield "one level", np.full((1, 1), 6)
    yield "two levels", np.array([[2, 1], [1, 4]])
    yield "two levels, one pair", np.array([[0, 1], [1, 0]])
    yield "parts", clusters([4, 3], 5, 0)
    for n in (3, 9, 24):
        yield f"star of {n}", symmetric(np.eye(n, dtype=int)[[0]].T * (np.arange(n) > 0))
        yield (
            f"path of {n} with a loop",
            symmetric(np.eye(n, k=1, dtype=int)) + np.diag([2] + [0] * (n - 1)),
        )
        yield f"all pairs of {n}", symmetric(np.ones((n, n), int))
        yield f"ring of {n}", symmetric(np.eye(n, dtype=int) + np.roll(np.eye(n, dtype=int), 1, 0))
        yield f"nearly bipartite {n}", near_bipartite(n, 1)
    for between in (1, 2, 20):
        yield f"three clusters joined by {between}", clusters([5, 6, 7], 30, between)
        yield f"equal clusters joined by {between}", equal_clusters(3, 4, between)
    almost = equal_clusters(4, 5, 3)
    almost[0, 0] += 2
    yield "nearly equal eigenvalues", almost
    yield "more levels than single precision takes", clusters([30, 25, 20], 3, 1)


@pytest.mark.sanitize
@pytest.mark.parametrize("width", [0, 8, 16])
def test_mcc_of_hard_tables_eigenvalues(width):
    names, tables = zip(*hard_tables(), strict=True)
    found = mcc_of_tables(tables, width)
    for name, table, value in zip(names, tables, found, strict=True):
        assert abs(value - expected_mcc(table)) < 1e-9, name


@pytest.mark.parametrize("width", [0, 8, 16])
def test_mcc_of_random_tables_eigenvalues(width):
    rng = np.random.default_rng(7)
    tables = []
    for n in rng.integers(2, 33, 150):
        counts = np.zeros((n, n), int)
        np.add.at(counts, tuple(rng.integers(0, n, (2, rng.integers(1, 100)))), 1)
        tables.append(symmetric(counts))
    found = mcc_of_tables(tables, width)
    expected = [expected_mcc(table) for table in tables]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_mcc_does_not_depend_on_the_tables_beside():
    tables = [table for _, table in hard_tables()]
    together = mcc_of_tables(tables)
    np.testing.assert_array_equal(mcc_of_tables(tables[::-1])[::-1], together)
    alone = [mcc_of_tables([table])[0] for table in tables]
    np.testing.assert_array_equal(alone, together)
