// Smallest boxes around points, one per given direction of a face: the points' extent along the
// direction, times the smallest rectangle around their projection, which has a side along an edge
// of the projection's convex hull (Freeman & Shapira, Commun. ACM 18 (1975) 409,
// doi:10.1145/360881.360919).
#pragma once

#include "base/view.hpp"

namespace pyrad {

// points (n, 3); normals (m, 3) of any length > 0; boxes (m, 6): extent along the normal, along the
// side, across it, and the unit vector of the side.
void oriented_boxes(View<const double, 2> points, View<const double, 2> normals,
                    View<double, 2> boxes);

// Turns each box about all its axes at once until its volume is least nearby (Nelder & Mead,
// Comput. J. 7 (1965) 308, doi:10.1093/comjnl/7.4.308). axes (m, 3, 3): rows are unit vectors of
// the boxes; extents (m, 3).
void turn_boxes(View<const double, 2> points, View<const double, 3> axes, View<double, 2> extents);

} // namespace pyrad
