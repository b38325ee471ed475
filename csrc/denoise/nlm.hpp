// Non-local means; formulas in nlm_math.hpp.
#pragma once

#include "base/portable.hpp"
#include "denoise/nlm_math.hpp"

namespace pyrad::nlm {

struct Size {
    i64 z, y, x;
};

// Noise level: `variance` holds one per voxel, or is null and `sigma` holds one per volume.
template <class T> struct Noise {
    const T *variance;
    i64 variance_step; // elements from volume to volume: 0 if they share one map
    const double *sigma;
    double h; // filter strength, or 0 for h = factor * noise level
    double factor;
};

// out(i) = sum_j W(i, j) values(j) / sum_j W(i, j), j within the search window and the image, for
// each of `volumes`. Weights come from `image`, mirrored at its faces for the patches; W is w of
// nlm_math.hpp, or with `patchwise` its average over the pairs around. W(i, i) = 1. Patch radii are
// smaller than the image. Same bits for any number of threads.
template <class T>
void nlm(const T *image, const T *values, i64 volumes, Size size, Radius patch, Radius search,
         const Noise<T> &noise, bool patchwise, T *out);

} // namespace pyrad::nlm
