"""One-level transforms against the MATLAB R2012a reference file (PyWavelets' test data)."""

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import wavelet as prw

# MATLAB's names of the modes.
MODES = {
    "zero": "zpd",
    "constant": "sp0",
    "symmetric": "sym",
    "reflect": "symw",
    "periodic": "ppd",
    "smooth": "sp1",
    "periodization": "per",
    "antisymmetric": "asym",
    "antireflect": "asymw",
}
# RMS tolerance when MATLAB used its own filters, and when it was given the tabulated ones.
OWN_FILTERS, SAME_FILTERS = 5e-5, 1e-10


@pytest.fixture(scope="module")
def reference():
    with np.load(data_path("denoise", "pywt", "dwt_matlabR2012a_result.npz")) as stored:
        return {key: stored[key] for key in stored.files}


def test_all_7488_arrays(reference):
    rng = np.random.RandomState(1234)  # the generator the file was made with
    compared = 0
    for family in ("db", "sym", "coif", "bior", "rbio"):
        for name in prw.wavelist(family):
            taps = prw.Wavelet(name).dec_len
            for n in (taps, taps + 1):
                x = rng.randn(n)
                for mode, matlab in MODES.items():
                    for kind, got in zip(("ma", "md"), prw.dwt(x, name, mode), strict=True):
                        for suffix, limit in (("", OWN_FILTERS), ("_pywtCoeffs", SAME_FILTERS)):
                            expected = reference[f"{matlab}_{name}_{n}_{kind}{suffix}"].ravel()
                            assert got.shape == expected.shape
                            rms = np.sqrt(np.mean((got - expected) ** 2))
                            assert rms < limit, (mode, name, n, kind, suffix, rms)
                            compared += 1
    assert compared == len(reference) == 7488
