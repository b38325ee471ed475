// Matched pair of 3D projector and backprojector with bilinear interpolation (Joseph).
#pragma once

#include "base/view.hpp"
#include "ct/joseph3d_math.hpp"

namespace pyrad {

// Adds the line integrals of volume (nz, ny, nx) to projections (views, rows, columns). views is
// (views, 18) and columns (columns, 2), as in joseph3d_math.hpp.
template <class T>
void project3d(View<const T, 3> volume, View<const double, 2> views, View<const double, 2> columns,
               const Scan3D &scan, View<T, 3> projections);

// The exact adjoint, added to volume: the same weights, transposed.
template <class T>
void backproject3d(View<const T, 3> projections, View<const double, 2> views,
                   View<const double, 2> columns, const Scan3D &scan, View<T, 3> volume);

} // namespace pyrad
