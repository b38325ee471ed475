// Calibration of interpolation kernels in k-space (GRAPPA, SPIRiT).
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

// calibration[coil][z][y][x] complex. With windows of kernel[d] cells at every position q inside,
// gram[a][i][b][j] = sum_q conj(x_i(q + a)) x_j(q + b), a and b cells of the window (z, y, x).
void grappa_gram(const double *calibration, i64 coils, const std::array<i64, 3> &size,
                 const std::array<i64, 3> &kernel, double *gram);

// Pattern p predicts cell `centre` of the window from its cells sources[begin[p] .. begin[p + 1]):
// weights[(begin[p] + s) * coils + i][lanes]: from coil i of source s to every coil, lanes beyond
// the coils 0. The diagonal of the normal equations is raised by `ridge`.
template <class T>
void grappa_weights(const double *gram, i64 coils, i64 window, const i32 *sources, const i64 *begin,
                    i64 patterns, i64 centre, double ridge, i64 lanes, T *weights);

} // namespace pyrad
