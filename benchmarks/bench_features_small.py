"""A small region in a large image, through the whole extractor, against PyRadiomics and flash.

F3: 837 voxels in a CT-like 48 x 512 x 512; F4: 4137 voxels in an MR-like 25 x 256 x 256. The 107
features of PyRadiomics of the original image, then of it, eight wavelet bands and three LoG images
(1130). flash-radiomics computes more features and always writes an HDF5 file (on a RAM disk). Peers
take one thread, flash all. The quality is the largest relative difference to PyRadiomics' values.
"""

from __future__ import annotations

import pytest

from pyrad_core import features

from . import feature_problems, peers
from .feature_problems import difference

_IMAGES = {
    "107 features": {"Original": {}},
    "1130 features": {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0, 2.0, 3.0]}},
}
_REGIONS = {"F3 lung": feature_problems.lung, "F4 brain": feature_problems.brain}


@pytest.fixture(scope="module")
def cases():
    known: dict = {}

    def case(name):
        if name not in known:
            known[name] = _REGIONS[name]()
        return known[name]

    return case


@pytest.fixture(scope="module")
def reference():
    """What PyRadiomics' extractor answered, by problem; it runs once for all that compare."""
    return {}


@pytest.mark.parametrize("count", list(_IMAGES))
@pytest.mark.parametrize("name", list(_REGIONS))
class TestSmallRegion:
    @pytest.mark.parametrize("used", [1, None], ids=["one", "all"])
    def bench_ours(self, name, count, used, cases, reference, measure, benchmark, with_threads):
        benchmark.group = f"{name}, {count}"
        image, mask, spacing = cases(name)
        settings = features.Settings.preset("pyradiomics", binWidth=25, imageType=_IMAGES[count])
        if (name, count) not in reference:
            reference[name, count] = self.peer(name, count, cases)()
        expected = reference[name, count]
        measure(
            lambda: features.extract(image, mask, settings=settings, spacing=spacing),
            threads=with_threads(used),
            quality=lambda got: difference(got, expected),
        )

    def bench_pyradiomics(self, name, count, cases, measure, benchmark):
        benchmark.group = f"{name}, {count}"
        measure(
            self.peer(name, count, cases),
            who="PyRadiomics extractor",
            quality="reference",
            warm_up=count.startswith("107"),
        )

    def bench_flash(self, name, count, cases, threads, measure, benchmark):
        benchmark.group = f"{name}, {count}"
        image, mask, spacing = cases(name)
        run = peers.flash_extractor(
            image, mask, spacing=spacing, threads=threads, image_types=_IMAGES[count],
            settings={"binWidth": 25, "additionalInfo": False},
        )  # fmt: skip
        quality = lambda got: f"{len(got)} features, HDF5"  # noqa: E731
        measure(run, who="flash-radiomics extractor", threads=threads, quality=quality)

    @staticmethod
    def peer(name, count, cases):
        image, mask, spacing = cases(name)
        return peers.pyradiomics_extractor(
            image, mask, spacing=spacing, image_types=_IMAGES[count],
            settings={"binWidth": 25, "additionalInfo": False},
        )  # fmt: skip
