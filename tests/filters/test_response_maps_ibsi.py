"""IBSI 2, phase 1: the 33 reference response maps of digital phantoms (2 mm voxels)."""

import pytest
from filters import response_maps


@pytest.mark.parametrize("test_id", response_maps.IDS)
def test_response_map_ibsi(test_id):
    assert response_maps.difference(test_id) <= response_maps.TOLERANCE
