"""Feature maps beside PyRadiomics' and flash-radiomics', 32 levels.

F2: maps of 12^3 centres, of 8^3 with radius 2: of more PyRadiomics' GLCM takes minutes. Peers get
warm on 3^3 centres. The quality is the largest relative difference to PyRadiomics' maps where both
are finite.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from pyrad_core import features

from . import feature_problems, peers

_SETTINGS = features.Settings.preset("pyradiomics", binWidth=1)
_FAMILIES = {
    "first_order": "firstorder",
    "glcm": "glcm",
    "glrlm": "glrlm",
    "glszm": "glszm",
    "ngtdm": "ngtdm",
    "ngldm": "gldm",
}
"""Family -> PyRadiomics' name of it."""
_QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
_SIZES = {1: 5, 2: 4} if _QUICK else {1: 12, 2: 8}
_LARGE, _WHOLE = (8, 16) if _QUICK else (24, 64)


@pytest.fixture(scope="module")
def reference():
    """PyRadiomics' maps of F2 as they were measured, or made when first asked for."""
    known = {}

    def maps_of(family, radius, measured=lambda run: run()):
        key = family, radius
        if key not in known:
            name, cube = _FAMILIES[family], feature_problems.cube(_SIZES[radius])
            options = {"bin_width": 1, "family": name, "radius": radius}
            peers.pyradiomics_maps(*feature_problems.cube(3), **options)()
            known[key] = measured(peers.pyradiomics_maps(*cube, **options))
        return known[key]

    return maps_of


def ours_of(cube, family, radius, wanted=None):
    def run():
        return features.maps(
            *cube, family=family, features=wanted, radius=radius, settings=_SETTINGS, spacing=1.0
        )

    return run


def _placed(part, shape):
    """A map of the region's box, back on the grid (the box lies centred)."""
    if part is None:
        return None
    pads = [((n - m) // 2,) * 2 for n, m in zip(shape, part.shape, strict=True)]
    return np.pad(part, pads, constant_values=np.nan)


def map_difference(got, expected) -> str:
    worst = 0.0
    shape = tuple(np.max([part.shape for part in (*got.values(), *expected.values())], axis=0))
    for name, part in got.items():
        ours, theirs = _placed(part, shape), _placed(expected.get(name), shape)
        if theirs is None or (name.endswith("MCC") and not np.any(theirs)):
            continue
        known = np.isfinite(ours) & np.isfinite(theirs)
        scale = np.maximum(np.abs(theirs[known]), 1e-3)
        worst = max(worst, float(np.max(np.abs(ours[known] - theirs[known]) / scale)))
    return f"{len(got)} maps, off by {worst:.0e}"


def say_cost(benchmark, voxels):
    info, cost = benchmark.extra_info, benchmark.stats.stats.median / voxels
    info["quality"] = ", ".join(filter(None, (info["quality"], f"{1e6 * cost:.3g} us a voxel")))


@pytest.mark.parametrize("radius", [1, 2])
@pytest.mark.parametrize("family", _FAMILIES)
class TestMapsF2:
    @pytest.fixture
    def cube(self, family, radius, benchmark):
        size = _SIZES[radius]
        benchmark.group = f"{family} maps {size}^3, radius {radius}"
        return feature_problems.cube(size)

    def bench_pyradiomics(self, family, radius, cube, reference, measure):
        def measured(run):
            return measure(run, who="PyRadiomics", quality="reference", warm_up=False)

        reference(family, radius, measured)

    @pytest.mark.parametrize("count", (None, 1), ids=("all", "one"))
    def bench_ours(self, family, radius, count, cube, reference, with_threads, measure, benchmark):
        found = reference(family, radius)
        measure(
            ours_of(cube, family, radius),
            threads=with_threads(count),
            quality=lambda got: map_difference(got, found),
        )
        say_cost(benchmark, _SIZES[radius] ** 3)

    def bench_flash(self, family, radius, cube, reference, threads, measure):
        found, name = reference(family, radius), _FAMILIES[family]
        options = {"bin_width": 1, "family": name, "radius": radius, "threads": threads}
        peers.flash_maps(*feature_problems.cube(3), **options)()
        measure(
            peers.flash_maps(*cube, **options),
            who="flash-radiomics",
            threads=threads,
            quality=lambda got: map_difference(got, found),
            warm_up=False,
        )


@pytest.mark.parametrize("wanted", [None, ["Contrast"]], ids=["all", "Contrast"])
@pytest.mark.parametrize("radius", range(1, 8))
def bench_cost_by_radius(radius, wanted, with_threads, measure, benchmark):
    """24 features, or one without a histogram."""
    benchmark.group = (
        f"GLCM maps {_LARGE}^3, {'24 features' if wanted is None else 'Contrast'}, one thread"
    )
    cube = feature_problems.cube(_LARGE)
    measure(
        ours_of(cube, "glcm", radius, wanted),
        who=f"pyrad_core, radius {radius}",
        threads=with_threads(1),
    )
    say_cost(benchmark, _LARGE**3)


def bench_all_families(with_threads, measure, benchmark):
    """The six families of one region."""
    benchmark.group = f"maps of all six families, {_WHOLE}^3, radius 1"
    cube = feature_problems.cube(_WHOLE)

    def run():
        found = {}
        for family in _FAMILIES:
            found |= ours_of(cube, family, 1)()
        return found

    measure(run, threads=with_threads(None), quality=lambda got: f"{len(got)} maps", warm_up=False)
