// GLCM features of the window around every voxel (feature maps).
#pragma once

#include "base/view.hpp"

namespace pyrad {

// levels: packed, with a margin of at least the window's radius; 0 is outside the region.
// centres: flat indices into levels. window: flat offsets of the window's voxels from the centre.
// pairs: (pair count, 2) positions in the window, grouped: group g holds the pairs
// [starts[g], starts[g + 1]), which share a table (one group per direction, or one for all).
// out: (centres, glcm_feature_count): mean over the groups that have pairs inside the region and
// define the feature; NaN if none. Tables are symmetric.
struct LocalWindow {
    const i64 *window;
    i64 window_size;
    const i32 *pairs;
    const i32 *starts;
    i64 groups;
};

template <class L>
void local_glcm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalWindow &window,
                i64 ng, bool ibsi, bool mcc, double *out);

} // namespace pyrad
