"""Features of a large region, family by family and all at once, against their peers.

F1: 944 213 voxels in a box of 149 x 134 x 139, 32 levels. Peers are the family classes of
PyRadiomics (one thread) and flash-radiomics on the region's box, and Nyxus, which reads NIfTI files
(on a RAM disk; what it takes for the mean alone is told beside). Our rows are the public functions
with all their checks; in their quality stands the largest relative difference to PyRadiomics. The
floor is one table increment per pair. pictologics cannot be installed here; the time in its row's
stead is published, not measured.
"""

from __future__ import annotations

import pytest

from pyrad_core import features

from . import feature_problems, peers
from .feature_problems import difference

_SETTINGS = features.Settings.preset("pyradiomics", binWidth=1)
FAMILIES = ("glcm", "glrlm", "glszm", "ngtdm", "ngldm", "first_order", "shape")
FUSED = (
    *("first_order", "intensity_histogram"),
    *("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"),
)
_NS_PER_PAIR = 0.5  # about what one increment of a cached counter takes
_PICTOLOGICS = (
    "pictologics, published: 766 ms (1 thread), 617 (2) on an EPYC, where PyRadiomics' five "
    "texture classes take 1572"
)


@pytest.fixture(scope="module")
def large():
    return feature_problems.large()


@pytest.fixture(scope="module")
def reference(large):
    """PyRadiomics' values of a family, computed once."""
    known: dict = {}

    def values(family):
        if family not in known:
            known[family] = peers.pyradiomics_class(*large, name=family, bin_width=1)()
        return known[family]

    return values


def _group(family):
    return f"F1 {family}, 944k voxels, 32 levels"


class TestSegmentF1:
    @pytest.mark.parametrize("family", FAMILIES)
    @pytest.mark.parametrize("count", [1, None], ids=["one", "all"])
    def bench_ours(
        self, family, count, large, reference, threads, measure, benchmark, with_threads
    ):
        benchmark.group = _group(family)
        used = with_threads(count)
        call = getattr(features, family)
        pairs_ms = feature_problems.F1_PAIRS * _NS_PER_PAIR * 1e-6
        measure(
            lambda: call(*large, settings=_SETTINGS, spacing=1.0),
            threads=used,
            quality=lambda got: difference(got, _or_skip(reference, family)),
            floor_ms=pairs_ms / used if family == "glcm" else None,
        )

    @pytest.mark.parametrize("family", FAMILIES)
    def bench_pyradiomics(self, family, large, measure, benchmark):
        benchmark.group = _group(family)
        ours = getattr(features, family)(*large, settings=_SETTINGS, spacing=1.0)
        run = peers.pyradiomics_class(*large, name=family, bin_width=1)
        measure(
            run,
            who="PyRadiomics class",
            quality=lambda got: difference(got, ours),
            warm_up=family != "shape",
        )

    @pytest.mark.parametrize("family", FAMILIES)
    def bench_flash(self, family, large, threads, measure, benchmark):
        benchmark.group = _group(family)
        ours = getattr(features, family)(*large, settings=_SETTINGS, spacing=1.0)
        run = peers.flash_class(*large, name=family, bin_width=1, threads=threads)
        measure(
            run,
            who="flash-radiomics class",
            threads=threads,
            quality=lambda got: difference(got, ours),
        )

    @pytest.mark.parametrize("family", [f for f in FAMILIES if f in peers.NYXUS_GROUPS])
    def bench_nyxus(self, family, large, measure, benchmark):
        benchmark.group = _group(family)
        ours = getattr(features, family)(*large, settings=_SETTINGS, spacing=1.0)
        run, without = peers.nyxus_group(*large, name=family, bins=32)
        measure(
            run,
            who="Nyxus, from files",
            quality=lambda got: f"{difference(got, ours)}; files and mean alone {without:.0f} ms",
        )


class TestFusedF1:
    """All texture families, first order and histogram in one call."""

    group = "F1 six matrices, first order and histogram in one call"

    @pytest.mark.parametrize("count", [1, None], ids=["one", "all"])
    def bench_ours(self, count, large, measure, benchmark, with_threads):
        benchmark.group = self.group
        settings = _SETTINGS.replace(families=FUSED)
        measure(
            lambda: features.extract(*large, settings=settings, spacing=1.0),
            threads=with_threads(count),
            quality=lambda got: f"{len(got)} features; {_PICTOLOGICS}",
        )

    def bench_pyradiomics(self, large, measure, benchmark):
        benchmark.group = self.group
        names = [name for name in FUSED if name in FAMILIES]
        runs = [peers.pyradiomics_class(*large, name=name, bin_width=1) for name in names]
        measure(
            lambda: [run() for run in runs],
            who="PyRadiomics, its six classes",
            quality=lambda got: f"{sum(map(len, got))} features, no GLDZM, no histogram",
        )


def _or_skip(reference, family):
    try:
        return reference(family)
    except pytest.skip.Exception:
        return {}
