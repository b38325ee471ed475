// Parallel beams in 2D: all pixels have the same footprint, only its place on the cells differs.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// As project_footprint2d and backproject_footprint2d; false where the views are no parallel beams
// or a pixel is much wider than a cell.
template <class T>
bool project_footprint_parallel(View<const T, 3> image, View<const double, 2> views, double pitch_x,
                                double pitch_y, View<T, 3> projections);
template <class T>
bool backproject_footprint_parallel(View<const T, 3> projections, View<const double, 2> views,
                                    double pitch_x, double pitch_y, View<T, 3> image);

} // namespace pyrad
