// FFT of a coil-interleaved grid [z][y][x][lanes], in place, every axis longer than 1.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

using Shape3 = std::array<i64, 3>;

// sign -1: sum_n x[n] exp(-2 pi i k n / G), sign +1: the conjugate; no scale either way. Only the
// `band` (the wrapped image, see image_index) is read when sign is -1: everything else is taken as
// 0; only the band is computed when sign is +1, other cells hold partial transforms afterwards.
template <class T>
void lane_fft(T *grid, const Shape3 &cells, i64 lanes, int sign, const Shape3 &band);

// grid <- F^H (factor F grid), F without scale, `factor` one real per cell: the two transforms
// along the slowest axis and the product run while a column is in the cache. Reads and computes the
// band as above.
template <class T>
void lane_fft_filter(T *grid, const Shape3 &cells, i64 lanes, const T *factor, const Shape3 &band);

} // namespace pyrad
