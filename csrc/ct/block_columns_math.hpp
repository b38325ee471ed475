// Detector columns of the pixels of one small block of the image, for the CUDA kernels.
//
// Over a block, the column relative to a whole number `base` is a quotient of two functions that
// are linear in the pixel (i, j) counted from the block's corner:
//
//     flat, parallel:  column - base = z,                  z = (n_0 + n_i i + n_j j) / D
//     curved:          column - base = shift + magnify * atan(z)
//
// with D = d_0 + d_i i + d_j j close to one. The coefficients are made in double precision, one
// view and block at a time; what is left per pixel are short numbers, which float holds well.
#pragma once

#include "ct/fan_math.hpp"

namespace pyrad {

// across and along as six numbers per view, in index coordinates of the image: a . (x, y, 1) and
// b . (x, y, 1). Flat: column = centre + magnify * across / along; curved: the angle for the ratio.
struct DetectorLine {
    double centre, magnify;
    int curved;
};

template <class T> struct BlockColumns {
    T n0, ni, nj, d0, di, dj, shift;
    T weight; // of the block's centre: 1 / along^2, or 1 / distance^2 if curved
    T reach;  // bound of |d column / d i| and |d column / d j|
    int base;
};

template <class T>
PYRAD_HD BlockColumns<T> block_columns(const double *view, const DetectorLine &line, double x,
                                       double y, double half_x, double half_y) {
    const double *a = view, *b = view + 3;
    const double across = a[0] * (x + half_x) + a[1] * (y + half_y) + a[2];
    const double along = b[0] * (x + half_x) + b[1] * (y + half_y) + b[2];
    const double least =
        along - (b[0] < 0 ? -b[0] : b[0]) * (half_x + 1) - (b[1] < 0 ? -b[1] : b[1]) * (half_y + 1);
    const double turn = a[0] * b[1] - a[1] * b[0], bend = turn < 0 ? -turn : turn;
    double cross_x = a[0] * along - b[0] * across, cross_y = a[1] * along - b[1] * across;
    cross_x = (cross_x < 0 ? -cross_x : cross_x) + bend * (half_y + 1);
    cross_y = (cross_y < 0 ? -cross_y : cross_y) + bend * (half_x + 1);
    const double most =
        max_of(cross_x, cross_y) * (line.magnify < 0 ? -line.magnify : line.magnify);
    const double reach = least > 0 ? most / (least * least) : 1e9;

    const double angle = line.curved ? atan2(across, along) : across / along;
    const double middle = line.centre + line.magnify * angle;
    // behind the source, where only pixels outside of the image lie, anything may come out
    const double base = middle > -1e8 && middle < 1e8 ? floor(middle) : 1e8;
    double n[3], d[3], scale;
    if (line.curved) {
        scale = 1 / (across * across + along * along);
        for (int k = 0; k < 3; ++k) {
            n[k] = (a[k] * along - b[k] * across) * scale;
            d[k] = (b[k] * along + a[k] * across) * scale;
        }
    } else {
        scale = 1 / along;
        for (int k = 0; k < 3; ++k) {
            d[k] = b[k] * scale;
            n[k] = line.magnify * a[k] * scale + (line.centre - base) * d[k];
        }
    }
    return {static_cast<T>(n[0] * x + n[1] * y + n[2]),
            static_cast<T>(n[0]),
            static_cast<T>(n[1]),
            static_cast<T>(d[0] * x + d[1] * y + d[2]),
            static_cast<T>(d[0]),
            static_cast<T>(d[1]),
            static_cast<T>(middle - base),
            static_cast<T>(line.curved ? scale : scale * scale),
            static_cast<T>(min_of(reach, 1e9)),
            static_cast<int>(base)};
}

// z, 1 / D and the column (relative to base) of a pixel.
template <class T> struct PixelColumn {
    T z, inverse, column;
};

// Kind 0: parallel (D is one), 1: flat, 2: curved.
template <class T, int Kind>
PYRAD_HD PixelColumn<T> pixel_column(const BlockColumns<T> &c, T i, T j, T magnify) {
    const T n = c.n0 + c.ni * i + c.nj * j;
    if (Kind == 0)
        return {n, T(1), n};
    const T inverse = T(1) / (c.d0 + c.di * i + c.dj * j), z = n * inverse;
    if (Kind == 1)
        return {z, inverse, z};
    const T arc =
        z * z < T(0.0625) ? z * arc_series<T, 1, sizeof(T) == 4 ? 11 : 25>(z * z) : arc_tangent(z);
    return {z, inverse, c.shift + magnify * arc};
}

} // namespace pyrad
