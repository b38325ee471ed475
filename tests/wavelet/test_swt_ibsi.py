"""Undecimated bands against the IBSI 2 consensus response map 6.a.1 (coif1, HHL, periodic)."""

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import wavelet as prw

nibabel = pytest.importorskip("nibabel")

nibabel = pytest.importorskip("nibabel")


def test_coif1_hhl_is_response_map_6_a_1():
    folder = data_path("features", "ibsi2")
    # NIfTI order (x, y, z): the first letter of a filter's name acts on x.
    image = nibabel.load(folder / "digital_phantom" / "sphere_image.nii.gz").get_fdata()
    consensus = nibabel.load(
        folder / "reference_response_maps" / "6_a_1-ValidCRM.nii.gz"
    ).get_fdata()
    (bands,) = prw.swtn(image, "coif1", level=1)
    assert np.abs(bands["dda"] - consensus).max() <= 1e-6 * np.ptp(consensus)
    turned = prw.swtn(np.ascontiguousarray(image.T, np.float32), "coif1", level=1)[0]["add"]
    assert np.abs(turned.T - consensus).max() <= 1e-5 * np.ptp(consensus)
