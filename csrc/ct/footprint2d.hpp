// Matched pair of 2D projector and backprojector with trapezoidal footprints.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// image (slices, ny, nx), projections (views, slices, columns), views (views, 10) and arc as in
// footprint_math.hpp, pitch of the image in mm. The result is overwritten.
template <class T>
void project_footprint2d(View<const T, 3> image, View<const double, 2> views, double arc,
                         double pitch_x, double pitch_y, View<T, 3> projections);

// The exact adjoint: the same weights, transposed.
template <class T>
void backproject_footprint2d(View<const T, 3> projections, View<const double, 2> views, double arc,
                             double pitch_x, double pitch_y, View<T, 3> image);

} // namespace pyrad
