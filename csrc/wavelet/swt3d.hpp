// One level of the stationary wavelet transform of a volume along all three axes in one sweep.
#pragma once

#include "wavelet/bands.hpp"

namespace pyrad {

// x (nz, ny, nx, lanes) -> bands of the same shape. Neighbouring taps are `step` samples apart, and
// every length is a multiple of step.
template <class T>
void swt_analysis_3d(View<const T, 4> x, const double *filters, i64 taps, i64 step,
                     const Bands<T> &bands);

template <class T>
void swt_synthesis_3d(const Bands<const T> &bands, const double *filters, i64 taps, i64 step,
                      View<T, 4> out);

} // namespace pyrad
