// One level of the discrete wavelet transform of a volume along all three axes in one sweep.
#pragma once

#include "wavelet/bands.hpp"

namespace pyrad {

// x (nz, ny, nx, lanes), lanes = 2 for complex numbers -> bands (mz, my, mx, lanes).
template <class T>
void dwt_analysis_3d(View<const T, 4> x, const double *filters, i64 taps, int mode,
                     const Bands<T> &bands);

// The inverse; out has the lengths of dwt_synthesis along each axis.
template <class T>
void dwt_synthesis_3d(const Bands<const T> &bands, const double *filters, i64 taps,
                      bool periodization, View<T, 4> out);

} // namespace pyrad
