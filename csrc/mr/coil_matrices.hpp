// One Hermitian coils x coils matrix per pixel, times coil images.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// out[i][pixel] = sum_j H_ij[pixel] images[j][pixel]. matrices[pair][pixel] complex: the lower
// triangle, pair = i (i + 1) / 2 + j for j <= i, as coil_eigenvectors takes it.
template <class T>
void coil_matrix_multiply(const T *matrices, const T *images, i64 coils, i64 pixels, T *out);

} // namespace pyrad
