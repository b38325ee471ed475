"""Stripe removal: sorting against NumPy and SciPy; all methods on closed forms and a tooth."""

import numpy as np
import pytest
import scipy.ndimage
from helpers import data_path, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.errors import DataError
from pyrad_core.phantom import Ellipsoids

METHODS = ("sorting", "large", "unresponsive", "all", "wavelet_fourier", "titarenko")


def sort_and_filter(lines, size):
    order = np.argsort(lines, axis=0, kind="stable")
    ranked = np.take_along_axis(lines, order, axis=0)
    window = (1,) * (lines.ndim - 1) + (size,)
    smooth = scipy.ndimage.median_filter(ranked, size=window, mode="nearest")
    out = np.empty_like(lines)
    np.put_along_axis(out, order, smooth, axis=0)
    return out


@settings(max_examples=25, deadline=None)
@given(
    views=st.integers(1, 40),
    rows=st.integers(1, 3),
    columns=st.integers(3, 50),
    half=st.integers(1, 12),
    double=st.booleans(),
    ties=st.booleans(),
    seed=st.integers(0, 99),
)
def test_sorting_numpy_scipy(views, rows, columns, half, double, ties, seed):
    rng = np.random.default_rng(seed)
    lines = rng.standard_normal((views, rows, columns)) * 10.0 ** rng.integers(-3, 4)
    if ties:
        lines = np.round(lines)
    lines = lines.astype(np.float64 if double else np.float32)
    size = min(2 * half + 1, columns - 1 + columns % 2)
    np.testing.assert_array_equal(
        prc.ct.remove_rings(lines, size=size), sort_and_filter(lines, size)
    )


def test_sorting_slabs_and_threads(monkeypatch):
    lines = np.random.default_rng(0).standard_normal((50, 7, 33)).astype(np.float32)
    with prc.set_num_threads(1):
        one = prc.ct.remove_rings(lines, size=5)
    monkeypatch.setattr("pyrad_core.ct._stripes._SLAB_BYTES", 60_000)
    with prc.set_num_threads(2):
        np.testing.assert_array_equal(prc.ct.remove_rings(lines, size=5), one)
    flipped = np.asfortranarray(lines)
    flipped.flags.writeable = False
    np.testing.assert_array_equal(prc.ct.remove_rings(flipped, size=5), one)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("views", [1, 37, 64])
def test_rank_and_median_on_device(device, dtype, views):
    rng = np.random.default_rng(1)
    x = np.round(rng.standard_normal((views, 3, 90)), 1).astype(dtype)
    shape = (2, 90, views)
    host = [np.empty(shape, dtype), np.empty(shape, np.int32), np.empty(shape, dtype)]
    back = np.zeros_like(x)
    given = [device.array(a) for a in (x, *host, back)]
    for kernels, (lines, ranked, order, smooth, out) in (
        (cpu_kernels(), (x, *host, back)),
        (device.kernels, given),
    ):
        kernels.rank_views(lines, 1, ranked, order)
        kernels.median_columns(ranked, 15, smooth)
        kernels.unrank_views(smooth, order, 1, out)
    for got, expected in zip(given[1:], (*host, back), strict=True):
        np.testing.assert_array_equal(device.numpy(got), expected)


@pytest.mark.parametrize("method", METHODS)
def test_rings_on_device(device, method):
    rng = np.random.default_rng(2)
    lines = rng.standard_normal((60, 2, 70)) + 5 * (np.arange(70) == 31)
    lines[:, :, 50] = 0.2
    expected = prc.ct.remove_rings(lines, method=method)
    with device:
        got = prc.ct.remove_rings(device.array(lines), method=method)
    np.testing.assert_allclose(device.numpy(got), expected, atol=1e-12)


