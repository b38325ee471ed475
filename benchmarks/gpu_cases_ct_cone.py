"""Cone-beam FDK on the GPU: its kernels, and whole reconstructions."""

from __future__ import annotations

from functools import partial

import numpy as np

import pyrad_core as prc

from .gpu_cases import Problem, case, job


def _scan(
    tiny: bool, size: int, views: int, pixels: int, **more
) -> tuple[prc.ConeBeam, prc.Volume]:
    """A panel that sees all of a cube of 256 mm from 1000 mm."""
    size, views, pixels = (12, 24, 20) if tiny else (size, views, pixels)
    angles = np.linspace(0, 2 * np.pi, views, endpoint=False)
    geometry = prc.ConeBeam(angles, (pixels, pixels), 460 / pixels, 1000.0, 1536.0, **more)
    return geometry, prc.Volume((size,) * 3, 256 / size)


def _fdk(geometry: prc.ConeBeam, volume: prc.Volume) -> Problem:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal(geometry.projection_shape, dtype=np.float32)
    call = partial(prc.ct.fdk, geometry=geometry, volume=volume)
    moved = rows.nbytes + 4 * volume.size
    return job(call, {"projections": rows}, bytes=moved, tolerance=1e-4)


for _size, _views, _pixels in ((256, 360, 384), (512, 360, 736)):

    @case(f"ct.fdk {_size}^3, {_views} views x {_pixels}^2")
    def _(tiny, sizes=(_size, _views, _pixels)):
        return _fdk(*_scan(tiny, *sizes))


@case("ct.fdk 256^3 curved, 360 views x 384^2")
def _(tiny):
    return _fdk(*_scan(tiny, 256, 360, 384, curved=True))


@case("ct.fdk 256^3 free poses, 360 views x 384^2")
def _(tiny):
    geometry, volume = _scan(tiny, 256, 360, 384)
    frames = geometry.frames()
    shaken = frames.source + np.random.default_rng(0).standard_normal(frames.source.shape)
    scan = prc.ConeBeam.from_vectors(
        shaken, frames.centre, frames.u, frames.v, detector=geometry.detector
    )
    return _fdk(scan, volume)


@case("ct.fdk helix 64 x 512^2, 2880 views x 64 x 736 curved")
def _(tiny):
    turns, views, detector = (3, 24, (12, 20)) if tiny else (4, 720, (64, 736))
    angles = np.arange(-turns * views // 2, turns * views // 2) * 2 * np.pi / views
    pixel = (1.1, 1.3) if not tiny else (6.0, 45.0)
    scan = prc.ConeBeam(
        angles, detector, pixel, 570.0, 1040.0, curved=True, pitch=0.5 * detector[0] * pixel[0]
    )
    shape, spacing = ((8, 12, 11), (8.0, 20.0, 20.0)) if tiny else ((64, 512, 512), (1.0, 0.8, 0.8))
    return _fdk(scan, prc.Volume(shape, spacing))
