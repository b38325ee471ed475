"""Pictures: sizes, colours, orientation, and what is refused."""

import numpy as np
import pytest

from pyrad_core import plot
from pyrad_core.errors import DataError, ShapeError
from pyrad_core.io import Image
from pyrad_core.plot.colours import colour_table

RAMP = np.tile(np.arange(64.0), (64, 1))


def test_preview_of_a_slice_is_crisp_and_large(tmp_path):
    path = tmp_path / "a.png"
    picture = plot.preview(RAMP, path, window=(0, 63))
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    assert min(picture.shape[:2]) >= 512
    middle = picture[picture.shape[0] // 2, 14:-14].astype(int)
    assert len(np.unique(middle[:, 0])) == 64  # whole factor: no pixel between two values
    from PIL import Image as Pillow

    assert np.array_equal(np.asarray(Pillow.open(path)), picture)


def test_preview_of_a_volume_keeps_proportions():
    volume = np.random.default_rng(0).random((16, 32, 32))
    three = plot.preview(volume, spacing=(4.0, 1.0, 1.0))
    assert three.shape[1] > 3 * 512
    assert plot.preview(volume, planes=False).shape[1] < 600
    assert plot.preview(volume[:2]).shape[1] < 600  # too thin for three planes


def test_preview_takes_complex_integer_and_nan():
    plot.preview(RAMP * 1j)
    plot.preview(RAMP.astype(np.int16))
    picture = plot.preview(np.where(RAMP > 32, np.nan, RAMP + 10))
    assert np.all(picture[picture.shape[0] // 2, -40] == 0)
    plot.preview(np.full((8, 8), np.nan))
    plot.preview(np.zeros((8, 8)))


def test_preview_rejects():
    with pytest.raises(ShapeError, match="expected .y, x."):
        plot.preview(np.zeros(5))
    with pytest.raises(DataError, match="index is 9"):
        plot.preview(np.zeros((3, 8, 8)), index=9)


def test_radiological_view():
    """Patient's right on the left, front at the top, whatever the order of the axes in the file."""
    nib = pytest.importorskip("nibabel")
    ras = np.zeros((20, 20, 20))  # (i, j, k) = (right, front, up)
    ras[17, 3, 9:11] = 1.0  # right and back
    codes = np.array([[0, 1], [1, 1], [2, 1]])
    for target in ("RAS", "LPS", "SAR", "PIR"):
        turn = nib.orientations.ornt_transform(codes, nib.orientations.axcodes2ornt(target))
        data = nib.orientations.apply_orientation(ras, turn)
        affine = np.eye(4) @ nib.orientations.inv_ornt_aff(turn, ras.shape)
        shown = plot.middle_slice(Image(data.T, (1, 1, 1), affine))
        row, column = np.unravel_index(np.argmax(shown), shown.shape)
        assert row > 10 and column < 10, target


def test_overlay_zooms_on_the_map():
    image = np.random.default_rng(0).random((4, 64, 64))
    values = np.full(image.shape, np.nan)
    values[2, 20:30, 40:52] = np.arange(12)
    picture = plot.overlay(image, values, label="contrast")
    assert picture.shape[1] > 2 * 512
    coloured = np.ptp(picture.astype(int), axis=2) > 60
    assert coloured[:, 560:].mean() > 0.1 and not coloured[:, :500].any()
    assert plot.overlay(image, values, zoom=False).shape[1] < 700
    with pytest.raises(ShapeError, match="map has shape"):
        plot.overlay(image, values[:2])
    plot.overlay(image, values > 3)
    plot.overlay(image, np.full(image.shape, np.nan))


def test_heat_is_even_in_lightness():
    from skimage.color import rgb2lab

    lightness = rgb2lab(colour_table("heat")[None] / 255.0)[0, :, 0]
    assert np.all(np.diff(lightness) > -0.2)
    straight = np.linspace(lightness[0], lightness[-1], 256)
    assert np.max(np.abs(lightness - straight)) < 4


def test_colour_map_names():
    pytest.importorskip("matplotlib")
    assert colour_table("viridis").shape == (256, 3)
    with pytest.raises(DataError, match="did you mean 'viridis'"):
        colour_table("viridiss")


def test_panels_in_rows_with_bar_and_note():
    panel = plot.Panel(RAMP, "title", "RMSE 0.1", bar="1/mm")
    one = plot.panels([panel])
    four = plot.panels([panel] * 4, columns=2)
    assert four.shape[0] > 1.9 * one.shape[0] and four.shape[1] > 1.9 * one.shape[1]
    assert plot.panels([[panel] * 2, [panel]]).shape == plot.panels([panel] * 3, columns=2).shape
    with pytest.raises(DataError, match="no panel"):
        plot.panels([])
    with pytest.raises(ShapeError, match="a panel"):
        plot.panels([plot.Panel(np.zeros(4))])


def test_heat_sheet_shows_every_map_on_a_scale_of_its_own(tmp_path):
    image = np.add.outer(np.arange(6.0), np.add.outer(np.arange(60.0), np.arange(60.0)))
    inside = np.zeros(image.shape, bool)
    inside[3, 20:30, 30:45] = inside[2, 22:25, 30:33] = True
    maps = {name: np.where(inside, scale * image, np.nan) for name, scale in (("A", 1), ("B", 9))}
    picture = plot.heat_sheet(image, maps, tmp_path / "sheet.png", spacing=(3.0, 1.0, 1.0))
    assert picture.ndim == 3
    assert (tmp_path / "sheet.png").exists()
    wider = plot.heat_sheet(image, {"A": maps["A"]}, index=2, title="case", alpha=1.0)
    assert wider.shape[0] < picture.shape[0]  # one row of panels less
    assert plot.heat_sheet(image[3], {"A": maps["A"][3]}).ndim == 3
    assert plot.heat_sheet(image, {"A": image}).ndim == 3  # fills the slice
    with pytest.raises(ShapeError, match="'A' has shape"):
        plot.heat_sheet(image, {"A": maps["A"][:2]})
    with pytest.raises(DataError, match="maps is empty"):
        plot.heat_sheet(image, {})
