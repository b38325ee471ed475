// Region of interest of a label mask: bounding box, voxel count, values that are no labels.
#pragma once

#include "base/view.hpp"

namespace pyrad {

struct RoiBounds {
    i64 begin[3], end[3]; // half-open box (z, y, x); empty: begin = end = 0
    i64 count;            // voxels equal to the label
    i64 invalid;          // voxels that are negative, fractional or not finite
    i64 first_invalid;    // flat index of the first of them, -1 if none
};

template <class T> RoiBounds mask_bounds(View<const T, 3> mask, double label);

struct ValueRange {
    i64 nonfinite;    // NaN and Inf where mask != 0
    double low, high; // of the others; infinities if there are none
};

template <class T> ValueRange masked_range(View<const T, 3> values, View<const u8, 3> mask);

// out = values where mask != 0, in C order; out holds exactly that many.
template <class T>
void gather(View<const T, 3> values, View<const u8, 3> mask, T *out, i64 out_size);

} // namespace pyrad
