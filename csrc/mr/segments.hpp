// Products of coil-interleaved values with one complex factor each: samples with the temporal
// coefficients of off-resonance segments, pixels with the spatial ones (one lane).
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// out[m][c] = factor[m] values[m][c], or with the factor's conjugate, or added to what is there.
template <class T>
void scale_lanes(const T *values, const T *factors, i64 count, i64 lanes, bool conjugate,
                 bool accumulate, T *out);

} // namespace pyrad
