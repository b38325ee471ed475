import math

import numpy as np
import pytest
from helpers import relative_error
from scipy.integrate import quad

from pyrad_core import ConeBeam, DataError, FanBeam, ParallelBeam, ShapeError, Volume
from pyrad_core.phantom import Ellipsoids, shepp_logan


def centred_fft(image):
    """Unitary FFT with both origins at n // 2."""
    axes = tuple(range(image.ndim))
    shifted = np.fft.ifftshift(image, axes)
    return np.fft.fftshift(np.fft.fftn(shifted, norm="ortho"), axes)


def coordinates(shape):
    axes = [np.arange(n) - n // 2 for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(float)


def test_raster_area_and_amplitude():
    disc = Ellipsoids([[2.5, 20, 12, 3, -4, 30]])
    image = disc.raster(Volume((128, 96)), supersample=8, dtype=np.float64)
    assert image.max() == 2.5
    assert image.sum() == pytest.approx(2.5 * math.pi * 20 * 12, rel=1e-3)
    ball = Ellipsoids([[1.0, 9, 7, 5, 1, -2, 3, 20]])
    volume = Volume((30, 40, 50), spacing=(0.7, 0.8, 0.9))
    total = ball.raster(volume, dtype=np.float64).sum() * math.prod(volume.spacing)
    assert total == pytest.approx(4 / 3 * math.pi * 9 * 7 * 5, rel=1e-3)


@pytest.mark.parametrize("shape", [(16, 15), (9, 12, 11)])
def test_raster_equals_dense_sampling(shape):
    """Surface voxels alone are sampled, with the result of sampling all of them."""
    phantom = shepp_logan(len(shape), radius=7)
    s = 3
    fine = tuple(n * s for n in shape)
    everywhere = phantom.raster(Volume(fine, 1 / s), 1, dtype=np.float64)
    blocks = everywhere.reshape([k for n in shape for k in (n, s)])
    expected = blocks.mean(axis=tuple(range(1, 2 * len(shape), 2)))
    got = phantom.raster(Volume(shape), s, dtype=np.float64)
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_half_pixel_centring():
    """An even grid has the origin between two voxels, an odd grid on one."""
    dot = Ellipsoids([[1.0, 0.4, 0.4, 0, 0, 0]])
    assert np.count_nonzero(dot.raster(Volume((5, 5)))) == 1
    even = dot.raster(Volume((4, 4)))
    assert np.count_nonzero(even) == 4 and even[1, 1] == even[2, 2] > 0


def test_axes_and_rotation_sign():
    """x is the last array axis, y the last but one, z the first; phi turns x towards y."""
    bead = Ellipsoids([[1.0, 1, 1, 1, 6, 3, -2, 0]])
    image = bead.raster(Volume((21, 21, 21)))
    assert np.unravel_index(image.argmax(), image.shape) == (10 - 2, 10 + 3, 10 + 6)
    rod = Ellipsoids([[1.0, 9, 1, 0, 0, 45]]).raster(Volume((21, 21)))
    assert rod[15, 15] == 1 and rod[5, 5] == 1 and rod[15, 5] == 0


def test_slice_of_volume():
    head = shepp_logan(3, radius=20)
    volume = head.raster(Volume((41, 40, 40)), supersample=1)
    np.testing.assert_array_equal(head.raster(Volume((40, 40)), supersample=1), volume[20])
    flat = shepp_logan(2, radius=20)
    stack = flat.raster(Volume((3, 40, 40)), supersample=2)
    np.testing.assert_allclose(stack[1], flat.raster(Volume((40, 40)), supersample=2), atol=1e-6)


def test_shepp_logan_published_values():
    image = shepp_logan(2, radius=128).raster(Volume((256, 256)), dtype=np.float64)
    assert image[128, 128] == pytest.approx(0.2) and image[0, 0] == 0
    # y grows with the row: the big bright ellipse at (0, 0.35) lies below the centre row
    assert image[128 + 45, 128] == pytest.approx(0.3)
    assert image.min() > -1e-12 and image.max() == pytest.approx(1.0)


def test_project_parallel_uniform_disc():
    """p(s) = 2 A sqrt(r^2 - s^2) at every angle; an offset disc follows x cos t + y sin t."""
    angles = np.linspace(0, 2 * np.pi, 7, endpoint=False)
    beam = ParallelBeam(angles, 64, pixel=0.9, offset=0.3)
    u = (np.arange(64) - 31.5) * 0.9 + 0.3
    for x, y in ((0, 0), (7, -4)):
        got = Ellipsoids([[1.5, 12, 12, x, y, 0]]).project(beam, dtype=np.float64)
        s = u - (x * np.cos(angles) + y * np.sin(angles))[:, None]
        expected = 3.0 * np.sqrt(np.maximum(144 - s**2, 0))
        np.testing.assert_allclose(got, expected, atol=1e-9)


def test_project_quadrature():
    """One tilted ray of each geometry, integrated numerically through the body."""
    body = Ellipsoids([[0.7, 30, 14, 22, 5, -3, 4, 25]])
    matrix, centre = body._map(0)
    for beam in (
        ConeBeam([0.4, 2.0], (5, 6), (6.0, 5.0), 200, 300, offset=(2.0, 3.0), pitch=10),
        ConeBeam([0.4, 2.0], (5, 6), 5.0, 200, 300, curved=True),
        FanBeam([0.4, 2.0], 6, 5.0, 200, 300),
        ParallelBeam([0.4, 2.0], (5, 6), 5.0),
    ):
        got = body.project(beam, dtype=np.float64)
        origin, direction = beam.rays()
        assert got.shape == beam.projection_shape
        for view in (0, 1):
            at = (view, *(n // 2 for n in beam.detector))
            p, d = origin[at], direction[at]

            t = float((centre - p) @ d) + np.linspace(-60, 60, 40001)
            w = (p + t[:, None] * d - centre) @ matrix
            expected = 120 * np.mean(0.7 * ((w * w).sum(axis=1) <= 1))
            assert got[at] == pytest.approx(expected, abs=5e-3)


def test_project_axial_ray_of_cylinder_is_finite():
    beam = ConeBeam.from_vectors(
        [[0.0, 0, -100]], [[0.0, 0, 100]], [[1.0, 0, 0]], [[0.0, 1, 0]], detector=(3, 3)
    )
    assert np.isfinite(Ellipsoids([[1.0, 5, 5, 0, 0, 0]]).project(beam)).all()


@pytest.mark.parametrize("shape", [(64, 64), (63, 50), (24, 25, 32)])
def test_kspace_against_fft(shape):
    """Low frequencies of the raster's FFT agree without any fitted scale or shift."""
    spacing = (1.5, 1.2, 1.1)[: len(shape)]
    volume = Volume(shape, spacing)
    row = [1.3, 11, 7, 2.5, -3, 40] if len(shape) == 2 else [1.3, 11, 7, 9, 2.5, -3, 2, 40]
    body = Ellipsoids([row])
    exact = body.kspace(coordinates(shape), volume)
    sampled = centred_fft(body.raster(volume, supersample=8, dtype=np.float64))
    k = np.linalg.norm(coordinates(shape) / np.array(shape), axis=-1)
    low = k < 0.05
    assert relative_error(sampled[low], exact[low]) < 1e-2
    low = k < 0.15
    assert relative_error(sampled[low], exact[low]) < 3e-2


def test_kspace_central_value_and_quadrature():
    body = Ellipsoids([[2.0, 0.5, 0.25, 0.1, 0.0, 0]])
    assert body.kspace(np.zeros(2)) == pytest.approx(2 * np.pi * 0.125 / 4)
    # along kx the transform is that of the chord lengths 2 b sqrt(1 - (x/a)^2)
    k = 3.0

    def chord(x, part):
        return 2 * 2 * 0.25 * math.sqrt(1 - (x / 0.5) ** 2) * part(2 * math.pi * k / 2 * (x + 0.1))

    real = quad(lambda x: chord(x, math.cos), -0.5, 0.5)[0] / 4
    imag = -quad(lambda x: chord(x, math.sin), -0.5, 0.5)[0] / 4
    assert body.kspace([0.0, k]) == pytest.approx(real + 1j * imag, abs=1e-8)
    ball = Ellipsoids([[1.0, 0.5, 0.5, 0.5, 0, 0, 0, 0]])
    tiny, zero = ball.kspace([[1e-4, 0, 0], [0, 0, 0]])
    assert tiny == pytest.approx(zero, rel=1e-6)
    assert zero == pytest.approx(4 / 3 * math.pi / 8 / 8)


def test_scale():
    volume, half = Volume((32, 32), 2.0), Volume((32, 32), 1.0)
    head = shepp_logan(2)
    np.testing.assert_allclose(
        head.scale(30).raster(volume), head.scale(15).raster(half), atol=1e-6
    )


def test_bad_tables():
    with pytest.raises(ShapeError, match=r"\(1, 5\)"):
        Ellipsoids([[1, 2, 3, 4, 5]])
    with pytest.raises(DataError, match="row 1"):
        Ellipsoids([[1, 2, 3, 0, 0, 0], [1, 0, 3, 0, 0, 0]])
    with pytest.raises(DataError, match="NaN"):
        Ellipsoids([[np.nan, 2, 3, 0, 0, 0]])
    with pytest.raises(DataError, match="ndim"):
        shepp_logan(4)
    with pytest.raises(ShapeError, match="coordinates"):
        shepp_logan(2).kspace(np.zeros((4, 3)))
    with pytest.raises(DataError, match="supersample"):
        shepp_logan(2).raster(Volume((4, 4)), supersample=0)
