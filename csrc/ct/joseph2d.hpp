// Matched pair of 2D projector and backprojector with linear interpolation (Joseph).
#pragma once

#include "base/view.hpp"

namespace pyrad {

// image (slices, ny, nx), projections (views, slices, columns), views (views, 8) and pixels
// (columns, 2) as in joseph2d_math.hpp, pitch of the image in mm. The result is overwritten.
template <class T>
void project2d(View<const T, 3> image, View<const double, 2> views, View<const double, 2> pixels,
               double pitch_x, double pitch_y, View<T, 3> projections);

// The exact adjoint: the same weights, transposed.
template <class T>
void backproject2d(View<const T, 3> projections, View<const double, 2> views,
                   View<const double, 2> pixels, double pitch_x, double pitch_y, View<T, 3> image);

} // namespace pyrad
