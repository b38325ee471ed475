// Filtering of detector rows by a real, even frequency response.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// out[r] = scale[r] * IFFT(FFT(w[r] * x[r], zero-padded to N) * response), where x[r] stands at
// columns `first` .. of a row as wide as out, with zeros around it. weights has one row for every
// k-th part of x's rows (rows that follow each other share it) or one for all. response holds the
// N/2 + 1 values at frequencies 0 .. N/2; N is a power of two, 4 <= N and 2 * out's columns <= N.
template <class T>
void filter_rows(View<const T, 2> x, View<const T, 2> weights, i64 first, View<const T, 1> response,
                 View<const T, 1> scale, View<T, 2> out);

} // namespace pyrad
