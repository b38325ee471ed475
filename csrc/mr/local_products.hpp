// Sums of products over a box around every pixel: local coil covariances and smoothing.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

using Shape3 = std::array<i64, 3>;

// out[p][z][y][x] = sum over the box of left[l_p] conj(right[r_p]), for the pixels of `count` from
// `first` on. Boxes have `window` pixels per axis, those outside the image add nothing. Images are
// (images, z, y, x) complex; chosen[2 p], chosen[2 p + 1] are l_p and r_p.
template <class T>
void local_products(const T *left, const T *right, const Shape3 &shape, const i64 *chosen,
                    i64 products, const Shape3 &window, const Shape3 &first, const Shape3 &count,
                    T *out);

} // namespace pyrad
