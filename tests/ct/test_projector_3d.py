"""Projector in 3D: a direct sum in double precision, closed forms, adjointness, memory."""

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error

import pyrad_core as prc

TURN = np.linspace(0, 2 * np.pi, 13, endpoint=False) + 0.05


def direct_sum(geometry, volume, image, slack=0.0):
    """Joseph's sum ray by ray, from the geometry's own rays: nothing is shared with the kernels."""
    origin, direction = (part.reshape(-1, 3) for part in geometry.rays())
    pitch, first = np.array(volume.spacing[::-1]), np.array(volume.origin[::-1])
    start, step = (origin - first) / pitch, direction / pitch
    divergent = geometry.frames().source is not None
    samples = np.pad(np.asarray(image, np.float64).transpose(2, 1, 0), 2)  # x, y, z
    sums = np.zeros(len(start))
    x, y, z = np.abs(step).T
    dominant = np.where(z > np.maximum(x, y), 2, np.where(y >= x, 1, 0))
    for axis in range(3):
        rays = np.flatnonzero(dominant == axis)
        others = [a for a in range(3) if a != axis]
        along = step[rays, axis]
        for k in range(samples.shape[axis] - 4):
            distance = (k - start[rays, axis]) / along
            at = start[rays] + distance[:, None] * step[rays]
            seen = distance > 0 if divergent else np.ones(len(rays), bool)
            value = np.zeros(len(rays))
            for corner in np.ndindex(2, 2):
                weight, index = seen.astype(float), [None] * 3
                index[axis] = np.full(len(rays), k + 2)
                for a, c in zip(others, corner, strict=True):
                    floor = np.floor(at[:, a])
                    part = at[:, a] - floor
                    weight = weight * (part if c else 1 - part)
                    index[a] = np.clip(floor + c + 2, 0, samples.shape[a] - 1).astype(int)
                value += weight * samples[tuple(index)]
            sums[rays] += value / np.abs(along)
    return sums.reshape(geometry.projection_shape)


def tilted_cone(views=7, rows=9, columns=11):
    """A free orbit: jitter, tilts, rolls, the source above and below the volume as well."""
    rng = np.random.default_rng(5)
    away = rng.standard_normal((views, 3))
    away[0] = 0.1, 0.05, 1.0  # from above: rays along z
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    u = np.cross(away, rng.standard_normal((views, 3)))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(u, away)
    centre = 25 * away + rng.standard_normal((views, 3))
    return prc.ConeBeam.from_vectors(
        -60 * away, centre, u, v, detector=(rows, columns), pixel=(1.7, 2.1)
    )


def scans():
    odd = prc.Volume((11, 14, 17), spacing=(1.3, 0.9, 1.1), origin=(-6.0, -7.1, -7.5))
    return {
        "cone": (prc.ConeBeam(TURN, (19, 23), 1.9, 60, 95), prc.Volume((16, 16, 16))),
        "cone offset": (prc.ConeBeam(TURN, (20, 13), (1.2, 2.3), 50, 80, offset=(2.2, -1.7)), odd),
        "cone curved": (
            prc.ConeBeam(TURN, (18, 21), (1.4, 1.8), 40, 70, curved=True, offset=(0.6, 0.9)),
            odd,
        ),
        "cone fine rows": (prc.ConeBeam(TURN[:5], (70, 9), (0.4, 2.0), 50, 80), odd),
        "cone very fine rows": (prc.ConeBeam(TURN[:3], (150, 5), (0.15, 3.0), 50, 80), odd),
        "cone coarse rows": (prc.ConeBeam(TURN[:5], (5, 15), (6.0, 1.5), 50, 80), odd),
        "cone steep": (
            prc.ConeBeam(TURN, (31, 15), (3.0, 1.7), 22, 40),
            prc.Volume((24, 12, 12), spacing=(0.5, 1.0, 1.0)),
        ),
        "helix": (prc.ConeBeam(2 * TURN, (12, 17), 2.0, 50, 80, pitch=7.0, offset=(0.3, 0.4)), odd),
        "free orbit": (tilted_cone(), odd),
        "parallel other pitch": (
            prc.ParallelBeam(TURN, (17, 21), pixel=(0.8, 1.2), offset=(0.4, -0.9)),
            odd,
        ),
        "single row": (prc.ConeBeam(TURN, (1, 15), 2.0, 50, 80), odd),
        "single voxel": (prc.ConeBeam(TURN, (4, 5), 0.6, 50, 80), prc.Volume((1, 1, 1))),
    }


@pytest.mark.parametrize("name", scans())
def test_forward_is_the_direct_sum(name):
    geometry, volume = scans()[name]
    image = np.random.default_rng(0).standard_normal(volume.shape)
    expected = direct_sum(geometry, volume, image)
    A = prc.ct.Projector(geometry, volume)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(A.forward(image), expected, atol=1e-10)
    single = A.forward(image.astype(np.float32))
    assert relative_error(single, expected) < 1e-5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", scans())
def test_adjoint(name, dtype):
    geometry, volume = scans()[name]
    assert_adjoint(prc.ct.Projector(geometry, volume), dtype=dtype)
