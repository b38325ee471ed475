// Rank filter: the value of a given rank among those in a window around each voxel.
#pragma once

#include "base/view.hpp"

namespace pyrad::rank {

// out[r][i] = the value with `rank` smaller ones among padded[starts[r] + i + offsets[w] + k],
// 0 <= w < count, 0 <= k < width: a window is made of pieces of rows, all of one width.
struct Window {
    const i64 *offsets;
    i64 count, width;
    i64 rank;
};

template <class T>
void rank_filter(const T *padded, i64 padded_size, const i64 *starts, const Window &window,
                 View<T, 2> out);

} // namespace pyrad::rank
