// Dominant eigenvectors of one Hermitian coils x coils matrix per pixel.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// matrices[pair][pixel] complex: the lower triangle, pair = i (i + 1) / 2 + j for j <= i.
// vectors[m][coil][pixel] of unit norm, values[m][pixel] = |H v| of the last step, m < maps.
template <class T>
void coil_eigenvectors(const T *matrices, i64 coils, i64 pixels, i64 maps, i64 iterations,
                       T *vectors, T *values);

} // namespace pyrad
