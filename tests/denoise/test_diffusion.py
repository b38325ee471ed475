"""Anisotropic diffusion against ITK, a plain loop and what theory says."""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core._kernels import cpu
from pyrad_core.denoise import anisotropic_diffusion
from pyrad_core.errors import DataError, ShapeError

METHODS = ("gradient", "curvature", "edge", "coherence")


def image_of(shape, dtype=np.float32, seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return (x + 5 * (np.arange(shape[-1]) > shape[-1] // 2)).astype(dtype)


@pytest.mark.parametrize("method", METHODS[:2])
@pytest.mark.parametrize("conductance", [0.7, 3.0])
@pytest.mark.parametrize(("shape", "tau"), [((20, 31), 0.125), ((9, 12, 33), 0.0625)], ids=str)
def test_itk(method, conductance, shape, tau):
    sitk = pytest.importorskip("SimpleITK")
    x = image_of(shape)
    run = {
        "gradient": sitk.GradientAnisotropicDiffusion,
        "curvature": sitk.CurvatureAnisotropicDiffusion,
    }[method]
    expected = sitk.GetArrayFromImage(run(sitk.GetImageFromArray(x), tau, conductance, 1, 5))
    got = anisotropic_diffusion(x, method=method, conductance=conductance)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def neighbour(u, axis, step):
    """u moved by one voxel along an axis; the outermost voxel is repeated."""
    index = (np.arange(u.shape[axis]) + step).clip(0, u.shape[axis] - 1)
    return u.take(index, axis)


def plain_step(u, tau, kappa, spacing, function):
    """Gradient diffusion as documented: fluxes half way between neighbours."""
    central = [(neighbour(u, a, 1) - neighbour(u, a, -1)) / (2 * spacing[a]) for a in range(u.ndim)]
    change = 0
    for a in range(u.ndim):
        d = (neighbour(u, a, 1) - u) / spacing[a]
        s = d**2
        for b in range(u.ndim):
            if b != a:
                s = s + ((central[b] + neighbour(central[b], a, 1)) / 2) ** 2
        g = np.exp(-s / kappa**2) if function == "exponential" else 1 / (1 + s / kappa**2)
        flux = np.where(
            np.arange(u.shape[a]).reshape([-1 if k == a else 1 for k in range(u.ndim)])
            < u.shape[a] - 1,
            g * d,
            0,
        )
        before = np.roll(flux, 1, a)
        change = change + (flux - before) / spacing[a]
    return u + tau * change


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", ["exponential", "reciprocal"])
@pytest.mark.parametrize("shape", [(17,), (9, 21), (5, 70, 19), (10, 6, 7), (1, 8, 9)], ids=str)
def test_gradient_formula(dtype, function, shape):
    spacing = (1.5, 0.8, 1.0)[-len(shape) :]
    x = image_of(shape, dtype)
    expected = x.astype(float)
    for _ in range(3):
        expected = plain_step(expected, 0.05, 1.3, spacing, function)
    got = anisotropic_diffusion(
        x, iterations=3, kappa=1.3, function=function, time_step=0.05, spacing=spacing
    )
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, atol=3e-6 if dtype == np.float32 else 1e-13)


def test_heat_equation_closed_form():
    """Without edges a cosine decays by its eigenvalue in every step."""
    n, tau = 32, 0.2
    wave = np.cos(np.pi * 3 * (np.arange(n) + 0.5) / n)
    got = anisotropic_diffusion(wave, iterations=7, kappa=1e9, time_step=tau)
    factor = 1 - tau * (2 - 2 * np.cos(np.pi * 3 / n))
    np.testing.assert_allclose(got, factor**7 * wave, atol=1e-12)


@pytest.mark.parametrize("method", ["gradient", "edge", "coherence"])
def test_mean_is_kept_and_norm_falls(method):
    x = image_of((8, 20, 30), np.float64)
    last = x
    for _ in range(4):
        got = anisotropic_diffusion(last, iterations=5, method=method, time_step=1 / 6)
        assert abs(got.mean() - x.mean()) < 1e-13
        assert np.linalg.norm(got) < np.linalg.norm(last)
        last = got
    if method == "gradient":
        assert got.min() >= x.min() and got.max() <= x.max()


def tensor_of(shape, entries):
    """The same tensor in every cell: (zz, yy, xx, zy, zx, yx)."""
    return np.tile(np.array(entries)[:, None, None, None], (1, *(n + 1 for n in shape)))


def test_tensor_step_closed_form():
    """div(D grad u) of a quadratic is a constant away from the faces."""
    spacing, entries = (2.0, 0.5, 1.5), (0.9, 0.6, 0.7, 0.2, -0.3, 0.1)
    z, y, x = np.meshgrid(*(h * np.arange(8) for h in spacing), indexing="ij")
    for u, expected in [
        (z * z, 2 * 0.9),
        (y * y, 2 * 0.6),
        (x * x, 2 * 0.7),
        (z * y, 2 * 0.2),
        (z * x, -2 * 0.3),
        (y * x, 2 * 0.1),
    ]:
        margined, out = np.pad(u, ((0, 0), (0, 0), (1, 1)), mode="edge"), np.empty_like(u)
        tensor = tensor_of(u.shape, entries)
        cpu.tensor_step(margined, tensor, [1 / h for h in spacing], 0.1, out)
        inner = (slice(1, -1),) * 3
        np.testing.assert_allclose((out - u)[inner], 0.1 * expected, atol=1e-11)


def test_tensor_step_is_symmetric():
    """<Lu, v> = <u, Lv>, and <Lu, u> <= 0, for any tensors of cells."""
    rng = np.random.default_rng(0)
    shape = (5, 6, 7)
    roots = rng.normal(size=(3, 3, *(n + 1 for n in shape)))
    full = np.einsum("ik...,jk...->ij...", roots, roots)
    for axis in range(3):  # nothing flows through the faces
        faces = np.moveaxis(full, 2 + axis, 2)[:, :, [0, -1]].copy()
        for other in set(range(3)) - {axis}:
            faces[axis, other] = faces[other, axis] = 0
        np.moveaxis(full, 2 + axis, 2)[:, :, [0, -1]] = faces
    tensor = np.stack([full[i, j] for i, j in [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]])

    def change(u):
        margined, out = np.pad(u, ((0, 0), (0, 0), (1, 1)), mode="edge"), np.empty_like(u)
        cpu.tensor_step(margined, np.ascontiguousarray(tensor), [1.0, 1.3, 0.8], 1.0, out)
        return out - u

    u, v = rng.normal(size=(2, *shape))
    assert np.vdot(change(u), v) == pytest.approx(np.vdot(u, change(v)), rel=1e-10)
    assert np.vdot(change(u), u) < 0
    assert abs(change(u).sum()) < 1e-10


def test_edge_without_contrast_is_the_heat_equation():
    x = image_of((6, 9, 20), np.float64)
    expected = anisotropic_diffusion(x, kappa=1e9)
    np.testing.assert_allclose(anisotropic_diffusion(x, method="edge", kappa=1e9), expected)


@pytest.mark.parametrize("ndim", [2, 3])
def test_coherence_tensor_eigenvectors(ndim):
    """alpha across, more along the eigenvector of the smallest eigenvalue (numpy.linalg.eigh)."""
    rng = np.random.default_rng(1)
    roots = rng.normal(size=(200, ndim, ndim))
    tensors = roots @ roots.transpose(0, 2, 1)
    cells = np.zeros((6, 3, 3, 202))
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
    for k, (i, j) in enumerate(pairs):
        i, j = i - 3 + ndim, j - 3 + ndim
        if min(i, j) >= 0:
            cells[k, 1, 1, 1:-1] = tensors[:, i, j]
    cpu.coherence_tensor(cells, ndim == 2, 0.5, 0.01)
    values, vectors = np.linalg.eigh(tensors)
    spread = sum((values[:, i] - values[:, j]) ** 2 for i in range(ndim) for j in range(i))
    weight = 0.99 * np.exp(-(0.5**4) / spread)
    along = vectors[:, :, 0]
    expected = 0.01 * np.eye(ndim) + weight[:, None, None] * along[:, :, None] * along[:, None]
    for k, (i, j) in enumerate(pairs):
        i, j = i - 3 + ndim, j - 3 + ndim
        if min(i, j) >= 0:
            np.testing.assert_allclose(cells[k, 1, 1, 1:-1], expected[:, i, j], atol=1e-7)


def test_coherence_closes_a_gap():
    line = np.zeros((31, 41))
    line[14:17] = 1
    line[:, 19:22] = 0
    got = anisotropic_diffusion(line, method="coherence", iterations=40, kappa=0.02)
    blur = anisotropic_diffusion(line, iterations=40, kappa=1e9)
    assert got[15, 20] > 0.4 and got[15, 20] > 1.3 * blur[15, 20] and got[5, 20] < 0.02


@pytest.mark.parametrize("method", METHODS)
class TestAll:
    def test_edges_stay_noise_goes(self, method):
        clean = np.where(np.arange(40) < 20, 0.0, 10.0) * np.ones((40, 1))
        noisy = clean + np.random.default_rng(0).normal(0, 0.5, clean.shape)
        if method == "coherence":
            pytest.skip("it enhances lines")
        got = anisotropic_diffusion(noisy, iterations=20, kappa=2.0, method=method)
        assert abs(got - clean)[:, :18].mean() < abs(noisy - clean)[:, :18].mean() / 3
        assert (got[:, 20] - got[:, 19]).min() > 8

    @pytest.mark.sanitize
    def test_threads_and_instruction_sets(self, method, thread_count):
        x = image_of((19, 70, 40))
        prc.set_num_threads(1)
        one = anisotropic_diffusion(x, method=method)
        prc.set_num_threads(3)
        assert np.array_equal(anisotropic_diffusion(x, method=method), one)
        before = cpu.limit_vector_width(0)
        try:
            assert np.array_equal(anisotropic_diffusion(x, method=method), one)
        finally:
            cpu.limit_vector_width(before)

    def test_series_strides_out_mask(self, method):
        x = image_of((2, 6, 7, 40))
        expected = np.stack([anisotropic_diffusion(v, method=method) for v in x])
        out = np.empty_like(x)
        assert anisotropic_diffusion(x, method=method, out=out) is out
        assert np.array_equal(out, expected)
        strided = np.asfortranarray(x)
        strided.flags.writeable = False
        assert np.array_equal(anisotropic_diffusion(strided, method=method), expected)
        mask = x[0] > 1
        inplace = x.copy()
        anisotropic_diffusion(inplace, method=method, mask=mask, out=inplace)
        assert np.array_equal(inplace, np.where(mask, expected, x))

    def test_axes_commute(self, method):
        x = image_of((6, 9, 12), np.float64)
        got = anisotropic_diffusion(x.T.copy(), method=method)
        np.testing.assert_allclose(got.T, anisotropic_diffusion(x, method=method), atol=1e-12)

    def test_item_66_one_voxel(self, method):
        flat = image_of((1, 9, 20))
        expected = anisotropic_diffusion(flat[0], method=method)
        assert np.array_equal(anisotropic_diffusion(flat, method=method)[0], expected)
        one = np.full((1, 1, 1), 3.0)
        assert anisotropic_diffusion(one, method=method) == one

    def test_item_67_constant(self, method):
        x = np.full((6, 7, 9), 0.1, np.float32)
        assert np.array_equal(anisotropic_diffusion(x, method=method), x)

    def test_item_68_integers(self, method):
        x = np.full((5, 9), np.iinfo(np.int32).max, np.int32)
        got = anisotropic_diffusion(x, method=method)
        assert got.dtype == np.float32 and (got == np.float32(x[0, 0])).all()


def test_item_62_nan():
    x = image_of((5, 6))
    x[2, 3] = np.inf
    with pytest.raises(DataError, match=r"first at index \(2, 3\)"):
        anisotropic_diffusion(x)


def test_time_step_stability():
    x = image_of((8, 9))
    anisotropic_diffusion(x, time_step=0.25)
    with pytest.raises(DataError, match="beyond the limit of stability 0.25"):
        anisotropic_diffusion(x, time_step=0.26)
    with pytest.raises(DataError, match="beyond the limit of stability 0.1 "):
        anisotropic_diffusion(x, time_step=0.25, spacing=(1.0, 0.5))
    with pytest.raises(DataError, match="beyond the limit of stability 0.125"):
        anisotropic_diffusion(x, time_step=0.2, method="curvature")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(kappa=0), "kappa is 0"),
        (dict(conductance=-1), "conductance is -1"),
        (dict(kappa=1, conductance=1), "give one of them"),
        (dict(iterations=-1), "iterations is -1"),
        (dict(method="gradients"), "did you mean 'gradient'"),
        (dict(function="exp"), "function is 'exp'"),
        (dict(spacing=(1, 1, 1)), "spacing has 3 entries"),
        (dict(alpha=0), "alpha is 0"),
        (dict(sigma=-1), "sigma is -1"),
        (dict(mask=np.ones((3, 3), bool)), "mask has shape"),
        (dict(mask=np.ones((5, 9))), "mask has dtype float64.*mask > 0"),
    ],
)
def test_item_65_bad_arguments(options, message):
    with pytest.raises((DataError, ShapeError), match=message):
        anisotropic_diffusion(image_of((5, 9)), **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("function", ["exponential", "reciprocal"])
@pytest.mark.parametrize("shape", [(11, 37), (3, 9, 10)], ids=str)
def test_parity(device, dtype, method, function, shape):
    if method in METHODS[2:] and function == "reciprocal":
        pytest.skip("no such choice")
    x = image_of(shape, dtype)
    options = dict(method=method, function=function, iterations=2, spacing=1.2)
    expected = anisotropic_diffusion(x, **options)
    with device:
        got = device.numpy(anisotropic_diffusion(device.array(x), **options))
    np.testing.assert_allclose(got, expected, atol=2e-5 if dtype == np.float32 else 1e-12)
