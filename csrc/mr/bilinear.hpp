// Image times coil maps, differentiated: the pointwise half of regularised nonlinear inversion.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

using Shape3 = std::array<i64, 3>;

// image, d_image [pixel]; maps, d_maps [pixel][lanes]; grid [cell][lanes] with the image wrapped
// around its corner, see image_index(). `factors` are per axis, z then y then x, one after another.

// grid = factor (d_image maps + image d_maps), 0 outside the image.
template <class T>
void bilinear_pad(const T *image, const T *maps, const T *d_image, const T *d_maps,
                  const T *factors, const Shape3 &size, const Shape3 &cells, i64 lanes, T *grid);

// Its adjoint: d_image = sum_c conj(maps) factor grid, d_maps = conj(image) factor grid.
template <class T>
void bilinear_crop(const T *grid, const T *image, const T *maps, const T *factors,
                   const Shape3 &size, const Shape3 &cells, i64 lanes, T *d_image, T *d_maps);

} // namespace pyrad
