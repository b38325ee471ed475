// A^H W A of a NUFFT A: convolution with the Hermitian lags of the weighted sampling pattern,
// embedded in a periodic grid of at least 2 N - 1 cells, where it is a product with their real
// spectrum (the scale of both transforms included).
// Reference: J. A. Fessler et al., IEEE Trans. Signal Process. 53 (2005),
// doi:10.1109/TSP.2005.853152.
//
// Pruned: along x only rows with pixels are transformed, and along the outermost axis a column is
// padded, transformed, multiplied, transformed back and cropped without leaving the cache. The
// padded grid never exists, only `work` [wz][wy][wx][lanes] complex: the outermost axis longer than
// 1 has the image's length, inner ones the spectrum's, x at least that.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

using Shape3 = std::array<i64, 3>;

// out[m] = sum_c conj(maps[m][c]) T sum_m' (maps[m'][c] images[m']); maps are [m][z][y][x][lanes].
template <class T>
void toeplitz_maps(const T *images, const T *maps, i64 sets, const Shape3 &size, const T *spectrum,
                   const Shape3 &cells, i64 lanes, T *work, i64 row_cells, T *out);

// out[c] = T images[c], c < coils <= lanes.
template <class T>
void toeplitz_images(const T *images, i64 coils, const Shape3 &size, const T *spectrum,
                     const Shape3 &cells, i64 lanes, T *work, i64 row_cells, T *out);

} // namespace pyrad
