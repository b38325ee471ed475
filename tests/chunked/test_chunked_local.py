"""Slabs with halos give the bits of the whole, whatever their thickness."""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import chunked

pytest.importorskip("dask.array")

SHAPE = (23, 7, 9)
CHUNKS = (2, 9)
BOUNDARIES = ("mirror", "nearest", "periodic", "zero")


def volume(dtype=np.float32, shape=SHAPE):
    return np.random.default_rng(3).normal(10, 2, shape).astype(dtype)


def compute(lazy):
    return lazy.compute(scheduler="synchronous")


def assert_same(lazy, whole):
    assert lazy.shape == whole.shape
    assert lazy.dtype == whole.dtype
    np.testing.assert_array_equal(compute(lazy), whole)


MASK = np.zeros(SHAPE, bool)
MASK[5:14, 2:6, 3:8] = True
DENOISERS = [
    ("median", {"size": 5}),
    ("median", {"size": (6, 3, 1), "mask": MASK}),
    ("rank", {"rank": 2, "footprint": np.eye(3)[:, :, None] > 0}),
    ("percentile", {"percentile": 30, "size": (4, 3, 3)}),
    ("gaussian", {"sigma": (2.3, 0.0, 1.0)}),
    ("gaussian", {"sigma": 1.0, "spacing": (0.5, 1, 1), "truncate": 3}),
    ("bilateral", {"sigma_range": 3.0, "sigma_space": 1.2, "ball": True}),
    ("bilateral", {"sigma_range": 1.0, "radius": (2, 1, 3), "guide": volume() ** 2, "mask": MASK}),
    ("nlm", {"sigma": 2.0, "search": 5}),
    ("nlm", {"sigma": 2.0, "search": (3, 5, 5), "patch": (5, 3, 3), "variant": "voxelwise"}),
    ("nlm", {"sigma": 2.0, "search": (1, 5, 5), "patch": (7, 3, 1), "noise": "rician"}),
    ("nlm", {"sigma": 2.0, "search": 5, "variant": "blockwise"}),
    ("nlm", {"sigma": abs(volume()) / 8, "search": 5, "mask": MASK}),
    ("nlm", {"sigma": 2.0, "search": 5, "variant": "blockwise", "mask": MASK}),
    ("anisotropic_diffusion", {"kappa": 2.0, "iterations": 3}),
    ("anisotropic_diffusion", {"kappa": 2.0, "iterations": 4, "method": "curvature"}),
    ("anisotropic_diffusion", {"kappa": 2.0, "iterations": 2, "method": "edge", "sigma": 0.7}),
    (
        "anisotropic_diffusion",
        {"kappa": 2.0, "iterations": 2, "method": "coherence", "sigma": 0.5, "rho": 0.9},
    ),
    ("anisotropic_diffusion", {"kappa": 2.0, "iterations": 0, "mask": MASK}),
]


@pytest.mark.parametrize("number", range(len(DENOISERS)))
def test_denoise_in_memory(number):
    method, options = DENOISERS[number]
    dtype = (np.float32, np.float64)[number % 2]
    image = volume(dtype)
    whole = getattr(prc.denoise, method)(image, **options)
    for chunk in CHUNKS:
        lazy = chunked.denoise(image, method, chunk=chunk, **options)
        if method == "nlm" and "mask" in options:  # sums begin at the mask's box
            rounding = 1e-6 if dtype == np.float32 else 1e-14
            np.testing.assert_allclose(compute(lazy), whole, rtol=rounding)
        else:
            assert_same(lazy, whole)


