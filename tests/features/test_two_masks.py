"""Morphological and intensity masks apart; masks on other grids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pyrad_core.errors import DataError
from pyrad_core.features import Settings, extract


@dataclass
class Image:
    data: np.ndarray
    spacing: tuple
    affine: np.ndarray


@pytest.fixture
def case():
    rng = np.random.default_rng(3)
    image = rng.normal(100, 30, (9, 10, 11)).astype(np.float32)
    small, large = np.zeros(image.shape, np.uint8), np.zeros(image.shape, np.uint8)
    small[3:6, 3:7, 4:8] = 1
    large[1:8, 2:8, 2:10] = 1
    return image, small, large


@pytest.mark.parametrize("resample", [None, (1.5, 1.0, 2.0)])
def test_each_family_takes_its_mask(case, resample):
    image, small, large = case
    settings = Settings(resample=resample, families=("shape", "first_order", "glcm"))
    kept = {"settings": settings, "spacing": (1.0, 1.1, 0.9)}
    both = extract(image, large, intensity_mask=small, **kept)
    assert both == extract(image, small, morphological_mask=large, **kept)
    shape, rest = extract(image, large, **kept), extract(image, small, **kept)
    of_both = ("CentreOfMassShift", "IntegratedIntensity", "MoransI", "GearysC")
    for name, value in both.items():
        if name.endswith(of_both):
            continue
        expected = shape[name] if "_shape_" in name else rest[name]
        assert value == pytest.approx(expected, rel=1e-12), name
    if resample is None:
        centre = [np.argwhere(m).mean(axis=0) for m in (large, small)]
        weights = image[small > 0].astype(np.float64)
        heavy = (np.argwhere(small) * weights[:, None]).sum(0) / weights.sum()
        apart = np.linalg.norm((centre[0] - heavy) * kept["spacing"])
        assert both["CentreOfMassShift"] == pytest.approx(apart, rel=1e-6)
        assert both["IntegratedIntensity"] == pytest.approx(
            image[small > 0].mean() * shape["MeshVolume"], rel=1e-6
        )


def test_centre_of_mass_of_a_resegmented_shape(case):
    image, _, large = case
    image[1:4] = 500
    settings = Settings(resegment_range=(0, 400), resegment_shape=True)
    got = extract(image, large, settings=settings, spacing=1.0)
    inside = (large > 0) & (image <= 400) & (image >= 0)
    at, weights = np.argwhere(inside), image[inside].astype(float)
    heavy = (at * weights[:, None]).sum(axis=0) / weights.sum()
    assert got["CentreOfMassShift"] == pytest.approx(
        np.linalg.norm(at.mean(axis=0) - heavy), rel=1e-6
    )


def test_bad_input_76_either_mask_empty(case):
    image, small, large = case
    with pytest.raises(DataError, match="morphological_mask is empty"):
        extract(image, small, morphological_mask=np.zeros_like(large))
    with pytest.raises(DataError, match="mask is empty"):
        extract(image, large, intensity_mask=np.zeros_like(small))


def test_bad_input_79_masks_on_other_grids(case):
    """An error by default; brought to the image's grid where the settings say so."""
    image, _, large = case
    affine = np.diag([0.9, 1.1, 1.0, 1.0])
    spacing = (1.0, 1.1, 0.9)
    whole = Image(image, spacing, affine)
    part = affine.copy()
    part[:3, 3] = affine[:3, :3] @ [2, 1, 1]
    cut = Image(np.ascontiguousarray(large[1:, 1:, 2:]), spacing, part)
    with pytest.raises(ValueError, match="shape"):
        extract(whole, cut)
    expected = extract(whole, Image(large, spacing, affine))
    assert extract(whole, cut, settings=Settings(correct_mask=True)) == expected
    several = extract(whole, cut, label=[1], settings=Settings(correct_mask=True))
    assert several[1] == expected
    flipped = affine @ np.diag([-1.0, 1, 1, 1])
    flipped[0, 3] = 0.9 * 10
    mirrored = Image(np.ascontiguousarray(large[:, :, ::-1]), spacing, flipped)
    assert extract(whole, mirrored, settings=Settings(correct_mask=True)) == expected
    part[0, 3] += 50
    with pytest.raises(DataError, match="beyond the image"):
        extract(whole, cut, settings=Settings(correct_mask=True))
