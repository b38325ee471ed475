// Matched pair of 3D projector and backprojector with separable footprints, for detectors whose
// rows run along z.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// volume (nz, ny, nx), projections (views, rows, columns), pitch of the volume in mm. Columns 0 to
// 9 of views (views, 14) and arc are those of footprint_math.hpp, where `along` is the depth in mm
// (1 for parallel rays) and, on a curved detector, `across` is in mm too. Further
//     10  row of the detector, real, at the height of the source (of z = 0 for parallel rays)
//     11  z index, real, of that height
//     12  rows per slice at depth 1
//     13  not 0: rows count downwards, and 10 and 12 hold for rows counted from the last
// reach (views or 1, columns): row pitch over the distance of the column from the source within the
// plane, 0 for parallel rays. The result is overwritten.
template <class T>
void project_footprint3d(View<const T, 3> volume, View<const double, 2> views,
                         View<const double, 2> reach, double arc, double pitch_x, double pitch_y,
                         View<T, 3> projections);

// The exact adjoint: the same weights, transposed.
template <class T>
void backproject_footprint3d(View<const T, 3> projections, View<const double, 2> views,
                             View<const double, 2> reach, double arc, double pitch_x,
                             double pitch_y, View<T, 3> volume);

} // namespace pyrad
