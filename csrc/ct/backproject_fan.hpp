// Pixel-driven, distance-weighted backprojection of filtered fan-beam projections.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// For the pixel (x, y) of view v: across = views[v, 0:3] . (x, y, 1) along the detector's column
// axis and along = views[v, 3:6] . (x, y, 1) from the source down the central ray, both in mm.
// Flat: column = centre + magnify * across / along, weight = (source_origin / along)^2.
// Curved: column = centre + magnify * atan2(across, along), and the distance from the source
// takes the place of along in the weight. out is overwritten.
template <class T>
void backproject_fan(View<const T, 2> filtered, View<const double, 2> views, double centre,
                     double magnify, double source_origin, bool curved, View<T, 2> out);

} // namespace pyrad
