"""GPU cases of the 3D Joseph projectors; see gpu_cases.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from .gpu_cases import case, job


def _cone(tiny: bool) -> tuple[Any, Any]:
    import pyrad_core as prc

    views, pixels, size = (3, 14, 10) if tiny else (360, 768, 512)
    angles = np.arange(views) * 2 * np.pi / views
    beam = prc.ConeBeam(angles, (pixels, pixels), 460.8 / pixels, 1000.0, 1536.0)
    return beam, prc.Volume((size,) * 3, 256 / size)


def _tilted(tiny: bool) -> tuple[Any, Any]:
    """Every view with its detector rolled: the general path, a smaller problem."""
    import pyrad_core as prc

    views, pixels, size = (3, 11, 8) if tiny else (90, 384, 256)
    angles = np.arange(views) * 2 * np.pi / views
    beam = prc.ConeBeam(angles, (pixels, pixels), 460.8 / pixels, 1000.0, 1536.0)
    return beam.perturbed(roll=0.02 * np.cos(angles)), prc.Volume((size,) * 3, 256 / size)


_SCANS = {"cone 512^3 x 360 x 768^2": _cone, "tilted cone 256^3 x 90 x 384^2": _tilted}

for _name, _scan in _SCANS.items():

    @case(f"ct.Projector {_name} forward")
    def _(tiny, scan=_scan):
        from pyrad_core import ct

        projector = ct.Projector(*scan(tiny))
        x = np.random.default_rng(0).random(projector.domain_shape, dtype=np.float32)
        moved = 4 * int(np.prod(projector.domain_shape) + np.prod(projector.range_shape))
        return job(lambda x: projector.forward(x), {"x": x}, bytes=moved)

    @case(f"ct.Projector {_name} adjoint")
    def _(tiny, scan=_scan):
        from pyrad_core import ct

        projector = ct.Projector(*scan(tiny))
        y = np.random.default_rng(0).random(projector.range_shape, dtype=np.float32)
        moved = 4 * int(np.prod(projector.domain_shape) + np.prod(projector.range_shape))
        return job(lambda y: projector.adjoint(y), {"y": y}, bytes=moved)
