// Helical projections: rebinning to parallel rays and weighted backprojection.
#pragma once

#include "base/view.hpp"
#include "ct/backproject_cone.hpp"

namespace pyrad {

// out[i, r, c] = x[., r, .] linearly interpolated at view view_at[i, c] and column column_at[c];
// both must lie inside x.
template <class T>
void rebin_rows(View<const T, 3> x, View<const double, 2> view_at, View<const double, 1> column_at,
                View<T, 3> out);

// Rebinned views come in groups of `partners` that see the same parallel rays, half a turn apart:
//   out[z, y, x] = (add ? out : 0) + sum over groups of
//                  sum_partner w(row) q(column, row) / sum_partner w(row)
// with w = pi_weight of helix_math.hpp, whose smooth outer part is the fraction `feather` of the
// half detector. scan.rays is rebinned_flat or rebinned_curved; rows between the centre of the
// outermost row and the detector's edge take that row's value. Groups whose weights are all zero
// at a voxel add nothing.
template <class T>
void backproject_helix(View<const T, 3> filtered, View<const double, 2> views, const ConeScan &scan,
                       i64 partners, double feather, bool add, View<T, 3> out);

} // namespace pyrad
