// The fast path of the 3D Joseph pair: views whose detector rows lie along z. All rows of a column
// share the path through the xy plane, so that per plane two lines along z are blended once and
// the rows interpolate along the blend.
#pragma once

#include "ct/joseph3d_planes.hpp"

#include <vector>

namespace pyrad::joseph {

// Adds the rays of the given views whose dominant axis is that of the planes.
template <class T>
void project_columns(const Planes<T> &planes, const std::vector<i64> &which,
                     View<const double, 2> views, View<const double, 2> columns, const Scan3D &scan,
                     View<T, 3> projections);

template <class T>
void backproject_columns(View<const T, 3> projections, const std::vector<i64> &which,
                         View<const double, 2> views, View<const double, 2> columns,
                         const Scan3D &scan, Planes<T> &planes);

} // namespace pyrad::joseph
