// Formulas of collaborative filtering that the CPU and CUDA kernels share. The image is in units of
// the noise: white noise has standard deviation 1.
//
// Two blocks are alike by the sum of their squared differences, added up in the order of memory and
// without fused multiply-adds, so that every device and instruction set picks the same blocks.
//
// Coefficients c of a group of K blocks have the noise variance v of their place in the block's
// transform, times level^2 of the reference block:
//
//     first stage    c' = c where |c| > threshold level sqrt(v), else 0
//     second stage   c' = c e^2 / (e^2 + level^2 v), e: the same coefficient of the first estimate
//
// The mean of the group is kept as it is. A group counts with the inverse of the noise that is left
// in it, 1 / sum of level^2 v (c' / c)^2.
#pragma once

#include "base/portable.hpp"

namespace pyrad::bm4d {

constexpr int voxels = 64; // of a block: 8 x 8 or 4 x 4 x 4
constexpr int largest_group = 32;

// Products and sums that are never fused.
#if defined(__CUDACC__)
PYRAD_HD float product(float a, float b) { return __fmul_rn(a, b); }
PYRAD_HD double product(double a, double b) { return __dmul_rn(a, b); }
PYRAD_HD float add_square(float sum, float d) { return __fadd_rn(sum, __fmul_rn(d, d)); }
PYRAD_HD double add_square(double sum, double d) { return __dadd_rn(sum, __dmul_rn(d, d)); }
#else
template <class T> PYRAD_HD T product(T a, T b) { return a * b; }
template <class T> PYRAD_HD T add_square(T sum, T d) { return sum + d * d; }
#endif

// (a, b) -> ((a + b), (a - b)) / sqrt 2, the Haar transform's butterfly; it is its own inverse.
template <class T> PYRAD_HD void haar_step(T &a, T &b) {
    const T scale = T(0.70710678118654752440), sum = (a + b) * scale;
    b = (a - b) * scale;
    a = sum;
}

// Factors of a coefficient c in the first stage, and in the second by the first estimate's e.
template <class T> PYRAD_HD T keep(T c, T threshold, T variance) {
    return c * c > threshold * threshold * variance ? T(1) : T(0);
}
template <class T> PYRAD_HD T wiener(T e, T variance) { return e * e / (e * e + variance); }

} // namespace pyrad::bm4d
