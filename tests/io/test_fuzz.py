"""Damaged headers: whatever bytes change, a reader answers or raises a PyradError, and never asks
for more memory than its cap."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyrad_core import io
from pyrad_core.errors import PyradError

FUZZ = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
IMAGE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
CAP = 1_000_000


def damage(content, changes, cut):
    content = bytearray(content)
    for place, value in changes:
        content[place % len(content)] = value
    return bytes(content[: len(content) - cut])


def read(reader, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return reader(path, max_bytes=CAP)
        except PyradError as error:
            assert str(error)
            return None


def changes(header):
    place = st.integers(0, header - 1)
    return st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=6)


@pytest.mark.parametrize("ending", [".nii", ".npy", ".nii.gz"])
@FUZZ
@given(changes=changes(352), cut=st.integers(0, 40))
def test_images(tmp_path, ending, changes, cut):
    whole = io.write_image(tmp_path / f"whole{ending}", IMAGE)
    path = tmp_path / f"damaged{ending}"
    path.write_bytes(damage(whole.read_bytes(), changes, cut))
    image = read(io.read_image, path)
    assert image is None or image.data.nbytes <= 4 * CAP


@FUZZ
@given(changes=changes(300), cut=st.integers(0, 40))
def test_mat(tmp_path, changes, cut):
    from scipy.io import savemat

    whole = tmp_path / "whole.mat"
    if not whole.exists():
        savemat(whole, {"kspace": np.ones((6, 5, 2), np.complex64)}, do_compression=False)
    path = tmp_path / "damaged.mat"
    path.write_bytes(damage(whole.read_bytes(), changes, cut))
    scan = read(io.read_kspace, path)
    assert scan is None or scan.data.nbytes <= 4 * CAP


@FUZZ
@given(text=st.text(max_size=60), cut=st.integers(0, 16))
def test_bart(tmp_path, text, cut):
    (tmp_path / "a.cfl").write_bytes(bytes(64 - cut))
    (tmp_path / "a.hdr").write_text("# Dimensions\n" + text, errors="replace")
    read(io.read_kspace, tmp_path / "a.cfl")


@FUZZ
@given(changes=changes(400), cut=st.integers(0, 40))
def test_npz(tmp_path, changes, cut):
    whole = tmp_path / "whole.npz"
    if not whole.exists():
        np.savez(whole, sinogram=np.ones((4, 6), np.float32), angles_deg=np.arange(4.0))
    path = tmp_path / "damaged.npz"
    path.write_bytes(damage(whole.read_bytes(), changes, cut))
    read(io.read_projections, path)


@FUZZ
@given(changes=changes(1400), cut=st.integers(0, 40))
def test_dicom_ct_pd(tmp_path, changes, cut):
    pytest.importorskip("pydicom")
    from pyrad_core.geometry import ConeBeam
    from pyrad_core.io._ct_pd_write import write_scan

    folder = tmp_path / "scan"
    if not folder.exists():
        folder.mkdir()
        helix = ConeBeam(np.arange(3) * 0.5, (4, 6), 1.0, 600, 1000, curved=True, pitch=5.0)
        write_scan(folder, np.ones(helix.projection_shape, np.float32), helix)
        (folder / "view_00002.dcm").rename(tmp_path / "whole.dcm")
    content = (tmp_path / "whole.dcm").read_bytes()
    (folder / "damaged.dcm").write_bytes(damage(content, changes, cut))
    scan = read(io.read_projections, folder)
    assert scan is None or scan.data.nbytes <= CAP
