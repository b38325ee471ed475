// Wavelet coefficients of images soft-thresholded, transform and inverse included.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

struct WaveletShrink {
    i64 batch;
    std::array<i64, 3> size;            // z, y, x; an axis of length 1 is not transformed
    i64 lanes;                          // reals of a number
    std::array<i64, 3> shift;           // circular, before the transform, undone after it
    const double *analysis, *synthesis; // low pass, then high pass
    i64 taps, levels;
    double threshold;
};

// out = S^-1 W^T soft(W S x) with the periodic orthogonal transform W (lengths are multiples of
// 2^levels) and the circular shift S; approximations of the last level stay as they are.
template <class T> void wavelet_shrink(const T *x, const WaveletShrink &how, T *out);

} // namespace pyrad
