"""TV with voxel-wise weights, masks, bounds and coupled channels: gap, closed forms, parity."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core._kernels import cpu
from pyrad_core.denoise import tv

METHODS = ["pdhg", "fgp"]
SURE = dict(tol=1e-7, max_iterations=20000, return_info=True)


def _noisy(shape, seed=0):
    x = np.zeros(shape)
    x[..., shape[-1] // 2 :] = 1
    return x + np.random.default_rng(seed).normal(0, 0.3, shape)


def _jacobian(u, spacing, mask=None):
    """(channels, axes, *volume): forward differences, 0 at the far edge and across the mask."""
    j = np.zeros((len(u), len(spacing), *u.shape[1:]), u.dtype)
    for d, h in enumerate(spacing):
        here = tuple(slice(0, -1) if a == d else slice(None) for a in range(len(spacing)))
        linked = 1.0
        if mask is not None:
            linked = np.take(mask, range(mask.shape[d] - 1), d) & np.take(
                mask, range(1, mask.shape[d]), d
            )
        j[(slice(None), d, *here)] = np.diff(u, axis=d + 1) / h * linked
    return j


def _objective(u, f, weight, spacing, coupling, mask=None):
    j = _jacobian(u, spacing, mask)
    if coupling == "separate":
        length = np.sqrt((abs(j) ** 2).sum(0)).sum(0)
    else:
        parts = np.concatenate([j.real, j.imag]) if np.iscomplexobj(j) else j
        values = np.linalg.svd(np.moveaxis(parts, (0, 1), (-2, -1)), compute_uv=False)
        nuclear = coupling == "nuclear"
        length = values.sum(-1) if nuclear else np.sqrt((values**2).sum(-1))
    return 0.5 * (abs(u - f) ** 2).sum() + (weight * length).sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("coupling", ["separate", "frobenius", "nuclear"])
@pytest.mark.parametrize(
    ("shape", "spacing"), [((3, 17), (0.7,)), ((3, 9, 11), (2, 1)), ((4, 5, 6, 7), (2, 1, 0.8))]
)
def test_objective_and_gap_of_channels(method, coupling, shape, spacing):
    f = _noisy(shape)
    weight = np.random.default_rng(1).uniform(0, 0.4, shape[1:])
    how = dict(coupling=coupling) if coupling != "separate" else dict(isotropic=False)
    options = dict(weight=weight, method=method, spacing=spacing, channel_axis=0, **how)
    best, sure = tv(f, **SURE, **options)
    u, info = tv(f, tol=1e-3, return_info=True, **options)
    assert info.converged and info.dual.shape == (shape[0], len(spacing), *shape[1:])
    assert info.primal == pytest.approx(_objective(u, f, weight, spacing, coupling), rel=1e-7)
    assert sure.converged and sure.primal <= info.primal <= sure.primal + info.gap
    assert 0.5 * ((u - best) ** 2).sum() <= info.gap + sure.gap
    moved = tv(np.moveaxis(f, 0, -1), **{**SURE, **options, "channel_axis": -1})[0]
    np.testing.assert_array_equal(np.moveaxis(moved, -1, 0), best)


def test_channels_that_are_multiples_share_the_solution_of_one():
    """J is of rank one then: both couplings see the length of the channel times |factors|."""
    f, factors = _noisy((12, 15)), np.array([3.0, -4.0])
    single = tv(f, weight=0.2 / 5, **SURE)[0]
    for coupling in ("frobenius", "nuclear"):
        both = tv(
            factors[:, None, None] * f, weight=0.2, channel_axis=0, coupling=coupling, **SURE
        )[0]
        assert relative_error(both, factors[:, None, None] * single) < 1e-3


def test_nuclear_is_more_than_frobenius_and_couples_directions():
    f = np.stack([_noisy((16, 16)), _noisy((16, 16), 1).T])
    u, info = tv(f, weight=0.3, channel_axis=0, coupling="nuclear", **SURE)
    v, _ = tv(f, weight=0.3, channel_axis=0, **SURE)
    assert _objective(u, f, 0.3, (1, 1), "nuclear") < _objective(v, f, 0.3, (1, 1), "nuclear")
    turned = np.tensordot(np.array([[0.6, 0.8], [-0.8, 0.6]]), f, 1)  # norms do not see rotations
    again = tv(turned, weight=0.3, channel_axis=0, coupling="nuclear", **SURE)[0]
    assert relative_error(np.tensordot(np.array([[0.6, -0.8], [0.8, 0.6]]), again, 1), u) < 1e-3


def test_complex_channels():
    f = _noisy((3, 10, 12)) * np.exp(1j * np.array([0.3, 1.0, 2.0]))[:, None, None]
    for coupling in ("frobenius", "nuclear"):
        u, info = tv(f, weight=0.2, channel_axis=0, coupling=coupling, **SURE)
        assert u.dtype == np.complex128 and info.dual.shape == (6, 2, 10, 12)
        assert info.primal == pytest.approx(_objective(u, f, 0.2, (1, 1), coupling), rel=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_equal_weights_wide_bounds_and_full_masks_change_nothing(method):
    f = _noisy((14, 9))
    plain, info = tv(f, weight=0.3, method=method, **SURE)
    for extra in (
        dict(weight=np.full(f.shape, 0.3)),
        dict(bounds=(-99, 99)),
        dict(bounds=(None, np.full(f.shape, np.inf))),
        dict(mask=np.ones(f.shape, bool)),
    ):
        u, again = tv(f, method=method, **{"weight": 0.3, **SURE, **extra})
        np.testing.assert_allclose(u, plain, atol=1e-3)
        assert again.primal == pytest.approx(info.primal, rel=1e-6)


def test_zero_weight_cuts_the_image_in_two():
    """Where the weight is 0 on a wall, the halves are denoised as if alone but for the wall."""
    f = _noisy((8, 21))
    weight = np.full(f.shape, 0.4)
    weight[:, 10] = 0
    weight[:, 9] = 0
    u = tv(f, weight=weight, **SURE)[0]
    changed = f.copy()
    changed[:, 11:] += 7
    again = tv(changed, weight=weight, **SURE)[0]
    np.testing.assert_allclose(again[:, :10], u[:, :10], atol=2e-3)
    left = weight[:, :10]
    np.testing.assert_allclose(u[:, :10], tv(f[:, :10], weight=left, **SURE)[0], atol=2e-3)


@pytest.mark.parametrize("shape", [(30,), (12, 13), (6, 7, 8)])
def test_mask_is_the_whole_domain(shape):
    rng = np.random.default_rng(0)
    f, inside = _noisy(shape), rng.random(shape) < 0.7
    u, info = tv(f, weight=0.3, mask=inside, **SURE)
    np.testing.assert_array_equal(u[~inside], f[~inside])
    objective = _objective(
        u[None] * inside, f[None] * inside, 0.3, (1,) * f.ndim, "frobenius", inside
    )
    assert info.converged and info.primal == pytest.approx(objective, rel=1e-10)
    wild = np.where(inside, f, 1e6)
    np.testing.assert_allclose(tv(wild, weight=0.3, mask=inside, **SURE)[0][inside], u[inside])
    box = np.zeros(shape, bool)
    box[tuple(slice(1, n - 2) for n in shape)] = True
    cropped = tv(f[tuple(slice(1, n - 2) for n in shape)], weight=0.3, **SURE)[0]
    got = tv(f, weight=0.3, mask=box, **SURE)[0]
    np.testing.assert_allclose(got[box].reshape(cropped.shape), cropped, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_bounds_are_the_exact_minimiser(method):
    """Against PDHG of the solvers with the bound as a term of its own, run long."""
    from pyrad_core import prox, solvers
    from pyrad_core.operators import FiniteDifference, Identity

    f = _noisy((11, 13))
    u, info = tv(f, weight=0.3, bounds=(0.1, 0.8), method=method, **SURE)
    expected = solvers.pdhg(
        Identity(f.shape), f, iterations=3000, prox=prox.Box(0.1, 0.8),
        priors=[(FiniteDifference(f.shape), prox.GroupL1(0.3))],
    ).x  # fmt: skip
    assert info.converged and u.min() >= 0.1 and u.max() <= 0.8
    assert relative_error(u, expected) < 1e-3
    clipped = np.clip(tv(f, weight=0.3, **SURE)[0], 0.1, 0.8)
    assert relative_error(clipped, expected) > 1e-3
    np.testing.assert_array_equal(tv(f, weight=0, bounds=(0.1, 0.8)), np.clip(f, 0.1, 0.8))


def test_warm_start_strides_and_threads(thread_count):
    f = _noisy((9, 20, 22)).astype(np.float32)
    options = dict(weight=0.2, channel_axis=0, coupling="nuclear", return_info=True)
    _, cold = tv(f, tol=1e-4, **options)
    near = f + np.float32(1e-4) * np.random.default_rng(5).standard_normal(f.shape, np.float32)
    warm = tv(near, tol=1e-4, dual=cold.dual.copy(), **options)[1]
    assert warm.converged and warm.iterations < cold.iterations
    few = {**options, "tol": 0, "max_iterations": 15}
    results = []
    for count in (1, 2, 3):
        prc.set_num_threads(count)
        u, info = tv(f, **few)
        results.append((u.tobytes(), info.gap))
    assert results == [results[0]] * 3
    odd = np.asfortranarray(f)[:, ::2, ::-1]
    np.testing.assert_array_equal(tv(odd, **few)[0], tv(odd.copy(), **few)[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("coupling", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 1, 1, 35), (1, 1, 9, 34), (4, 3, 5, 33)])
def test_steps_parity(device, dtype, coupling, shape):
    rng = np.random.default_rng(0)
    dims = sum(n > 1 for n in shape[1:])
    f, u, old = (rng.standard_normal(shape).astype(dtype) for _ in range(3))
    p, earlier = (rng.standard_normal((shape[0], dims, *shape[1:])).astype(dtype) for _ in range(2))
    limit = rng.random(shape[1:]).astype(dtype)
    links = rng.integers(0, 8, shape[1:], np.uint8)
    bounds = np.stack([f[0] - 1, f[0] + 1])
    steps = [0.4, 0.3, 0.2][:dims]
    for fields in (True, False):
        results = []
        for kernels, move in ((cpu, np.array), (device.kernels, device.array)):
            a = {k: move(v) for k, v in dict(f=f, u=u, old=old, p=p, q=earlier).items()}
            lim, link, both = (
                (move(limit), move(links), move(bounds)) if fields else (None, None, None)
            )
            dual, image = move(p), move(f)
            kernels.tv_fields_dual(
                a["u"], a["old"], 0.5, a["p"], a["q"], 0.3, steps, coupling, lim, link, dual
            )
            kernels.tv_fields_primal(
                a["f"], a["u"], 0.7, a["p"], a["q"], 0.3, steps, -1.0, 1.0, both, image
            )
            values = kernels.tv_fields_objectives(
                a["f"], a["u"], 0.2, steps, coupling, lim, link, -2.0, 2.0, both, a["p"]
            )
            results.append([np.asarray(v if kernels is cpu else device.numpy(v))
                            for v in (dual, image)] + [np.array(values)])  # fmt: skip
        for ours, theirs in zip(*results, strict=True):
            tolerance = 2e-5 if dtype == np.float32 else 1e-12
            np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=tolerance)


def test_public_parity(device):
    f = _noisy((2, 7, 33)).astype(np.float32)
    mask = np.random.default_rng(1).random((7, 33)) < 0.9
    weight = np.random.default_rng(2).uniform(0.1, 0.3, (7, 33)).astype(np.float32)
    options = dict(channel_axis=0, tol=0, max_iterations=12, bounds=(0, 1), coupling="nuclear")
    expected = tv(f, weight=weight, mask=mask, **options)
    with device:
        got = tv(device.array(f), weight=device.array(weight), mask=device.array(mask), **options)
    np.testing.assert_allclose(device.numpy(got), expected, atol=1e-4)


def test_bad_fields():
    f = _noisy((8, 9))
    for options, name in [
        (dict(weight=np.full((8, 8), 0.1)), "weight has shape"),
        (dict(weight=np.full((8, 9), -0.1)), "weight holds 72 negative"),
        (dict(weight=np.full((8, 9), np.nan)), "weight holds 72 NaN"),
        (dict(weight=0.1, mask=np.ones((9, 8), bool)), "mask has shape"),
        (dict(weight=0.1, mask=np.ones((8, 9))), "mask has dtype"),
        (dict(weight=0.1, bounds=(1, 0)), "exclude each other"),
        (dict(weight=0.1, bounds=(0, np.full((8, 9), np.nan))), "exclude each other"),
        (dict(weight=0.1, bounds=3), "bounds is 3"),
        (dict(weight=0.1, bounds=(np.nan, 1)), "low bound"),
        (dict(weight=0.1, channel_axis=2), "channel_axis is 2"),
        (dict(weight=0.1, coupling="schatten"), "coupling is 'schatten'"),
        (dict(weight=0.1, coupling="nuclear", isotropic=False), "isotropic is False"),
    ]:
        with pytest.raises(prc.DataError, match=name):
            tv(f, **options)
    with pytest.raises(prc.DataError, match="bounds are for real data"):
        tv(f + 1j, weight=0.1, bounds=(0, 1))
