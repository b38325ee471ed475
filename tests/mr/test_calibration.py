"""The centre of k-space from radial samples, against the closed form of the phantom."""

import numpy as np
import pytest
from helpers import relative_error

from pyrad_core import Volume, mr, phantom
from pyrad_core.errors import DataError
from pyrad_core.mr.calibration import calibrate

N, SIDE = 64, 16


@pytest.fixture(scope="module")
def head():
    return phantom.shepp_logan(2, radius=N / 2)


def radial(spokes):
    return mr.radial(spokes, 2 * N, N).astype(np.float32)


def test_centre_closed_form(head):
    volume = Volume((N, N))
    spokes = radial(48)
    kspace = head.kspace(spokes, volume)[None].astype(np.complex64)
    got = calibrate(kspace, spokes, (N, N), size=SIDE)
    index = np.arange(SIDE) - SIDE // 2
    grid = np.stack(np.meshgrid(index, index, indexing="ij"), axis=-1).astype(float)
    exact = head.kspace(grid, volume)
    inner = slice(N // 2 - SIDE // 2, N // 2 + SIDE // 2)
    scale = np.vdot(got[0, inner, inner], exact) / np.vdot(
        got[0, inner, inner], got[0, inner, inner]
    )
    assert relative_error(scale * got[0, inner, inner], exact) < 0.03
    outside = got.copy()
    outside[:, inner, inner] = 0
    assert got.shape == (1, N, N) and not outside.any()


def test_too_few_samples(head):
    spokes = radial(2)
    kspace = head.kspace(spokes, Volume((N, N)))[None].astype(np.complex64)
    with pytest.raises(DataError, match="samples lie near the centre"):
        calibrate(kspace[:, :1, ::16], spokes[:1, ::16], (N, N), size=SIDE)
