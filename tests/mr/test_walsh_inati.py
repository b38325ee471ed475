"""Walsh's and Inati's maps: closed forms, NumPy, parity of their kernels."""

import numpy as np
import pytest
from helpers import data_path, relative_error

import pyrad_core as prc
from pyrad_core import mr
from pyrad_core._kernels import cpu

from .oracles import complex_normal


def overlap(a, b):
    """|<a, b>| / (|a| |b|) per pixel where both are set."""
    on = (np.abs(a).sum(0) > 0) & (np.abs(b).sum(0) > 0)
    a, b = a[:, on].astype(np.complex128), b[:, on].astype(np.complex128)
    return np.abs((a.conj() * b).sum(0)) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)


@pytest.fixture(scope="module")
def head():
    n = 96
    truth = prc.phantom.coil_maps(6, (n, n)).astype(np.complex64)
    image = prc.phantom.shepp_logan(2).raster(prc.Volume((n, n), spacing=2 / n))
    return truth, image, image > 0.1


@pytest.mark.parametrize("method", [mr.walsh, mr.inati])
def test_maps_closed_form(head, method):
    truth, image, inside = head
    maps = method(truth * image, window=5)
    assert maps.dtype == np.complex64
    assert np.quantile(overlap(np.where(inside, maps, 0), np.where(inside, truth, 0)), 0.02) > 0.995
    assert np.allclose(np.linalg.norm(maps[:, inside], axis=0), 1, atol=1e-5)


