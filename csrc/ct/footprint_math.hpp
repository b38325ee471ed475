// Shadow of a voxel on the detector, for CPU and GPU alike: the separable footprint of Long,
// Fessler and Balter (IEEE Trans. Med. Imaging 29, 1839, 2010, doi 10.1109/TMI.2010.2050898) with a
// trapezoid across (SF-TR) and the amplitudes A2: chord at the voxel's centre within the plane,
// 1 / cos(elevation) at the detector cell.
//
// A view of the plane is 10 numbers in index coordinates (x = column, y = row of the image). The
// point (x, y) appears at the detector column
//
//     centre + across . (x, y, 1) / along . (x, y, 1)             flat detector, parallel rays
//     centre + arc * atan2(across . (x, y, 1), along . (x, y, 1)) curved detector
//
// where cell k of the detector spans [k - 1/2, k + 1/2]. Its ray points along
// divergent * (x, y) - (source_x, source_y); parallel rays have divergent = 0 and a source opposite
// to their direction.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

struct FootprintView {
    double across[3], along[3];
    double centre, source_x, source_y, divergent;
};
constexpr int footprint_view_size = 10;
constexpr double footprint_nowhere = 1e9; // column of a point that is not in front of the source

PYRAD_HD FootprintView footprint_view(const double *n) {
    return {{n[0], n[1], n[2]}, {n[3], n[4], n[5]}, n[6], n[7], n[8], n[9]};
}

// atan2(a, b) for b > 0, branch-free: turned back by the nearest multiple of pi / 8 and then the
// power series, whose first term left out is below 1e-17.
PYRAD_HD double footprint_angle(double a, double b) {
    const double size = a < 0 ? -a : a;
    double cos_back = 1, sin_back = 0, back = 0;
    const double tangent[4] = {0.19891236737965800, 0.66817863791929891, 1.4966057626654890,
                               5.0273394921258481}; // of odd multiples of pi / 16
    const double cosine[4] = {0.92387953251128674, 0.70710678118654752, 0.38268343236508977, 0};
    const double sine[4] = {0.38268343236508977, 0.70710678118654752, 0.92387953251128674, 1};
    for (int k = 0; k < 4; ++k) {
        const bool beyond = size > tangent[k] * b;
        cos_back = beyond ? cosine[k] : cos_back;
        sin_back = beyond ? sine[k] : sin_back;
        back = beyond ? 0.39269908169872415 * (k + 1) : back;
    }
    const double t = (size * cos_back - b * sin_back) / (b * cos_back + size * sin_back);
    const double s = t * t;
    double series = -1.0 / 23;
    for (int n = 21; n > 0; n -= 2)
        series = (n % 4 == 1 ? 1.0 : -1.0) / n + s * series;
    const double angle = back + t * series;
    return a < 0 ? -angle : angle;
}

PYRAD_HD double footprint_column(const FootprintView &view, double arc, double x, double y) {
    const double a = view.across[0] * x + view.across[1] * y + view.across[2];
    const double b = view.along[0] * x + view.along[1] * y + view.along[2];
    const double at = view.centre + (arc > 0 ? arc * footprint_angle(a, b) : a / b);
    return b > 0 ? at : footprint_nowhere;
}

// Length in mm of the ray through the centre of the pixel (x, y) within that pixel.
PYRAD_HD double footprint_chord(const FootprintView &view, double pitch_x, double pitch_y, double x,
                                double y) {
    const double rx = view.divergent * x - view.source_x, ry = view.divergent * y - view.source_y;
    const double size_x = rx < 0 ? -rx : rx, size_y = ry < 0 ? -ry : ry;
    const double mx = rx * pitch_x, my = ry * pitch_y;
    return sqrt(mx * mx + my * my) / max_of(size_x, size_y);
}

// Trapezoid of height 1 over t0 <= t1 <= t2 <= t3.
template <class T> struct Trapezoid {
    T t0, t1, t2, t3;
};

template <class T> PYRAD_HD Trapezoid<T> footprint_trapezoid(T a, T b, T c, T d) {
    const T ab = min_of(a, b), ba = max_of(a, b), cd = min_of(c, d), dc = max_of(c, d);
    const T p = max_of(ab, cd), q = min_of(ba, dc);
    return {min_of(ab, cd), min_of(p, q), max_of(p, q), max_of(ba, dc)};
}

// Area of a trapezoid to the left of s: of a rectangle up to c, with the ramp that s has entered (r
// is how far) made up for. Nothing cancels, however steep the ramps.
template <class T> struct TrapezoidArea {
    T t0, t1, t2, t3, start, up, down;

    PYRAD_HD explicit TrapezoidArea(const Trapezoid<T> &t)
        : t0(t.t0), t1(t.t1), t2(t.t2), t3(t.t3), start(T(0.5) * (t.t1 - t.t0) - t.t1),
          up(T(0.5) / max_of(t.t1 - t.t0, T(1e-30))), down(T(0.5) / max_of(t.t3 - t.t2, T(1e-30))) {
    }
    PYRAD_HD T operator()(T s) const {
        const T c = clamp(s, t1, t2), r = clamp(s, t0, t3) - c;
        return (c + start) + r * (T(1) - (r < T(0) ? -r * up : r * down));
    }
};

