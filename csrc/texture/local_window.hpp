// Windows around voxels (feature maps), and the pairs of neighbours within one.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// offsets: flat offsets of the window's voxels from the centre. pairs: (count, 2) positions in the
// window of voxels that are neighbours.
struct LocalPairs {
    const i64 *offsets;
    i64 size;
    const i32 *pairs;
    i64 count;
};

// Levels of the window around a voxel; 0 is outside the region.
template <class L> void copy_window(const L *centre, const i64 *offsets, i64 size, i32 *levels) {
    for (i64 v = 0; v < size; ++v)
        levels[v] = centre[offsets[v]];
}

} // namespace pyrad
