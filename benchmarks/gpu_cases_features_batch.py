"""GPU cases of many regions in one call; they join the table in gpu_cases."""

from __future__ import annotations

import numpy as np

from .gpu_cases import _normal, case, job


def _labels(tiny: bool) -> dict[str, np.ndarray]:
    """Noise and a checkerboard of regions with labels of their own."""
    size, boxes = (5, 2) if tiny else (12, 16)
    n = size * boxes
    at = np.arange(n) // size
    number = (at[:, None, None] * boxes + at[:, None]) * boxes + at + 1
    inside = (np.indices((n, n, n)) % size > 0).all(axis=0)
    image = (_normal((n, n, n)) * 100).astype(np.float32)
    return {"image": image, "mask": (number * inside).astype(np.int32)}


for _bins in (32, 300):

    @case(f"features.extract of 4096 labels, 11^3 each, {_bins} levels")
    def _(tiny, bins=_bins):
        from pyrad_core import features

        settings = features.Settings.preset("pyradiomics").replace(
            discretisation=("fbn", bins),
            families=("first_order", "glcm", "glrlm", "glszm", "ngtdm", "ngldm"),
        )

        def call(image, mask):
            found = features.extract(image, mask, label="all", settings=settings, spacing=1.0)
            return np.array([list(values.values()) for values in found.values()])

        return job(call, _labels(tiny))
