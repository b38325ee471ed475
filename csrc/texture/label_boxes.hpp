// Boxes of all labels of a mask in one pass.
#pragma once

#include "base/view.hpp"

namespace pyrad {

constexpr i64 label_box_columns = 7;

// out[l] = (begin z, y, x, end z, y, x, voxels) of label l for l = 0 .. labels - 1, zeros where it
// does not occur; label 0 and values beyond are left out.
template <class T> void label_boxes(View<const T, 3> mask, i64 labels, i64 *out);

} // namespace pyrad
