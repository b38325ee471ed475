// Collaborative filtering of groups of alike blocks; formulas in bm4d_math.hpp.
#pragma once

#include "denoise/bm4d_math.hpp"

#include <array>

namespace pyrad::bm4d {

using Triple = std::array<i64, 3>; // along z, y, x

template <class T> struct Stage {
    Triple size;                      // of the image, in voxels
    Triple block;                     // edges: {1, 8, 8} or {4, 4, 4}
    Triple search;                    // radius of the search for alike blocks
    std::array<const i64 *, 3> start; // where reference blocks begin, along each axis
    Triple count;                     // how many of them
    const T *level;                   // noise of every reference block; 0: no group
    const T *forward, *inverse;       // edge x edge, the block's transform along one axis
    const T *variance;                // of the noise in each coefficient of a block
    const T *window;                  // edge, weight of voxels within a block along one axis
    int group;                        // most blocks of a group, a power of two
    T similar;                        // blocks differ at most by similar * level^2
    T expected;                       // blocks that differ by about expected * level^2 are best
    T threshold;                      // first stage
};

// One stage: the first if guide is null, else the second with the first one's result as guide.
// Voxels that no group covers stay as they are.
template <class T> void stage(const T *image, const T *guide, const Stage<T> &stage, T *out);

} // namespace pyrad::bm4d
