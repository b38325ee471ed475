// The work on one reference block: find its group, filter the group.
#pragma once

#include "denoise/bm4d.hpp"

namespace pyrad::bm4d {

constexpr i64 lanes = 16; // blocks side by side

// Candidates are compared this many rows at a time; so many lines and these voxels more may be read
// behind the image.
constexpr int match_rows = 6;
constexpr i64 margin = 64;

// Alike blocks, the reference first, then the closest ones; ties by their order in memory.
template <class T> struct Group {
    T distance[largest_group];
    i64 at[largest_group]; // index of the first voxel
    int count;             // a power of two
};

template <class T>
void find_group(const T *guide, const Stage<T> &stage, Triple at, T level, Group<T> &group);

// Estimates of the group's blocks, one after the other; returns the group's weight.
template <class T>
T filter_group(const T *image, const T *guide, const Stage<T> &stage, const Group<T> &group,
               T level, T *estimates);

} // namespace pyrad::bm4d
