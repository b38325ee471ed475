// Filtering of detector rows by a real, even frequency response.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// out[r] = scale[r] * IFFT(FFT(x[r], zero-padded to N) * response). response holds the N/2 + 1
// values at frequencies 0 .. N/2; N is a power of two, 4 <= N and 2 * columns <= N.
template <class T>
void filter_rows(View<const T, 2> x, View<const T, 1> response, View<const T, 1> scale,
                 View<T, 2> out);

} // namespace pyrad
