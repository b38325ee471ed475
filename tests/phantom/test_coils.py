import numpy as np
import pytest

from pyrad_core import DataError, ShapeError
from pyrad_core.phantom import coil_maps


@pytest.mark.parametrize("coils, shape", [(1, (8, 8)), (12, (33, 32)), (9, (6, 10, 11))])
def test_unit_sum_of_squares(coils, shape):
    maps = coil_maps(coils, shape, dtype=np.complex128)
    assert maps.shape == (coils, *shape)
    np.testing.assert_allclose((abs(maps) ** 2).sum(axis=0), 1, rtol=1e-12)
    assert coil_maps(coils, shape).dtype == np.complex64


def test_smooth_and_distinct():
    maps = coil_maps(8, (64, 64))
    for axis in (1, 2):
        assert abs(np.diff(maps, axis=axis)).max() < 0.25
    flat = maps.reshape(8, -1)
    strengths = np.linalg.svd(flat, compute_uv=False)
    assert strengths[3] > 0.05 * strengths[0]
    # the first loop stands on the positive x axis
    assert abs(maps[0, 32, 60]) > 3 * abs(maps[0, 32, 4])


def test_bad_arguments():
    with pytest.raises(DataError, match="coils"):
        coil_maps(0, (8, 8))
    with pytest.raises(ShapeError, match="shape"):
        coil_maps(4, (8,))
