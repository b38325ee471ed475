// First-order statistics of the window around every voxel (feature maps).
#pragma once

#include "base/view.hpp"

namespace pyrad {

struct LocalStatistics {
    double shift;        // added to the intensities in the energies
    double voxel_volume; // mm^3, NaN if unknown
    double excess, flat; // see first_order_finish
};

// values and levels (up to ng) have the same shape and margin; level 0 is outside the region.
// centres, reach: as in local_glcm.hpp. out: (centres, first_order_feature_count).
template <class T, class L>
void local_first_order(View<const T, 3> values, View<const L, 3> levels, const i64 *centres,
                       i64 count, const i64 *reach, i64 ng, const LocalStatistics &settings,
                       double *out);

} // namespace pyrad
