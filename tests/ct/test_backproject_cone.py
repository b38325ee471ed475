"""Cone-beam kernels against direct sums in double precision; what they refuse."""

import numpy as np
import pytest
from cone_scans import GRID, circles
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.ct import _fdk_stage
from pyrad_core.errors import ShapeError


def direct_sum(filtered, geometry, volume):
    """Backprojection in double precision, straight from the geometry's own formulas."""
    z, y, x = np.meshgrid(*volume.axes(), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=-1)
    seen, image = geometry.locate(points), np.zeros(volume.size)
    frames = geometry.frames()
    for v in range(geometry.views):
        column = (seen[v, :, 0] - geometry.column_positions()[0]) / geometry.pixel[1]
        row = (seen[v, :, 1] - geometry.row_positions()[0]) / geometry.pixel[0]
        rays = points - frames.source[v]
        along = rays @ frames.direction[v]
        if geometry.curved:
            along = np.hypot(along, rays @ frames.u[v] / geometry.pixel[1])
        padded = np.pad(filtered[v], 1)  # (rows + 2, columns + 2)
        c = np.clip(column + 1, 0, geometry.columns + 1 - 1e-12)
        r = np.clip(row + 1, 0, geometry.rows + 1 - 1e-12)
        i, j = c.astype(int), r.astype(int)
        fc, fr = c - i, r - j
        top = padded[j, i] * (1 - fc) + padded[j, i + 1] * fc
        down = padded[j + 1, i] * (1 - fc) + padded[j + 1, i + 1] * fc
        image += (geometry.source_origin / along) ** 2 * (top * (1 - fr) + down * fr)
    return image.reshape(volume.shape)


def transposed(values, dtype):
    """Filtered projections (V, R, C) in the kernels' layout."""
    views, rows, columns = values.shape
    pad = _fdk_stage.ROW_PAD
    out = np.zeros((views, columns + 2, -(-rows // 16) * 16 + 2 * pad), dtype)
    out[:, 1:-1, pad : pad + rows] = values.swapaxes(1, 2)
    return out


def turn_arguments(geometry, volume, kind):
    from pyrad_core.ct._fdk_turn import turning_views

    near, far = geometry.source_origin, geometry.source_detector
    pixel_v, pixel_u = geometry.pixel
    table = turning_views(geometry.angles, volume, near, 0.0)
    column = (-geometry.column_positions()[0] / pixel_u, far / pixel_u)
    row = (-geometry.row_positions()[0] / pixel_v, far / pixel_v)
    return geometry.rows, table, kind, column, row, near, 0.0, volume.spacing[0]


@pytest.mark.sanitize
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_backprojection_direct_sum(data):
    """Any instruction set, voxel height and place: permuted, gathered and plain loops agree."""
    draw = data.draw
    shape = tuple(draw(st.integers(1, n)) for n in (70, 21, 37))
    step_z = draw(st.sampled_from([0.4, 0.9, 1.7, 2.3, 5.0]))
    spacing = (step_z, draw(st.floats(0.5, 2)), draw(st.floats(0.5, 2)))
    origin = tuple(draw(st.floats(-40, 20)) for _ in range(3))
    volume = prc.Volume(shape, spacing, origin)
    curved = draw(st.booleans())
    detector = draw(st.integers(1, 40)), draw(st.integers(1, 50))
    offset = draw(st.floats(-9, 9)), draw(st.floats(-9, 9))
    angles = np.random.default_rng(draw(st.integers(0, 99))).uniform(-4, 4, 5)
    geometry = prc.ConeBeam(angles, detector, (1.1, 1.3), 250.0, 400.0, curved, offset)
    filtered = np.random.default_rng(1).standard_normal(geometry.projection_shape)
    expected = direct_sum(filtered, geometry, volume)
    scale = max(np.abs(expected).max(), 1.0)
    kernels = cpu_kernels()
    arguments = turn_arguments(geometry, volume, int(curved))
    former = kernels.limit_vector_width(16)
    try:
        for width, dtype, tolerance in (
            (16, np.float32, 3e-4),
            (8, np.float32, 3e-4),
            (0, np.float32, 3e-4),
            (16, np.float64, 1e-10),
        ):
            kernels.limit_vector_width(width)
            image = np.full(shape, 3.0, dtype)
            kernels.backproject_cone(transposed(filtered, dtype), *arguments, True, image)
            assert np.abs(image - 3.0 - expected).max() < tolerance * scale, width
    finally:
        kernels.limit_vector_width(former)


def test_kernels_refuse_what_would_read_out_of_bounds():
    kernels, out = cpu_kernels(), np.zeros((2, 3, 4), np.float32)
    scan = circles()["turn"].subset(slice(0, 4))
    arguments = turn_arguments(scan, GRID, 0)
    narrow = np.zeros((4, 114, 60 + 63), np.float32)
    with pytest.raises(ShapeError, match="at least 60"):
        kernels.backproject_cone(narrow, *arguments, False, out)
    with pytest.raises(ShapeError, match=r"views has shape \(4, 7, \)"):
        kernels.backproject_cone(np.zeros((5, 114, 128), np.float32), *arguments, False, out)
    x = np.zeros((4, 2, 5), np.float32)
    for view, column in ((3.5, 1.0), (1.0, -0.1), (np.nan, 1.0)):
        with pytest.raises(ShapeError, match="expected 0 to"):
            kernels.rebin_rows(x, np.full((1, 1), view), np.full(1, column), x[:1, :, :1].copy())
