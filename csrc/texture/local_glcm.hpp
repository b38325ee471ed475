// GLCM features of the window around every voxel (feature maps).
#pragma once

#include "base/view.hpp"

namespace pyrad {

// offsets: (count, 3) steps (z, y, x) from a voxel to its neighbour, in groups: the offsets
// [starts[g], starts[g + 1]) share a table (one group per direction, or one for all). reach: of the
// window from its centre, per axis.
struct LocalDirections {
    const i32 *offsets, *starts;
    i64 groups;
    i64 reach[3];
};

// levels: packed, with a margin of at least the window's reach; 0 is outside the region.
// centres: ascending flat indices into levels.
// out: (centres, glcm_feature_count): mean over the groups that have pairs inside the region and
// define the feature; NaN if none. Tables are symmetric. histograms: with the features beyond
// moments and shares of |i - j|, which are NaN otherwise; mcc: with Mcc too.
template <class L>
void local_glcm(View<const L, 3> levels, const i64 *centres, i64 count,
                const LocalDirections &directions, i64 ng, bool ibsi, bool histograms, bool mcc,
                double *out);

} // namespace pyrad
