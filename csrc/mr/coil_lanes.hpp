// Between coil-by-coil arrays and coil-interleaved cells.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// planar[coil][cell] complex -> out[cell][lanes], lanes beyond the coils 0; sampled[cell] = 1 where
// any coil is not exactly 0.
template <class T>
void interleave_coils(const T *planar, i64 coils, i64 cells, i64 lanes, T *out, u8 *sampled);

// The way back: out[coil][cell].
template <class T>
void separate_coils(const T *lanes_last, i64 cells, i64 lanes, i64 coils, T *out);

} // namespace pyrad