// One pixel's footprint, counted from the left edge of the detector column `first`; chord in mm.
template <class T> struct Shadow {
    i64 first, last; // columns touched; first > last: none
    Trapezoid<T> at;
    T chord;
};

// The centre is placed in double precision, the corners by their distance from it, which is exact
// algebra and loses nothing in T: (A + dA) / (B + dB) - A / B = (dA - A / B dB) / (B + dB), and the
// same for the angle between the two rays.
template <class T>
PYRAD_HD Shadow<T> footprint_shadow(const FootprintView &view, double arc, double pitch_x,
                                    double pitch_y, i64 columns, i64 x, i64 y) {
    const double px = static_cast<double>(x), py = static_cast<double>(y);
    const double a = view.across[0] * px + view.across[1] * py + view.across[2];
    const double b = view.along[0] * px + view.along[1] * py + view.along[2];
    const double slope = a / b, scale = 1 / b;
    const double centre = view.centre + (arc > 0 ? arc * footprint_angle(a, b) : slope);
    // half steps relative to the depth
    const T ax = static_cast<T>(0.5 * scale * view.across[0]);
    const T ay = static_cast<T>(0.5 * scale * view.across[1]);
    const T bx = static_cast<T>(0.5 * scale * view.along[0]);
    const T by = static_cast<T>(0.5 * scale * view.along[1]);
    const T tangent = static_cast<T>(slope);
    T corner[4];
    bool behind = !(b > 0);
    for (int k = 0; k < 4; ++k) {
        const T sx = k & 1 ? T(1) : T(-1), sy = k & 2 ? T(1) : T(-1);
        const T da = sx * ax + sy * ay, db = sx * bx + sy * by, turn = da - tangent * db;
        behind = behind || !(T(1) + db > T(0));
        if (arc > 0)
            corner[k] = static_cast<T>(arc) *
                        static_cast<T>(atan(turn / (T(1) + db + tangent * (tangent + da))));
        else
            corner[k] = turn / (T(1) + db);
    }
    Shadow<T> shadow{0, -1, footprint_trapezoid(corner[0], corner[1], corner[2], corner[3]), T(0)};
    if (behind)
        return shadow;
    const double begin = centre + static_cast<double>(shadow.at.t0) + 0.5;
    const double end = centre + static_cast<double>(shadow.at.t3) + 0.5;
    if (!(end >= 0 && begin < static_cast<double>(columns)))
        return shadow;
    shadow.first = static_cast<i64>(begin < 0 ? 0.0 : begin);
    shadow.last = end < static_cast<double>(columns) ? static_cast<i64>(end) : columns - 1;
    const T shift = static_cast<T>(centre + 0.5 - static_cast<double>(shadow.first));
    shadow.at = {shadow.at.t0 + shift, shadow.at.t1 + shift, shadow.at.t2 + shift,
                 shadow.at.t3 + shift};
    shadow.chord = static_cast<T>(footprint_chord(view, pitch_x, pitch_y, px, py));
    return shadow;
}

// The ray through the column coordinate u, as p x + q y + r = 0 in index coordinates.
struct FootprintRay {
    double p, q, r;
};

PYRAD_HD FootprintRay footprint_ray(const FootprintView &view, double arc, double u) {
    double c = 1, s = u - view.centre;
    if (arc > 0) {
        c = cos(s / arc);
        s = sin(s / arc);
    }
    return {c * view.across[0] - s * view.along[0], c * view.across[1] - s * view.along[1],
            c * view.across[2] - s * view.along[2]};
}

// Pixels of line k that can touch the strip between two rays: begin <= i < end. `steep` lines are
// rows (k = y, i = x), others columns.
struct FootprintSpan {
    i64 begin, end;
};

PYRAD_HD FootprintSpan footprint_span(const FootprintRay &one, const FootprintRay &other,
                                      bool steep, i64 line, i64 count) {
    const double p = steep ? one.p : one.q, p2 = steep ? other.p : other.q;
    if (!(p * p2 > 0))
        return {0, count}; // the strip is wider than a right angle
    const double q = steep ? one.q : one.p, q2 = steep ? other.q : other.p;
    const double low = static_cast<double>(line) - 0.5, high = low + 1;
    const double a = -(q * low + one.r) / p, b = -(q * high + one.r) / p;
    const double c = -(q2 * low + other.r) / p2, d = -(q2 * high + other.r) / p2;
    const double slack = 0.5 + 1e-3, n = static_cast<double>(count);
    const double from = min_of(min_of(a, b), min_of(c, d)) - slack;
    const double to = max_of(max_of(a, b), max_of(c, d)) + slack;
    return {static_cast<i64>(clamp(ceil(from), 0.0, n)),
            static_cast<i64>(clamp(floor(to) + 1, 0.0, n))};
}

} // namespace pyrad
