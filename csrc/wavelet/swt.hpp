// Stationary (undecimated, a-trous) wavelet transform of one axis: arrays are (outer, n, inner),
// the middle axis is transformed and periodic. Formulas in wavelet_math.hpp.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// filters: low pass, then high pass, `taps` (even) numbers each. Taps `step` samples apart, as the
// deeper levels need them, are the same transform of (outer, n / step, step * inner).
template <class T>
void swt_analysis(View<const T, 3> x, const double *filters, i64 taps, View<T, 3> low,
                  View<T, 3> high);

template <class T>
void swt_synthesis(View<const T, 3> low, View<const T, 3> high, const double *filters, i64 taps,
                   View<T, 3> out);

} // namespace pyrad
