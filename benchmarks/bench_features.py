"""Texture: GLCM and first-order features of regions, and feature maps, against PyRadiomics.

Problems (names of the field's list): F1, 944 213 voxels in a box of 149 x 134 x 139, 32 levels;
F2, GLCM maps of 16^3 centres, 32 levels, radius 1; F4, a small region in a 25 x 256 x 256 image
through the whole extractor. Every row's quality is its largest relative difference to the other
package's values. PyRadiomics runs on one thread. The floor of F1 is one table increment per pair.
"""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core import features

from . import peers

_SETTINGS = features.Settings.preset("pyradiomics", binWidth=1)
FAMILIES = ("glcm", "glrlm", "glszm", "ngtdm", "ngldm", "first_order", "shape")
_NS_PER_PAIR = 0.5  # about what one increment of a cached counter takes
_PAIRS_F1 = 12.3e6


def _smooth(rng, shape, sigma):
    from scipy.ndimage import gaussian_filter

    x = gaussian_filter(rng.standard_normal(shape, np.float32), sigma)
    return x / x.std()


@pytest.fixture(scope="module")
def large():
    """(levels 1 .. 32 as int16, mask): 944 213 voxels, 34 % of the box 149 x 134 x 139."""
    rng = np.random.default_rng(0)
    shape = (149, 134, 139)
    z, y, x = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]
    radius = np.sqrt(z * z + y * y + x * x) + 0.35 * _smooth(rng, shape, 9)
    inside = radius <= np.partition(radius.ravel(), 944_212)[944_212]
    texture = _smooth(rng, shape, 1.5)
    levels = np.clip(np.floor(16 + 5 * texture), 1, 32).astype(np.int16)
    return levels, inside.astype(np.uint8)


@pytest.fixture(scope="module")
def cube():
    """(levels, mask): 16^3 voxels."""
    rng = np.random.default_rng(1)
    levels = np.clip(np.floor(16 + 6 * _smooth(rng, (16, 16, 16), 0.7)), 1, 32).astype(np.int16)
    volume, mask = np.zeros((18, 18, 18), np.int16), np.zeros((18, 18, 18), np.uint8)
    volume[1:-1, 1:-1, 1:-1], mask[1:-1, 1:-1, 1:-1] = levels, 1  # PyRadiomics wants some outside
    return volume, mask


@pytest.fixture(scope="module")
def small():
    """(image, mask): 25 x 256 x 256, a region of 4137 voxels with an MR-like texture."""
    rng = np.random.default_rng(2)
    image = np.rint(800 + 150 * _smooth(rng, (25, 256, 256), 1.0)).astype(np.int16)
    z, y, x = np.ogrid[:25, :256, :256]
    distance = ((z - 14) / 4) ** 2 + ((y - 119) / 30) ** 2 + ((x - 185) / 20) ** 2
    order = np.argsort(distance, axis=None, kind="stable")[:4137]
    mask = np.zeros(image.shape, np.uint8)
    mask.ravel()[order] = 1
    return image, mask


def difference(got, expected) -> str:
    """Largest relative difference over the features that both have."""
    common = [name for name in expected if name in got]
    pairs = [(float(got[name]), float(expected[name])) for name in common]
    worst = max(abs(a - b) / max(abs(b), 1e-9) for a, b in pairs)
    return f"{len(common)} features, off by {worst:.0e}"


def _placed(part, shape):
    """A map of the region's box, back on the grid (the box lies centred)."""
    if part is None:
        return None
    pads = [((n - m) // 2,) * 2 for n, m in zip(shape, part.shape, strict=True)]
    return np.pad(part, pads, constant_values=np.nan)


def map_difference(got, expected) -> str:
    """As difference(), over maps, where both are finite."""
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


class TestSegmentF1:
    @pytest.mark.parametrize("family", FAMILIES)
    def bench_ours(self, family, large, threads, measure, benchmark):
        benchmark.group = f"F1 {family}, 944k voxels, 32 levels"
        call = getattr(features, family)
        expected = peers.pyradiomics_class(*large, name=family, bin_width=1)()
        floor = _PAIRS_F1 * _NS_PER_PAIR * 1e-6 / threads if family == "glcm" else None
        measure(
            lambda: call(*large, settings=_SETTINGS, spacing=1.0),
            threads=threads,
            quality=lambda got: difference(got, expected),
            floor_ms=floor,
        )

    @pytest.mark.parametrize("family", FAMILIES)
    def bench_pyradiomics(self, family, large, measure, benchmark):
        benchmark.group = f"F1 {family}, 944k voxels, 32 levels"
        ours = getattr(features, family)(*large, settings=_SETTINGS, spacing=1.0)
        run = peers.pyradiomics_class(*large, name=family, bin_width=1)
        measure(run, who="PyRadiomics class", quality=lambda got: difference(got, ours))


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


class TestExtractF4:
    def bench_ours(self, small, threads, measure, benchmark):
        benchmark.group = "F4 extract glcm + first order, 4137 voxels in 25 x 256 x 256"
        settings = features.Settings.preset("pyradiomics", binWidth=25)
        expected = self.peer(small)()
        measure(
            lambda: features.extract(*small, settings=settings, spacing=(6.5, 0.78, 0.78)),
            threads=threads,
            quality=lambda got: difference(got, expected),
        )

    def bench_pyradiomics(self, small, measure, benchmark):
        benchmark.group = "F4 extract glcm + first order, 4137 voxels in 25 x 256 x 256"
        measure(self.peer(small), who="PyRadiomics extractor", quality="reference")

    @staticmethod
    def peer(small):
        return peers.pyradiomics_extractor(
            *small,
            spacing=(6.5, 0.78, 0.78),
            classes=("glcm", "firstorder"),
            settings={"binWidth": 25, "additionalInfo": False},
        )
