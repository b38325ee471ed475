// A user's own feature of the window around every voxel (feature maps).
#pragma once

#include "base/view.hpp"

namespace pyrad {

// values: the `count` intensities of the window's voxels inside the region, in C order; window: all
// of them, NaN outside the region; shape, spacing: of the window, along z, y, x (mm, NaN where
// unknown). Both arrays are the function's to change. Called from several threads at once.
using LocalFeature = double (*)(double *values, i64 count, double *window, const i64 *shape,
                                const double *spacing);

struct LocalBox {
    const i64 *offsets; // flat offsets of the window's voxels from the centre, in C order
    i64 shape[3];
    double spacing[3];
};

// values and inside (0: outside the region) have the same shape and margin, at least the window's
// radius. out: one number per centre.
template <class T>
void local_custom(View<const T, 3> values, View<const u8, 3> inside, const i64 *centres, i64 count,
                  const LocalBox &box, LocalFeature feature, double *out);

} // namespace pyrad