def local_sums(x, window):
    """Box sums, zeros outside, in NumPy."""
    out = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        cut = tuple(
            slice(max(i - w // 2, 0), i - w // 2 + w) for i, w in zip(at, window, strict=True)
        )
        out[at] = x[cut].sum()
    return out


def test_walsh_is_the_local_principal_component():
    images = complex_normal(np.random.default_rng(0), (3, 9, 11), np.complex128)
    maps = mr.walsh(images, window=(3, 4), iterations=5000)
    covariance = np.array(
        [[local_sums(a * b.conj(), (3, 4)) for b in images] for a in images]
    ).transpose(2, 3, 0, 1)
    values, vectors = np.linalg.eigh(covariance)
    clear = values[..., -2] < 0.8 * values[..., -1]
    same = np.abs(np.einsum("cyx,yxc->yx", maps.conj(), vectors[..., -1]))
    assert clear.sum() > 40 and same[clear].min() > 1 - 1e-9
    body = np.linalg.eigh(np.einsum("ayx,byx->ab", images, images.conj()))[1][:, -1]
    along = np.einsum("c,cyx->yx", body.conj(), maps)
    assert np.abs((along * along[0, 0].conj() / np.abs(along[0, 0])).imag).max() < 1e-9


def test_walsh_in_three_dimensions_with_even_window():
    rng = np.random.default_rng(1)
    shape = (7, 12, 40)
    smooth = [
        np.exp(1j * rng.uniform(-1, 1, 3) @ (np.indices(shape).reshape(3, -1) / 12)) for _ in "abc"
    ]
    truth = np.stack([s.reshape(shape) for s in smooth])
    image = complex_normal(rng, shape, np.complex128)
    maps = mr.walsh(truth * image, window=(2, 3, 4))
    assert overlap(maps, truth).min() > 0.99


def test_walsh_with_noise_maximises_the_snr():
    """Against the generalised eigenvector of signal and noise covariance."""
    import scipy.linalg

    rng = np.random.default_rng(2)
    images = complex_normal(rng, (4, 8, 8), np.complex128)
    mixing = complex_normal(rng, (4, 4), np.complex128)
    noise = mixing @ mixing.conj().T + 0.1 * np.eye(4)
    maps = mr.walsh(images, window=17, noise=noise, iterations=5000)
    flat = images.reshape(4, -1)
    vectors = scipy.linalg.eigh(flat @ flat.conj().T, noise)[1]
    assert (
        overlap(maps, np.broadcast_to((noise @ vectors[:, -1])[:, None, None], maps.shape)).min()
        > 1 - 1e-6
    )


def test_inati_combines_like_its_maps(head):
    truth, image, inside = head
    maps, combined = mr.inati(truth * image, return_image=True)
    expected = mr.combine_coils(truth * image, maps)
    assert relative_error(combined, expected) < 1e-5
    assert relative_error(np.abs(combined), np.abs(image) * np.linalg.norm(truth, axis=0)) < 0.02
    # a positive image stays smooth in phase up to a constant
    phase = np.angle(combined[inside] / combined[inside].mean())
    assert np.std(phase) < 0.6


def test_walsh_and_inati_on_the_brain():
    """They agree with ESPIRiT where there is signal."""
    scipy_io = pytest.importorskip("scipy.io")
    images = scipy_io.loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    images = np.moveaxis(images, -1, 0).astype(np.complex64)
    espirit = mr.espirit(mr.fft(images))
    root = mr.combine_coils(images)
    inside = (np.abs(espirit).sum(0) > 0) & (root > 0.15 * root.max())
    for maps in (mr.walsh(images), mr.inati(images), mr.low_resolution_maps(mr.fft(images))):
        assert np.median(overlap(maps[:, inside], espirit[:, inside])) > 0.995


def parity(device, name, arguments, outputs, tolerance):
    """One kernel on the CPU and on the device."""
    host = {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    getattr(cpu, name)(**host)
    with device:
        there = {
            k: device.array(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()
        }
        getattr(device.kernels, name)(**there)
        for output in outputs:
            assert relative_error(device.numpy(there[output]), host[output]) < tolerance, output


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_kernel_parity(device, dtype):
    rng = np.random.default_rng(3)
    tolerance = 2e-6 if dtype == np.complex64 else 1e-14
    images, right = (
        complex_normal(rng, (3, 4, 19, 37), dtype),
        complex_normal(rng, (2, 4, 19, 37), dtype),
    )
    chosen = np.array([[0, 1], [2, 0], [1, 1]])
    arguments = {"left": images, "right": right, "chosen": chosen, "window": (3, 4, 5)}
    sums = np.empty((3, 2, 11, 33), dtype)
    parity(
        device, "local_products", {**arguments, "first": (1, 8, 2), "out": sums}, ["out"], tolerance
    )
    flat, maps = complex_normal(rng, (5, 700), dtype), complex_normal(rng, (5, 700), dtype)
    maps[:, 3] = 0
    one = np.empty(700, dtype)
    parity(
        device,
        "normalize_maps",
        {"images": flat, "maps": maps, "combined": one},
        ["maps", "combined"],
        tolerance,
    )
    reference = complex_normal(rng, 5, dtype)
    parity(
        device,
        "turn_maps",
        {"reference": reference, "maps": maps, "combined": flat[0].copy()},
        ["maps", "combined"],
        tolerance,
    )
    parity(
        device, "combine_maps_of", {"images": flat, "maps": maps, "out": one}, ["out"], tolerance
    )
    parity(device, "combine_squares", {"images": flat, "out": one.real.copy()}, ["out"], tolerance)


@pytest.mark.parametrize("method", ["walsh", "inati", "low_resolution_maps"])
def test_public_parity(device, method):
    rng = np.random.default_rng(4)
    truth = prc.phantom.coil_maps(3, (24, 21)).astype(np.complex64)
    images = truth * (1 + rng.random((24, 21))).astype(np.float32)
    data = mr.fft(images) if method == "low_resolution_maps" else images
    options = {"calibration": 12} if method == "low_resolution_maps" else {"window": 3}
    expected = getattr(mr, method)(data, **options)
    with device:
        got = device.numpy(getattr(mr, method)(device.array(data), **options))
    assert relative_error(got, expected) < 1e-3


def test_low_resolution_maps_closed_form(head):
    truth, image, inside = head
    maps = mr.low_resolution_maps(mr.fft(truth * image), calibration=(24, 30), window="hamming")
    assert np.quantile(overlap(np.where(inside, maps, 0), np.where(inside, truth, 0)), 0.02) > 0.99


@pytest.mark.parametrize("method", [mr.walsh, mr.inati])
def test_bad_input_52_54_61(method):
    with pytest.raises(prc.DataError, match="images holds only zeros"):
        method(np.zeros((2, 8, 8), np.complex64))
    with pytest.raises(prc.DataError, match="dtype float32; accepted are complex64"):
        method(np.ones((2, 8, 8), np.float32))
    with pytest.raises(prc.DataError, match="dtype float16"):
        method(np.ones((2, 8, 8), np.float16))
    images = np.ones((2, 8, 8), np.complex64)
    images[1, 2, 3] = np.nan
    with pytest.raises(prc.DataError, match=r"1 NaN or Inf values, the first at index \(1, 2, 3\)"):
        method(images)
    with pytest.raises(prc.ShapeError, match="window is"):
        method(np.ones((2, 8, 8), np.complex64), window=(3, 3, 3))
