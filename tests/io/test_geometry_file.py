"""The geometry file: its documented examples, poses per view, and write_geometry."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrad_core import io
from pyrad_core.errors import DataError, FileFormatError, GeometryError
from pyrad_core.geometry import ConeBeam, FanBeam, ParallelBeam

VIEWS, ROWS, COLUMNS = 8, 4, 12
DATA = np.zeros((VIEWS, ROWS, COLUMNS), np.float32)
TURN = np.arange(VIEWS) * 2 * np.pi / VIEWS
HELIX = ConeBeam(3 * TURN, (ROWS, COLUMNS), (1.5, 1.25), 600, 1000, True, (0.1, 0.3), 7.5)


def poses(beam):
    frames = beam.frames()
    first = frames.direction if frames.source is None else frames.source
    return np.stack([first, frames.centre, frames.u, frames.v], axis=1)


def read(folder, data=DATA):
    np.save(folder / "scan.npy", data)
    return io.read_projections(folder / "scan.npy")


BEAMS = {
    "parallel": ParallelBeam(TURN / 2, COLUMNS, 0.5, offset=-0.25),
    "parallel rows": ParallelBeam(np.sqrt(1 + TURN), (ROWS, COLUMNS), (0.5, 0.25)),
    "fan flat": FanBeam(TURN, COLUMNS, 0.2, 410.66, 553.74),
    "fan curved": FanBeam(TURN[::-1], COLUMNS, 1.2, 595, 1085.6, curved=True, offset=0.3),
    "cone": ConeBeam(TURN, (ROWS, COLUMNS), 0.388, 1000, 1500, offset=(0, 115)),
    "helix": HELIX,
    "tilted": ParallelBeam(TURN, (ROWS, COLUMNS), 0.5).perturbed(tilt=(0.1, 0.05)),
    "vectors": ConeBeam.from_vectors(
        *np.moveaxis(poses(HELIX), 1, 0), detector=(ROWS, COLUMNS)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BEAMS)
def test_write_geometry_round_trip(tmp_path, name):
    beam = BEAMS[name]
    path = io.write_geometry(tmp_path / "scan.yaml", beam)
    found = read(tmp_path, np.zeros(beam.projection_shape, np.float32))
    assert type(found.geometry) is type(beam) and found.header["quantity"] == "line integrals"
    if getattr(beam, "vectors", None) is None:
        assert found.geometry == beam
    else:
        assert np.allclose(found.geometry.vectors, beam.vectors, rtol=1e-14, atol=1e-12)
        assert np.allclose(found.geometry.pixel, beam.pixel, rtol=1e-14)
    assert path.read_text().startswith("# lengths in mm")


@settings(max_examples=20, deadline=None)
@given(start=st.floats(-7, 7), step=st.floats(1e-4, 1), views=st.integers(1, 40))
def test_angles_are_kept_to_the_last_bit(tmp_path_factory, start, step, views):
    folder = tmp_path_factory.mktemp("angles")
    beam = ConeBeam(start + step * np.arange(views), (2, 3), 1.0, 600, 1000, pitch=1e-3)
    io.write_geometry(folder / "scan.yaml", beam)
    found = read(folder, np.zeros(beam.projection_shape, np.float32)).geometry
    assert np.array_equal(found.angles, beam.angles)


def test_even_angles_are_written_as_start_and_step(tmp_path):
    path = io.write_geometry(tmp_path / "scan.yaml", ParallelBeam(np.arange(720) * 2**-8, 8))
    assert "step: 0.00390625" in path.read_text() and len(path.read_text()) < 300


def test_write_geometry_refuses(tmp_path):
    with pytest.raises(DataError, match="expected a beam"):
        io.write_geometry(tmp_path / "a.yaml", TURN)
    with pytest.raises(FileFormatError, match="accepted are .yaml"):
        io.write_geometry(tmp_path / "a.json", HELIX)
    with pytest.raises(DataError, match="quantity is 'lines'"):
        io.write_geometry(tmp_path / "a.yaml", HELIX, quantity="lines")
    assert not list(tmp_path.iterdir())


def test_examples_of_the_documentation():
    """Every YAML block of docs/geometry_file.md is a geometry, and the one that it says."""
    from pyrad_core.io import geometry_file

    text = (Path(__file__).parents[2] / "docs" / "geometry_file.md").read_text()
    blocks = [yaml.safe_load(b) for b in re.findall(r"```yaml\n(.*?)```", text, re.S)]
    assert len(blocks) == 6
    shapes = [(8, 4, 12), (8, 12), (8, 12), (8, 4, 12), (8, 64, 736)]
    made = [geometry_file.build(b, s) for b, s in zip(blocks, shapes, strict=False)]
    kinds = [ParallelBeam, FanBeam, FanBeam, ConeBeam, ConeBeam]
    assert [type(b) for b in made] == kinds
    assert made[0].offset[-1] == 0.12
    assert made[1].angles[1] == pytest.approx(np.deg2rad(27.5)) and made[2].curved
    assert made[3].offset == (0, 115) and made[4].pitch == 23 and made[4].curved
    assert set(blocks[5]) == {"type", "vectors"}


def test_vectors_inline_and_from_a_file(tmp_path):
    beam, table = BEAMS["vectors"], poses(HELIX)
    inline = {"type": "cone", "vectors": table.tolist()}
    (tmp_path / "scan.yaml").write_text(yaml.safe_dump(inline))
    assert read(tmp_path).geometry == beam and read(tmp_path).header["pixel_known"]
    np.save(tmp_path / "poses.npy", table)
    (tmp_path / "scan.yaml").write_text("type: cone\nvectors: poses.npy\n")
    assert read(tmp_path).geometry == beam
    (tmp_path / "scan.yaml").write_text("type: cone\nvectors: poses.npy\npixel: [3.0, 2.5]\n")
    assert read(tmp_path).geometry.pixel == (3.0, 2.5)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("type: cone\nvectors: ../poses.npy\n", "beside the sidecar"),
        ("type: cone\nvectors: absent.npy\n", "no such file"),
        ("type: fan\nvectors: poses.npy\n", "a fan beam takes no vectors"),
        ("type: cone\nvectors: poses.npy\nangles: [1]\n", "vectors stand instead of angles"),
        ("type: cone\nvectors: [[1, 2], [3]]\n", "no table of numbers"),
        ("type: cone\nvectors: [[1, 2, 3]]\n", r"shape \(1, 3\); expected \(8, 4, 3\)"),
        ("angles: {stop: 180}\ndetector: [4, 13]\n", r"detector \(4, 13\), but the data have"),
        ("angles: {stop: 180}\npixel: [1, two]\n", "pixel is 'two'"),
    ],
)
def test_bad_entries(tmp_path, text, match):
    np.save(tmp_path / "poses.npy", poses(HELIX))
    (tmp_path / "scan.yaml").write_text(text)
    with pytest.raises((DataError, FileFormatError), match=match):
        read(tmp_path)


def test_bad_vectors(tmp_path):
    table = poses(HELIX)
    table[3, 2] = table[3, 3]
    np.save(tmp_path / "poses.npy", table)
    (tmp_path / "scan.yaml").write_text("type: cone\nvectors: poses.npy\n")
    with pytest.raises(GeometryError, match="scan.yaml: u and v are not perpendicular at view 3"):
        read(tmp_path)


def test_one_row_of_a_cone_scanner_is_a_fan(tmp_path):
    (tmp_path / "scan.yaml").write_text(
        "type: fan\nangles: {stop: 360}\npixel: [2, 1]\noffset: [0, 3]\n"
        "source_origin: 500\nsource_detector: 900\n"
    )
    beam = read(tmp_path).geometry
    assert isinstance(beam, FanBeam) and beam.pixel == (1,) and beam.offset == (3,)


def test_npz_helix(tmp_path):
    np.savez(
        tmp_path / "a.npz", projections=DATA, angles_rad=TURN, pixel_mm=[1.5, 1.25], sod_mm=600.0,
        sdd_mm=1000.0, pitch_mm=7.5, curved=True, offset_mm=[0.1, 0.3],
    )  # fmt: skip
    assert io.read_projections(tmp_path / "a.npz").geometry == HELIX.replace(angles=TURN)