def test_long_scans_on_device(device):
    """More views than fit into shared memory."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((17_000, 1, 3)).astype(np.float32)
    ranked, order = np.empty((1, 3, 17_000), np.float32), np.empty((1, 3, 17_000), np.int32)
    cpu_kernels().rank_views(x, 0, ranked, order)
    given = [device.array(a) for a in (x, np.empty_like(ranked), np.empty_like(order))]
    device.kernels.rank_views(given[0], 0, *given[1:])
    np.testing.assert_array_equal(device.numpy(given[1]), ranked)
    np.testing.assert_array_equal(device.numpy(given[2]), order)


@pytest.fixture(scope="module")
def body():
    """Closed-form sinogram of two ellipses off the axis, with a third at the rim."""
    scan = prc.ParallelBeam(np.linspace(0, np.pi, 360, endpoint=False), 363)
    bodies = Ellipsoids(
        [[0.01, 96, 60, 24, -19, 20], [0.005, 22, 34, -17, 29, 70], [0.015, 12, 10, 72, 60, 0]]
    )
    return scan, bodies.project(scan)


def stripes(kind, columns=363):
    rng = np.random.default_rng(4)
    gain = np.zeros(columns)
    if kind == "narrow":
        chosen = rng.choice(np.arange(10, columns - 10), 25, replace=False)
        gain[chosen] = rng.choice([-0.1, 0.1], 25)
    else:
        gain[150:154], gain[250:255] = 0.3, -0.3
    return gain


@pytest.mark.parametrize(
    ("method", "kind", "share"),
    [
        ("sorting", "narrow", 0.3),
        ("all", "narrow", 0.3),
        ("wavelet_fourier", "narrow", 0.5),
        ("titarenko", "narrow", 0.7),
        ("large", "wide", 0.15),
        ("unresponsive", "wide", 0.15),
        ("all", "wide", 0.15),
    ],
)
def test_stripe_energy_falls_and_the_object_stays(body, method, kind, share):
    """Gain errors shift columns of line integrals; what is left of them in energy (their mean over
    the views, squared), and the change of the image of a clean scan."""
    scan, clean = body
    gain = stripes(kind)
    mended = prc.ct.remove_rings(clean + gain, method=method)
    left = (mended - clean).mean(axis=0)
    assert np.sum(left**2) < share**2 * np.sum(gain**2)
    volume = prc.Volume((300, 300))
    image = prc.ct.fbp(clean, scan, volume)
    untouched = prc.ct.fbp(prc.ct.remove_rings(clean, method=method), scan, volume)
    ringed = prc.ct.fbp(clean + gain, scan, volume)
    assert np.sqrt(np.mean((untouched - image) ** 2)) < 0.016 * image.max()
    result = prc.ct.fbp(mended, scan, volume)
    assert relative_error(result, image) < 0.5 * relative_error(ringed, image)


def test_unresponsive_columns_are_interpolated(body):
    _, clean = body
    rng = np.random.default_rng(5)
    lines = clean + 0.002 * rng.standard_normal(clean.shape)
    lines[:, 175:177] = 0.7  # dead
    lines[:, 220] += 0.4 * rng.standard_normal(len(lines))  # fluctuating
    mended = prc.ct.remove_rings(lines, method="unresponsive")
    for columns in (slice(175, 177), 220):
        error = np.sqrt(np.mean((mended - clean)[:, columns] ** 2))
        assert error < 0.1 * np.sqrt(np.mean((lines - clean)[:, columns] ** 2))


def ring_strength(image, inner=8, outer=290):
    """Stripes of the image in polar coordinates: root mean square over radius and octants of the
    median along the angle, less its median over 31 radii."""
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    radius = np.arange(inner, outer, 0.5)[:, None]
    centre = 0.5 * (len(image) - 1)
    at = [centre + radius * np.sin(angle), centre + radius * np.cos(angle)]
    polar = scipy.ndimage.map_coordinates(image, at, order=1).reshape(len(radius), 8, -1)
    profile = np.median(polar, axis=2)
    return np.sqrt(np.mean((profile - scipy.ndimage.median_filter(profile, (31, 1))) ** 2))


def test_tooth_loses_its_rings_and_keeps_its_edges():
    h5py = pytest.importorskip("h5py")
    with h5py.File(data_path("ct", "tooth_parallel", "tooth.h5")) as file:
        group = file["exchange"]
        counts, flat, dark = (group[name][:] for name in ("data", "data_white", "data_dark"))
        angles = np.radians(group["theta"][:])
    lines = prc.ct.normalize(counts, flat, dark)[:, 0]
    centre = prc.ct.find_center(lines, angles)
    scan = prc.ParallelBeam(angles, 640, offset=639 / 2 - centre)

    def picture(projections):
        return prc.ct.fbp(projections, scan, prc.Volume((640, 640)))

    def edges(image):
        part = image[150:450, 200:470]
        smooth = 0.25 * (part[:-1, :-1] + part[1:, :-1] + part[:-1, 1:] + part[1:, 1:])
        return float((np.diff(smooth, axis=1) ** 2).mean())

    plain = picture(lines)
    enamel = (slice(395, 415), slice(290, 340))
    for method, share, kept in (
        ("sorting", 0.7, 0.98),
        ("all", 0.7, 0.98),
        ("titarenko", 0.8, 0.9),
    ):
        mended = picture(prc.ct.remove_rings(lines, method=method))
        assert ring_strength(mended) < share * ring_strength(plain)
        assert kept * edges(plain) < edges(mended) < 1.02 * edges(plain)
        assert mended[enamel].mean() == pytest.approx(plain[enamel].mean(), rel=0.03)


def test_rings_bad_inputs():
    lines = np.zeros((40, 150), np.float32)
    for bad in (4, 1, 151):
        with pytest.raises(DataError, match=f"size is {bad}"):
            prc.ct.remove_rings(lines, size=bad)
    for setting, text in (
        ({"method": "sort"}, "'sort'; did you mean 'sorting'"),
        ({"method": "titarenko", "alpha": 0}, "alpha is 0"),
        ({"method": "wavelet_fourier", "sigma": -1}, "sigma is -1"),
        ({"method": "wavelet_fourier", "level": 9}, "level is 9"),
        ({"method": "wavelet_fourier", "wavelet": "db99"}, "db99"),
        ({"method": "all", "large_size": 20}, "large_size is 20"),
        ({"method": "large", "snr": 0}, "snr is 0"),
    ):
        with pytest.raises(DataError, match=text):
            prc.ct.remove_rings(lines, **setting)
    lines[3, 4] = np.inf
    with pytest.raises(DataError, match=r"projections holds 1 NaN or Inf.*\(3, 4\)"):
        prc.ct.remove_rings(lines)
