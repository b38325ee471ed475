// Discrete wavelet transform of one axis: arrays are (outer, n, inner), the middle axis is
// transformed. Formulas in wavelet_math.hpp.
#pragma once

#include "base/view.hpp"
#include "wavelet/wavelet_math.hpp"

namespace pyrad {

// x (outer, n, inner) -> low, high (outer, m, inner), m = coefficient_length(n, taps, mode).
// filters: decomposition low pass, then high pass, `taps` (even) numbers each.
template <class T>
void dwt_analysis(View<const T, 3> x, const double *filters, i64 taps, int mode, View<T, 3> low,
                  View<T, 3> high);

// low, high (outer, m, inner) -> out (outer, 2 m, inner) for periodization, else
// (outer, 2 m - taps + 2, inner). filters: reconstruction low pass, then high pass.
template <class T>
void dwt_synthesis(View<const T, 3> low, View<const T, 3> high, const double *filters, i64 taps,
                   bool periodization, View<T, 3> out);

// Adjoint of the extension at the ends: extended (outer, e, inner) holds the samples start, start +
// 1,
// ... of an extended signal and covers [0, n); each is added to the samples of out (outer, n,
// inner) that it was made of.
template <class T> void dwt_fold(View<const T, 3> extended, i64 start, int mode, View<T, 3> out);

} // namespace pyrad
