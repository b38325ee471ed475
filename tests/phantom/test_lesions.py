import numpy as np
import pytest

from pyrad_core import DataError, Volume
from pyrad_core.phantom import textured_lesions


@pytest.mark.parametrize("shape", [(64, 96), (24, 40, 64)])
def test_same_mean_other_texture(shape):
    volume = Volume(shape)
    options = {"radius": 11.0, "distance": 28.0, "mean": 2.0, "deviation": 0.3}
    image, labels = textured_lesions(volume, **options)
    assert image.dtype == np.float32 and image.shape == labels.shape == shape
    assert set(np.unique(labels)) == {0, 1, 2} and not image[labels == 0].any()
    rough = []
    for label in (1, 2):
        values = image[labels == label].astype(float)
        assert values.mean() == pytest.approx(2.0, abs=1e-5)
        assert values.std() == pytest.approx(0.3, abs=1e-5)
        steps = np.diff(np.where(labels == label, image, np.nan), axis=-1)
        rough.append(np.nanstd(steps))
    assert rough[0] > 2 * rough[1]
    again, _ = textured_lesions(volume, **options)
    np.testing.assert_array_equal(again, image)
    # label 1 lies at negative x
    assert np.argwhere(labels == 1)[:, -1].max() < shape[-1] / 2


def test_bad_arguments():
    volume = Volume((32, 32))
    with pytest.raises(DataError, match="overlap"):
        textured_lesions(volume, radius=5, distance=8)
    with pytest.raises(DataError, match="two voxels"):
        textured_lesions(volume, radius=5, distance=12, wavelengths=(1.5, 6))
