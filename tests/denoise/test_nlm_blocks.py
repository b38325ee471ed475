"""Blockwise non-local means: plain loops of the documented formula as oracle."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core.denoise import nlm


def _noisy(shape, seed=0):
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    clean = np.asarray(sum(g * g for g in grid) < 0.6, np.float64)
    return clean + np.random.default_rng(seed).normal(0, 0.1, shape)


def _blocks_formula(x, sigma, patch, search, h2, limits):
    """Blockwise means by plain loops, blocks around every second voxel."""
    reach = [w // 2 for w in patch]
    padded = np.pad(x, [(r, r) for r in reach], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, patch)
    total, count = np.zeros(x.shape), np.zeros(x.shape)

    def alike(a, b, limit):
        return limit <= a / b <= 1 / limit

    for c in itertools.product(*(range(0, n, 2) for n in x.shape)):
        top, bottom = 0, 0
        for j in itertools.product(
            *(
                range(max(0, k - w // 2), min(n, k + w // 2 + 1))
                for k, w, n in zip(c, search, x.shape, strict=True)
            )
        ):
            a, b = windows[c], windows[j]
            excess = max(np.mean((a - b) ** 2) - 2 * sigma**2, 0) / h2
            counts = alike(a.mean(), b.mean(), limits[0]) and alike(a.var(), b.var(), limits[1])
            w = 1 if c == j else np.exp(-excess) * (excess <= 5) * counts
            top, bottom = top + w * b, bottom + w
        for k in np.ndindex(*patch):
            p = tuple(i + d - r for i, d, r in zip(c, k, reach, strict=True))
            if all(0 <= i < n for i, n in zip(p, x.shape, strict=True)):
                total[p] += top[k] / bottom
                count[p] += 1
    return total / count


@pytest.mark.parametrize(
    ("shape", "patch", "search"),
    [((11, 14), (3, 3), (7, 7)), ((12, 43), (5, 3), (5, 41)), ((5, 6, 7), (3, 3, 3), (5, 3, 5))],
)
def test_blockwise_by_plain_loops(shape, patch, search):
    x = 1 + _noisy(shape)
    expected = _blocks_formula(x, 0.1, patch, search, 0.09**2, (0.9, 0.4))
    options = dict(sigma=0.1, patch=patch, search=search, h=0.09, variant="blockwise")
    got = nlm(x, **options, preselection=(0.9, 0.4))
    assert relative_error(got, expected) < 1e-12
    single = nlm(x.astype(np.float32), **options, preselection=None)
    double = nlm(x, **options, preselection=None)
    assert relative_error(single, double) < 1e-5


def test_blockwise_series_constants_and_masks():
    options = dict(sigma=0.1, search=5, variant="blockwise")
    x = 1 + np.stack([_noisy((9, 12, 14), seed=k) for k in range(2)])
    got = nlm(x, **options)
    np.testing.assert_array_equal(got[1], nlm(x[1], **options))
    by_map = nlm(x, **{**options, "sigma": np.full(x.shape[1:], 0.1)})
    np.testing.assert_allclose(by_map, got, rtol=1e-12)
    np.testing.assert_allclose(nlm(np.full((7, 8), 0.3), **options), 0.3, rtol=1e-15)
    mask = np.zeros(x.shape[1:], bool)
    mask[:, 11:, 13:] = True
    part = nlm(x, **options, mask=mask)
    np.testing.assert_array_equal(part[:, ~mask], x[:, ~mask])
    np.testing.assert_allclose(part[:, mask], got[:, mask], rtol=1e-12)
    with pytest.raises(prc.DataError, match="preselection"):
        nlm(x, **options, preselection=(1.5, 0.5))
