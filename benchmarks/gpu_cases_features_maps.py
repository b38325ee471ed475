"""GPU cases of co-occurrence maps by radius; they join the table in gpu_cases."""

from __future__ import annotations

from functools import partial

import numpy as np

from .feature_problems import cube
from .gpu_cases import case, job

for _radius, _size in ((1, 128), (3, 64), (7, 48)):

    @case(f"features.maps glcm, {_size}^3, 24 features, radius {_radius}")
    def _(tiny, radius=_radius, size=_size):
        from pyrad_core import features

        levels, mask = cube(3 if tiny else size)
        settings = features.Settings.preset("pyradiomics", binWidth=1)
        call = partial(
            features.maps, family="glcm", radius=min(radius, 2) if tiny else radius,
            settings=settings, spacing=1.0,
        )  # fmt: skip
        return job(call, {"image": levels.astype(np.float32), "mask": mask})


for _radius in (1, 7):

    @case(
        f"features.maps glcm, 128^3, sums over pairs (Contrast, Correlation, Idm), radius {_radius}"
    )
    def _(tiny, radius=_radius):
        from pyrad_core import features

        levels, mask = cube(3 if tiny else 128)
        settings = features.Settings.preset("pyradiomics", binWidth=1)
        call = partial(
            features.maps, family="glcm", features=("Contrast", "Correlation", "Idm"),
            radius=min(radius, 2) if tiny else radius, settings=settings, spacing=1.0,
        )  # fmt: skip
        return job(call, {"image": levels.astype(np.float32), "mask": mask})
