// Means over a neighbourhood that is made of chords along x, such as a sphere in mm.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// values: an image; mask: a box of it that begins at `begin` (z, y, x). chords: (count, 3) of
// (dz, dy, h): the voxels x - h .. x + h of that row. out: the mean of the voxels inside the image
// that are finite, at each voxel of the mask in C order.
template <class T>
void sphere_means(View<const T, 3> values, View<const u8, 3> mask, const i64 *begin,
                  const i32 *chords, i64 count, double *out, i64 out_size);

} // namespace pyrad
