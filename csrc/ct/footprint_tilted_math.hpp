// Footprints on detectors in any pose, for CPU and GPU alike.
//
// Where rows do not run along z the shadow of a voxel is no product of a trapezoid across and a
// rectangle along z. It is replaced by a product of two trapezoids (as SF-TT of Long, Fessler and
// Balter, doi 10.1109/TMI.2010.2050898), one per detector axis, made from the three edges of the
// voxel projected at its centre: an edge of width p and two of widths q, r project to the
// convolution of three boxes, whose two smaller ones are taken as one of width sqrt(q^2 + r^2). So
// every cell sum, both centres and both variances are right; amplitudes follow from the sum, which
// is the voxel's volume times the detector cells per area across the ray:
//
//     volume * depth of the detector^2 * distance / depth^3 / cell area.
//
// A view is 20 numbers in index coordinates p = (x, y, z, 1): column = u.p / w.p and row = v.p /
// w.p (0 is the centre of the first; w.p is the depth in mm, 1 for parallel rays), the pitch of the
// volume and the source in mm counted from the first voxel, 1 for divergent rays, and the factor in
// front of distance / depth^3.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

struct TiltedView {
    double u[4], v[4], w[4], pitch[3], source[3], divergent, mass;
};
constexpr int tilted_view_size = 20;

PYRAD_HD TiltedView tilted_view(const double *n) {
    return {{n[0], n[1], n[2], n[3]},
            {n[4], n[5], n[6], n[7]},
            {n[8], n[9], n[10], n[11]},
            {n[12], n[13], n[14]},
            {n[15], n[16], n[17]},
            n[18],
            n[19]};
}

PYRAD_HD double tilted_dot(const double *form, double x, double y, double z) {
    return form[0] * x + form[1] * y + form[2] * z + form[3];
}

// Symmetric trapezoid of area 1 about 0.
template <class T> struct TiltedProfile {
    T plateau, end, up, scale; // half widths
};

// From the widths of the three projected edges.
template <class T> PYRAD_HD TiltedProfile<T> tilted_profile(T a, T b, T c) {
    a = a < T(0) ? -a : a;
    b = b < T(0) ? -b : b;
    c = c < T(0) ? -c : c;
    const T p = max_of(max_of(a, b), c), least = min_of(min_of(a, b), c);
    const T middle = max_of(min_of(a, b), min_of(max_of(a, b), c));
    const T q = sqrt(middle * middle + least * least);
    const T wide = max_of(p, q), rise = min_of(p, q);
    return {T(0.5) * (wide - rise), T(0.5) * (wide + rise), T(0.5) / max_of(rise, T(1e-30)),
            T(1) / max_of(wide, T(1e-30))};
}

// Its area between 0 and z.
template <class T> PYRAD_HD T tilted_area(const TiltedProfile<T> &t, T z) {
    const T c = clamp(z, -t.plateau, t.plateau), r = clamp(z, -t.end, t.end) - c;
    return t.scale * (c + r * (T(1) - (r < T(0) ? -r : r) * t.up));
}

// Where a voxel appears, how wide, and what its cells add up to (0 behind the source).
template <class T> struct TiltedShadow {
    double column, row;
    T column_width[3], row_width[3], mass;
};

template <class T>
PYRAD_HD TiltedShadow<T> tilted_shadow(const TiltedView &view, double x, double y, double z) {
    const double depth = tilted_dot(view.w, x, y, z), scale = 1 / depth;
    const double column = tilted_dot(view.u, x, y, z) * scale;
    const double row = tilted_dot(view.v, x, y, z) * scale;
    const double rx = view.pitch[0] * x - view.source[0], ry = view.pitch[1] * y - view.source[1];
    const double rz = view.pitch[2] * z - view.source[2];
    const double distance = sqrt(rx * rx + ry * ry + rz * rz);
    const double spread =
        view.divergent * (distance * scale * scale * scale) + (1 - view.divergent);
    const auto along_u = [&](int d) {
        return static_cast<T>((view.u[d] - column * view.w[d]) * scale);
    };
    const auto along_v = [&](int d) {
        return static_cast<T>((view.v[d] - row * view.w[d]) * scale);
    };
    return {column,
            row,
            {along_u(0), along_u(1), along_u(2)},
            {along_v(0), along_v(1), along_v(2)},
            static_cast<T>(view.mass * (depth > 0 ? spread : 0.0))};
}

} // namespace pyrad
