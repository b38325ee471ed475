// The work on one reference block: find its group, filter the group.
#pragma once

#include "denoise/bm4d.hpp"

namespace pyrad::bm4d {

constexpr i64 lanes = 16;  // candidates and blocks side by side
constexpr i64 margin = 64; // voxels behind the image that may be read

// Alike blocks, the reference first, then the closest ones; ties by their order in memory.
template <class T> struct Group {
    T distance[largest_group];
    i64 at[largest_group]; // index of the first voxel
    int count;             // a power of two
};

// Rows of blocks at consecutive x against the reference: distances[row * stride + x].
template <class T> struct Candidates {
    const T *reference, *first;
    i64 line, plane; // voxels from one line, one plane to the next
    i64 rows, count; // lines of candidates, candidates in a line
    T *distances;
    i64 stride;
};

template <class T>
void find_group(const T *guide, const Stage<T> &stage, Triple at, T level, Group<T> &group);

// Estimates of the group's blocks, one after the other; returns the group's weight.
template <class T>
T filter_group(const T *image, const T *guide, const Stage<T> &stage, const Group<T> &group,
               T level, T *estimates);

} // namespace pyrad::bm4d
