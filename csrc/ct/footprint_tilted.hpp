// Matched pair of 3D projector and backprojector for detectors in any pose.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// volume (nz, ny, nx), projections (views, rows, columns), views (views, 20) as in
// footprint_tilted_math.hpp. The result is overwritten.
template <class T>
void project_footprint_tilted(View<const T, 3> volume, View<const double, 2> views,
                              View<T, 3> projections);

// The exact adjoint: the same weights, transposed.
template <class T>
void backproject_footprint_tilted(View<const T, 3> projections, View<const double, 2> views,
                                  View<T, 3> volume);

} // namespace pyrad
