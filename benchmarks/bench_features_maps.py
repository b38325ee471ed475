"""Feature maps against PyRadiomics. F2: maps of 16^3 centres, 32 levels, radius 1.

The quality is the largest relative difference to PyRadiomics' maps where both are finite.
"""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core import features

from . import feature_problems, peers

_SETTINGS = features.Settings.preset("pyradiomics", binWidth=1)


@pytest.fixture(scope="module")
def cube():
    return feature_problems.cube()


def _placed(part, shape):
    """A map of the region's box, back on the grid (the box lies centred)."""
    if part is None:
        return None
    pads = [((n - m) // 2,) * 2 for n, m in zip(shape, part.shape, strict=True)]
    return np.pad(part, pads, constant_values=np.nan)


def map_difference(got, expected) -> str:
    worst = 0.0
    for name, ours in got.items():
        theirs = _placed(expected.get(name), ours.shape)
        if theirs is None or (name.endswith("MCC") and not np.any(theirs)):
            continue
        known = np.isfinite(ours) & np.isfinite(theirs)
        scale = np.maximum(np.abs(theirs[known]), 1e-3)
        worst = max(worst, float(np.max(np.abs(ours[known] - theirs[known]) / scale)))
    return f"{len(got)} maps, off by {worst:.0e}"


def _wanted(names):
    return "24 features" if names is None else ", ".join(names)


@pytest.mark.parametrize("wanted", [None, ["Contrast"]], ids=["all", "Contrast"])
class TestMapsF2:
    def bench_ours(self, wanted, cube, threads, measure, benchmark):
        benchmark.group = f"F2 GLCM maps 16^3, radius 1, {_wanted(wanted)}"
        run = peers.pyradiomics_maps(*cube, bin_width=1, wanted=wanted)
        expected = run()

        def ours():
            return features.maps(
                *cube, family="glcm", features=wanted, radius=1, settings=_SETTINGS, spacing=1.0
            )

        measure(ours, threads=threads, quality=lambda got: map_difference(got, expected))

    def bench_pyradiomics(self, wanted, cube, measure, benchmark):
        benchmark.group = f"F2 GLCM maps 16^3, radius 1, {_wanted(wanted)}"
        run = peers.pyradiomics_maps(*cube, bin_width=1, wanted=wanted)
        measure(run, who="PyRadiomics", quality="reference")


_FAMILIES = {"glrlm": "glrlm", "glszm": "glszm", "ngtdm": "ngtdm", "ngldm": "gldm"}
"""Family -> PyRadiomics' name of it."""


@pytest.mark.parametrize("family", _FAMILIES)
class TestMatrixMapsF2:
    def bench_ours(self, family, cube, threads, measure, benchmark):
        benchmark.group = f"F2 {family} maps 16^3, radius 1"
        expected = peers.pyradiomics_maps(*cube, bin_width=1, family=_FAMILIES[family])()

        def ours():
            return features.maps(*cube, family=family, radius=1, settings=_SETTINGS, spacing=1.0)

        measure(ours, threads=threads, quality=lambda got: map_difference(got, expected))

    def bench_pyradiomics(self, family, cube, measure, benchmark):
        benchmark.group = f"F2 {family} maps 16^3, radius 1"
        run = peers.pyradiomics_maps(*cube, bin_width=1, family=_FAMILIES[family])
        measure(run, who="PyRadiomics", quality="reference")
