// Non-local means; formulas in nlm_math.hpp.
#pragma once

#include "base/portable.hpp"
#include "denoise/nlm_math.hpp"

namespace pyrad::nlm {

struct Size {
    i64 z, y, x;
};

// Noise level: `variance` holds one per voxel, or is null and `sigma` holds for all.
template <class T> struct Noise {
    const T *variance;
    double sigma;
    double h; // filter strength, or 0 for h = factor * noise level
    double factor;
};

// out(i) = sum_j w(i, j) values(j) / sum_j w(i, j), j within the search window and the image.
// Weights come from `image`, mirrored at its faces for the patches; w(i, i) = 1. Patch radii are
// smaller than the image. Same bits for any number of threads.
template <class T>
void nlm(const T *image, const T *values, Size size, Radius patch, Radius search,
         const Noise<T> &noise, T *out);

} // namespace pyrad::nlm
