// The rays of a 3D scan and their Joseph weights, for CPU and GPU alike.
//
// A view is 18 numbers in index coordinates (x = column, y = row, z = slice of the volume): the ray
// of detector pixel (row r, column c) passes the point  O + b U + w V  in direction
// a P + b Q + w R  with (a, b) = columns[c] and w = first_row + r * row_pitch. Parallel rays have
// Q = R = 0 and a = 1, divergent ones U = V = 0; a, b are (1, distance) on a flat detector and
// (cos, sin) on a curved one.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

struct View3D {
    double origin[3], origin_u[3], origin_v[3], ray[3], ray_u[3], ray_v[3];
};
constexpr i64 view3d_numbers = 18;

PYRAD_HD View3D load_view3d(const double *n) {
    View3D view;
    for (int d = 0; d < 3; ++d) {
        view.origin[d] = n[d];
        view.origin_u[d] = n[3 + d];
        view.origin_v[d] = n[6 + d];
        view.ray[d] = n[9 + d];
        view.ray_u[d] = n[12 + d];
        view.ray_v[d] = n[15 + d];
    }
    return view;
}

// What all views share: rows of the detector and the size of a voxel in mm (x, y, z).
struct Scan3D {
    double first_row, row_pitch, pitch[3];
    bool divergent; // rays begin at O
};

// The two axes that a ray of the given dominant axis (0 x, 1 y, 2 z) is interpolated along; the
// second one is the faster in the copies of the volume that the kernels read.
PYRAD_HD int crossed_a(int axis) { return axis == 1 ? 0 : 1; }
PYRAD_HD int crossed_b(int axis) { return axis == 2 ? 0 : 2; }

PYRAD_HD double point_at(const View3D &view, int d, double b, double w) {
    return (view.origin[d] + b * view.origin_u[d]) + w * view.origin_v[d];
}
PYRAD_HD double direction_at(const View3D &view, int d, double a, double b, double w) {
    return (a * view.ray[d] + b * view.ray_u[d]) + w * view.ray_v[d];
}
PYRAD_HD double size_of(double x) { return x < 0 ? -x : x; }

// Dominant axis of a direction in index coordinates.
PYRAD_HD int dominant_axis(double dx, double dy, double dz) {
    const int flat = size_of(dy) >= size_of(dx) ? 1 : 0;
    return size_of(dz) > (flat ? size_of(dy) : size_of(dx)) ? 2 : flat;
}

// One ray along its dominant axis: at plane k it crosses at (a + k * a_slope, b + k * b_slope) of
// the crossed axes. `weight` is the length in mm between two planes. Planes strictly between
// `from` and `to` lie before the source.
struct Ray3D {
    int axis;
    double a, a_slope, b, b_slope, weight, from, to;
};

constexpr double beyond = 1e18; // a plane that no volume has

// As if `axis` were the dominant one; `o` and `d` are the ray's point and direction.
PYRAD_HD Ray3D ray3d_along(int axis, const double *o, const double *d, const Scan3D &scan) {
    const double x = d[0] * scan.pitch[0], y = d[1] * scan.pitch[1], z = d[2] * scan.pitch[2];
    const int p = crossed_a(axis), q = crossed_b(axis);
    const double along = d[axis], from = o[axis], inverse = 1 / along;
    Ray3D ray;
    ray.axis = axis;
    ray.a_slope = d[p] * inverse;
    ray.a = o[p] - from * ray.a_slope;
    ray.b_slope = d[q] * inverse;
    ray.b = o[q] - from * ray.b_slope;
    ray.weight = sqrt(x * x + y * y + z * z) * size_of(inverse);
    ray.from = scan.divergent && along > 0 ? from : -beyond;
    ray.to = scan.divergent && along < 0 ? from : beyond;
    return ray;
}

PYRAD_HD Ray3D ray3d(const View3D &view, const Scan3D &scan, double a, double b, double w) {
    double o[3], d[3];
    for (int i = 0; i < 3; ++i) {
        o[i] = point_at(view, i, b, w);
        d[i] = direction_at(view, i, a, b, w);
    }
    return ray3d_along(dominant_axis(d[0], d[1], d[2]), o, d, scan);
}

// The planes k in [0, count) with from < k < to.
struct PlaneRange {
    i64 begin, end;
};
PYRAD_HD PlaneRange in_front(double from, double to, i64 count) {
    const double n = static_cast<double>(count);
    return {static_cast<i64>(floor(clamp(from, -1.0, n - 1))) + 1,
            static_cast<i64>(ceil(clamp(to, 0.0, n)))};
}

// Those of a range where position + k * slope may lie within (0, length + 1).
PYRAD_HD PlaneRange planes_met(double position, double slope, double length, PlaneRange range) {
    const double begin = static_cast<double>(range.begin), end = static_cast<double>(range.end);
    if (slope == 0)
        return position > 0 && position < length + 1 ? range : PlaneRange{0, 0};
    const double at0 = -position / slope, at1 = (length + 1 - position) / slope;
    const double low = min_of(at0, at1) - 1e-3, high = max_of(at0, at1) + 1e-3;
    return {static_cast<i64>(ceil(clamp(low, begin, end))),
            static_cast<i64>(floor(clamp(high, begin - 1, end - 1))) + 1};
}

// Rays of a view whose rows lie along z cross the xy plane on one line per column, whatever the
// row; such views take the fast path.
PYRAD_HD bool rows_along_z(const View3D &view) {
    return view.origin_v[0] == 0 && view.origin_v[1] == 0 && view.ray_v[0] == 0 &&
           view.ray_v[1] == 0;
}

// The rays of one detector column of such a view, x or y being their dominant axis: they cross
// plane k on the line at start + k * slope, row r of them at the sample
// (base + k * base_slope) + r * (step + k * step_slope). Positions count from 1 at the first.
struct Path3D {
    int axis;
    double start, slope, base, base_slope, step, step_slope, from, to;
};

PYRAD_HD Path3D path3d(const View3D &view, const Scan3D &scan, double a, double b) {
    const double dx = direction_at(view, 0, a, b, 0), dy = direction_at(view, 1, a, b, 0);
    Path3D path;
    path.axis = dominant_axis(dx, dy, 0);
    const double along = path.axis ? dy : dx, from = point_at(view, path.axis, b, 0);
    path.slope = (path.axis ? dx : dy) / along;
    path.start = point_at(view, 1 - path.axis, b, 0) - from * path.slope + 1;
    path.base_slope = direction_at(view, 2, a, b, scan.first_row) / along;
    path.base = point_at(view, 2, b, scan.first_row) - from * path.base_slope + 1;
    path.step_slope = scan.row_pitch * view.ray_v[2] / along;
    path.step = scan.row_pitch * view.origin_v[2] - from * path.step_slope;
    path.from = scan.divergent && along > 0 ? from : -beyond;
    path.to = scan.divergent && along < 0 ? from : beyond;
    return path;
}

} // namespace pyrad
