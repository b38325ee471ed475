// Blockwise non-local means (Coupe et al. 2008, doi:10.1109/TMI.2007.906087):
//
//     B_c(k) = sum_j w(c, j) values(j + k) / sum_j w(c, j),   out(i) = mean over c of B_c(i - c),
//
// c on a grid of every `step`-th voxel, j in the search window around c and in the image, k in the
// patch; w as in nlm_math.hpp. A neighbour counts only where its patch's mean and variance are like
// those of the centre's: their ratios lie between the limit and its inverse.
#pragma once

#include "denoise/nlm_math.hpp"

namespace pyrad::nlm {

// Volumes and their grid. `image` and `values` are mirrored by the patch radius on all sides and
// have `wide` elements a row, of which those beyond may be anything finite.
template <class T> struct Blocks {
    i64 nz, ny, nx, gz, gy, gx; // voxels, centres
    i64 high, wide;             // of padded planes
    Radius patch, search, step;
    const T *image, *values;
    const T *mean, *spread; // of the patch around every voxel
    const T *variance;      // noise per voxel, or null
    T mean_limit, spread_limit;
    Strength<T> strength;

    PYRAD_HD i64 padded(i64 z, i64 y, i64 x) const {
        return ((z + patch.z) * high + y + patch.y) * wide + x + patch.x;
    }
    PYRAD_HD i64 at(i64 z, i64 y, i64 x) const { return (z * ny + y) * nx + x; }
    PYRAD_HD i64 patch_size() const {
        return (2 * patch.z + 1) * (2 * patch.y + 1) * (2 * patch.x + 1);
    }
};

// limit <= a / b <= 1 / limit without a division; a limit of 0 lets all pass.
template <class T> PYRAD_HD bool alike(T a, T b, T limit) {
    const T product = a * b;
    return limit <= 0 || (product >= 0 && limit * a * a <= product && limit * b * b <= product);
}

template <class T> PYRAD_HD T block_weight(const Blocks<T> &b, T sum, i64 centre, i64 other) {
    if (!alike(b.mean[centre], b.mean[other], b.mean_limit) ||
        !alike(b.spread[centre], b.spread[other], b.spread_limit))
        return 0;
    return b.variance ? weight(sum, b.strength, b.variance[centre], b.variance[other])
                      : weight(sum, b.strength);
}

} // namespace pyrad::nlm
