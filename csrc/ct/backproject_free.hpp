// Backprojection of filtered cone-beam projections with a free pose of the flat detector per view.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// out[z, y, x] = (add ? out : 0) + sum over views of weight * q_view(column, row), q bilinear and
// zero outside 0 .. columns - 1, 0 .. rows - 1; matrices is (views, 12), see
// backproject_free_math.hpp, and filtered lies as backproject_cone.hpp describes.
template <class T>
void backproject_free(View<const T, 3> filtered, i64 rows, View<const double, 2> matrices, bool add,
                      View<T, 3> out);

// Adds one view to tile_z slices of a voxel column: start and step hold the numerators of column
// and row and their denominator at the lowest slice and per slice; value is column 0, row 0.
template <class T>
using FreeKernel = void (*)(const T *value, const T *start, const T *step, int stride, int columns,
                            int rows, T *out);

// Null where the processor cannot gather.
FreeKernel<float> gathering_free_kernel();

} // namespace pyrad
