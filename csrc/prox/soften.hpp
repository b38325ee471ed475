// Soft thresholding.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// out[i] = max(1 - threshold / |x[i]|, 0) x[i] of n numbers of `lanes` reals (2: complex); out may
// be x.
template <class T> void soften(const T *x, i64 n, i64 lanes, double threshold, T *out);

} // namespace pyrad