@pytest.mark.parametrize("variant", ["patchwise", "voxelwise", "blockwise"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nlm_of_many_blocks_in_memory(variant, dtype):
    """Taller than the kernel's blocks, whose order decides how sums round."""
    image, options = volume(dtype, (101, 7, 8)), {"sigma": 2.0, "search": 5, "variant": variant}
    whole = prc.denoise.nlm(image, **options)
    assert_same(chunked.denoise(image, "nlm", chunk=37, **options), whole)


def test_slices_one_by_one():
    """Chunks of one slice, far smaller than the halo."""
    image = volume()
    for method, options in (("median", {"size": 7}), ("nlm", {"sigma": 2.0, "search": 7})):
        whole = getattr(prc.denoise, method)(image, **options)
        assert_same(chunked.denoise(image, method, chunk=1, **options), whole)
    whole = prc.filters.mean(image, support=9, boundary="periodic")
    assert_same(chunked.filter_image(image, "mean", chunk=1, support=9, boundary="periodic"), whole)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(
    "method, options",
    [
        ("median", {"size": 4}),
        ("gaussian", {"sigma": (9.0, 1.0, 1.0)}),
        ("bilateral", {"sigma_range": 2.0}),
    ],
)
def test_denoise_boundaries_in_memory(method, options, boundary):
    image = volume()
    whole = getattr(prc.denoise, method)(image, boundary=boundary, **options)
    for chunk in CHUNKS:
        assert_same(
            chunked.denoise(image, method, chunk=chunk, boundary=boundary, **options), whole
        )


def test_gaussian_of_constant_slabs():
    """A constant image comes back as it is; a constant slab of another is smoothed."""
    image = np.full(SHAPE, 0.7, np.float32)
    assert_same(chunked.denoise(image, "gaussian", sigma=1.3, chunk=5), image)
    image[-1] = 3
    whole = prc.denoise.gaussian(image, sigma=1.3)
    assert (whole[:5] != image[:5]).any(), "rounding of the taps' sum"
    assert_same(chunked.denoise(image, "gaussian", sigma=1.3, chunk=5), whole)


FILTERS = [
    ("mean", {"support": 7}),
    ("mean", {"support": 3, "by_slice": True}),
    ("laplacian_of_gaussian", {"sigma": 1.4, "spacing": (1.2, 1.0, 0.7)}),
    ("laws", {"kernels": "L5S5E3", "energy_distance": 3, "pooling": "max"}),
    ("laws", {"kernels": "E3W5R5"}),
    ("separable_wavelet", {"wavelet": "db3", "bands": "LHL", "level": 2}),
    ("separable_wavelet", {"wavelet": "coif1", "bands": "HHL", "pooling": "mean"}),
]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("method, options", FILTERS)
def test_filters_in_memory(method, options, boundary):
    image = volume(np.float64 if boundary == "zero" else np.float32, (37, 5, 6))
    whole = getattr(prc.filters, method)(image, boundary=boundary, **options)
    for chunk in (5, 16):
        assert_same(
            chunked.filter_image(image, method, chunk=chunk, boundary=boundary, **options), whole
        )


@pytest.mark.parametrize(
    "options",
    [
        {"wavelet": "db2", "level": 2},
        {"wavelet": "coif1", "level": 1, "start_level": 1, "norm": True},
        {"wavelet": "db3", "level": 2, "trim_approx": True},
        {"wavelet": "bior2.2", "level": 1, "axes": (2, 0)},
        {"wavelet": ["haar", "db3"], "level": 1, "axes": (1, 2)},
    ],
)
def test_swtn_in_memory(options):
    dask = pytest.importorskip("dask")
    image = volume(np.float64, (64, 8, 8))
    image = image.astype(np.complex128 if "norm" in options else np.float32)
    whole = prc.wavelet.swtn(image, **options)
    for chunk in (7, 16):
        lazy = chunked.swtn(image, chunk=chunk, **options)
        (made,) = dask.compute(lazy, scheduler="synchronous")
        assert len(made) == len(whole)
        for got, expected in zip(made, whole, strict=True):
            if not isinstance(expected, dict):
                got, expected = {"a": got}, {"a": expected}
            assert list(got) == list(expected)
            for name, band in expected.items():
                np.testing.assert_array_equal(got[name], band)


def test_dask_input_and_chain():
    """Dask arrays of any chunks; a chain of two; Dask's threads."""
    da = pytest.importorskip("dask.array")
    image = volume()
    lazy = da.from_array(image, chunks=(5, 4, 9))
    once = chunked.denoise(lazy, "median", size=3, chunk=4, mask=da.from_array(MASK))
    twice = chunked.filter_image(once, "mean", support=5, boundary="periodic", chunk=3)
    whole = prc.filters.mean(
        prc.denoise.median(image, size=3, mask=MASK), support=5, boundary="periodic"
    )
    np.testing.assert_array_equal(twice.compute(scheduler="threads"), whole)


def test_zarr_on_disk(tmp_path):
    """Read from Zarr, write to Zarr, one array or the bands of a transform."""
    zarr = pytest.importorskip("zarr")
    image = volume(shape=(40, 12, 8))
    at = str(tmp_path / "image")
    stored = zarr.open_array(at, mode="w", shape=image.shape, chunks=(7, 12, 8), dtype="f4")
    stored[...] = image
    source = zarr.open_array(at, mode="r")
    made = chunked.to_zarr(
        chunked.denoise(source, "nlm", sigma=2.0, search=5, chunk=9), tmp_path / "clean"
    )
    np.testing.assert_array_equal(made[...], prc.denoise.nlm(image, sigma=2.0, search=5))
    bands = chunked.swtn(made, "db2", level=1, chunk=10)[0]
    written = chunked.to_zarr(bands, tmp_path / "bands")
    for name, band in prc.wavelet.swtn(made[...], "db2", level=1)[0].items():
        np.testing.assert_array_equal(written[name][...], band)
    with pytest.raises(prc.DataError, match="exists"):
        chunked.to_zarr(bands["aaa"], tmp_path / "clean")


def test_memory_map_and_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    image = volume(np.int16)
    whole = prc.denoise.median(image, size=3)
    np.save(tmp_path / "image.npy", image)
    mapped = np.load(tmp_path / "image.npy", mmap_mode="r")
    assert_same(chunked.denoise(mapped, "median", size=3, chunk=6), whole)
    with h5py.File(tmp_path / "image.h5", "w") as file:
        file["image"] = image
        assert_same(chunked.denoise(file["image"], "median", size=3, chunk=6), whole)


def test_default_chunk_follows_memory(monkeypatch):
    from pyrad_core.chunked import _source

    monkeypatch.setattr(_source, "_free_bytes", lambda: 8 * 8 * 5 * 7 * 9 * 4)
    lazy = chunked.denoise(volume(), "median", size=3)
    assert lazy.chunks[0] == (5, 5, 5, 5, 3)


@pytest.mark.parametrize("method", ["tv", "tgv", "wavelet", "mppca", "gibbs"])
def test_global_methods_are_refused(method):
    with pytest.raises(prc.DataError, match="cannot run in slabs.*nlm"):
        chunked.denoise(volume(), method, weight=0.1)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda x: chunked.denoise(x, "medain"), "median"),
        (lambda x: chunked.denoise(x, "median", sice=3), "size"),
        (lambda x: chunked.denoise(x, "nlm"), "needs sigma"),
        (lambda x: chunked.denoise(x, "nlm", sigma="local"), "in slabs"),
        (lambda x: chunked.denoise(x, "nlm", sigma=1.0, return_info=True), "return_info"),
        (lambda x: chunked.denoise(x, "gaussian", sigma=1.0, boundary="wrap"), "boundary"),
        (lambda x: chunked.denoise(x, "anisotropic_diffusion"), "needs kappa"),
        (lambda x: chunked.denoise(x, "median", chunk=0), "chunk is 0"),
        (lambda x: chunked.denoise(x, "median", mask=MASK[1:]), "mask"),
        (lambda x: chunked.denoise(x[0], "median"), "expected 3 dimensions"),
        (lambda x: chunked.denoise(x.astype(np.float16), "median"), "float16"),
        (lambda x: chunked.filter_image(x, "gabor"), "spectrum"),
        (lambda x: chunked.filter_image(x, "laws"), "needs kernels"),
        (lambda x: chunked.swtn(x, "db2", level=1), "multiple"),
    ],
)
def test_bad_arguments(call, text):
    with pytest.raises(prc.DataError, match=text):
        call(volume())


def test_nan_is_found_where_it_is_read():
    image = volume()
    image[17, 2, 3] = np.nan
    lazy = chunked.denoise(image, "median", size=3, chunk=5)
    compute(lazy[:10])
    with pytest.raises(prc.DataError, match="in slices 14 to 20.*NaN"):
        compute(lazy)


def test_missing_dask(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(prc.MissingDependencyError, match=r"pyrad_core\[cohort\]"):
        chunked.denoise(volume(), "median", size=3)
