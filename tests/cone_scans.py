"""Cone-beam scans and phantoms that the tests of FDK share."""

import numpy as np

import pyrad_core as prc
from pyrad_core.phantom import Ellipsoids

TURN = np.linspace(0, 2 * np.pi, 240, endpoint=False)
SHORT = np.linspace(0.3, 0.3 + np.pi + 1.2, 200)
BALL = Ellipsoids([[0.02, 40, 40, 40, 10, -5, 3, 0]])
CYLINDER = Ellipsoids([[0.02, 50, 50, 500, 10, -5, 0, 0]])
GRID = prc.Volume((23, 60, 57), spacing=(4.0, 2.6, 2.7))
PANEL = {"pixel": (3.3, 3.0), "source_origin": 300.0, "source_detector": 500.0}
HEIGHT = 60 * 3.3 * 0.6  # of the detector at the axis, mm


def poses(scan, turn_u=0.0, roll=0.0, jitter=0.0, mirrored=False):
    """Vectors of a scan whose detector is yawed about the source, rolled and shaken."""
    f, rng = scan.frames(), np.random.default_rng(0)

    def turned(axis, angle, w):
        cos, sin = np.cos(angle), np.sin(angle)
        along = np.einsum("vi,vi->v", axis, w)[:, None] * axis
        return w * cos + np.cross(axis, w) * sin + along * (1 - cos)

    up = np.zeros_like(f.source) + [0.0, 0.0, 1.0]
    centre = f.source + turned(up, turn_u, f.centre - f.source)
    d, u = turned(up, turn_u, f.direction), turned(up, turn_u, f.u)
    u, v = turned(d, roll, u), turned(d, roll, f.v)
    source = f.source + jitter * rng.standard_normal(f.source.shape)
    centre = centre + jitter * rng.standard_normal(f.source.shape)
    u = -u if mirrored else u
    return prc.ConeBeam.from_vectors(source, centre, u, v, detector=scan.detector)


def circles():
    flat = prc.ConeBeam(TURN, (60, 112), **PANEL)
    wide = prc.ConeBeam(TURN, (60, 140), **PANEL)
    half = prc.ConeBeam(TURN, (60, 72), offset=(0.0, 48.0), **PANEL)
    curved = {"curved": True, **PANEL}
    return {
        "turn": flat,
        "backwards": prc.ConeBeam(-TURN[::-1] - 1.0, (60, 112), **PANEL),
        "offset": prc.ConeBeam(TURN, (60, 112), offset=(2.0, 0.7), **PANEL),
        "displaced": half,
        "displaced left": prc.ConeBeam(TURN, (60, 72), offset=(0.0, -48.0), **PANEL),
        "short": prc.ConeBeam(SHORT, (60, 112), **PANEL),
        "short backwards": prc.ConeBeam(-SHORT, (60, 112), **PANEL),
        "arc": prc.ConeBeam(TURN, (60, 112), **curved),
        "arc short": prc.ConeBeam(SHORT, (60, 112), **curved),
        "arc displaced": prc.ConeBeam(TURN, (60, 72), offset=(0.0, -48.0), **curved),
        "vectors": poses(flat),
        "yawed": poses(wide, turn_u=np.radians(8)),
        "rolled": poses(flat, roll=np.radians(3)),
        "jittered": poses(flat, jitter=0.5),
        "mirrored": poses(flat, mirrored=True),
        "mirrored displaced": poses(half, mirrored=True, jitter=1e-3),
        "yawed short": poses(prc.ConeBeam(SHORT, (60, 140), **PANEL), turn_u=np.radians(8)),
    }


def around(centre=(10.0, -5.0, 3.0)):
    z, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    return x, y, z, np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
