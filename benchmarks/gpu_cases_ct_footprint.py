"""GPU cases of the separable-footprint projectors; see gpu_cases.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from .gpu_cases import case, job


def _parallel(tiny: bool) -> tuple[Any, Any]:
    import pyrad_core as prc

    views, columns, size = (12, 47, 32) if tiny else (720, 736, 512)
    angles = np.arange(views) * np.pi / views
    return prc.ParallelBeam(angles, columns), prc.Volume((size, size))


def _fan(tiny: bool) -> tuple[Any, Any]:
    import pyrad_core as prc

    views, columns, size = (12, 47, 32) if tiny else (720, 736, 512)
    angles = np.arange(views) * 2 * np.pi / views
    beam = prc.FanBeam(angles, columns, 2.0, 4.0 * size, 8.0 * size)
    return beam, prc.Volume((size, size))


def _cone(tiny: bool) -> tuple[Any, Any]:
    import pyrad_core as prc

    views, pixels, size = (3, 14, 10) if tiny else (360, 384, 256)
    angles = np.arange(views) * 2 * np.pi / views
    pixel = 1.2 * 384 / pixels
    return (
        prc.ConeBeam(angles, (pixels, pixels), pixel, 1000.0, 1536.0),
        prc.Volume((size,) * 3, 256 / size),
    )


def _tilted(tiny: bool) -> tuple[Any, Any]:
    """The cone with a detector rolled by 3 degrees."""
    import pyrad_core as prc

    cone, volume = _cone(tiny)
    source, _, centre, u, v = cone.frames()
    u, v = u + np.tan(0.05) * v, v - np.tan(0.05) * u
    beam = prc.ConeBeam.from_vectors(source, centre, u, v, detector=cone.detector)
    return beam, volume


_SCANS = {
    "parallel 512^2 x 720 x 736": _parallel,
    "fan 512^2 x 720 x 736": _fan,
    "cone 256^3 x 360 x 384^2": _cone,
    "tilted 256^3 x 360 x 384^2": _tilted,
}

for _name, _scan in _SCANS.items():

    @case(f"ct.Projector footprint {_name} forward")
    def _(tiny, scan=_scan):
        from pyrad_core import ct

        projector = ct.Projector(*scan(tiny), model="separable_footprint")
        x = np.random.default_rng(0).random(projector.domain_shape, dtype=np.float32)
        moved = 4 * int(np.prod(projector.domain_shape) + np.prod(projector.range_shape))
        return job(lambda x: projector.forward(x), {"x": x}, bytes=moved)

    @case(f"ct.Projector footprint {_name} adjoint")
    def _(tiny, scan=_scan):
        from pyrad_core import ct

        projector = ct.Projector(*scan(tiny), model="separable_footprint")
        y = np.random.default_rng(0).random(projector.range_shape, dtype=np.float32)
        moved = 4 * int(np.prod(projector.domain_shape) + np.prod(projector.range_shape))
        return job(lambda y: projector.adjoint(y), {"y": y}, bytes=moved)
