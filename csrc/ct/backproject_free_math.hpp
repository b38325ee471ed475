// Where a voxel falls on a flat detector in any pose; for CPU and GPU alike.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// Three rows of four: numerators of column and row and their common denominator as linear
// functions of the voxel's (x, y, z, 1). The denominator is the distance from the source along the
// detector's normal over that of the rotation axis, so that the weight is its inverse square.
constexpr int matrix_size = 12;

template <class T> struct FreeSample {
    T column, row, weight;
};

template <class T> PYRAD_HD FreeSample<T> free_sample(T column, T row, T depth) {
    const T inverse = depth > T(1e-3) ? T(1) / depth : T(0); // at or behind the source: no weight
    return {column * inverse, row * inverse, inverse * inverse};
}

} // namespace pyrad
