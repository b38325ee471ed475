// What the tile kernels of backproject_fan.cpp work on.
#pragma once

#include "base/portable.hpp"

namespace pyrad::fan {

constexpr i64 tile_columns = 64, tile_rows = 16, sample_pad = 48;

// across = across_x[v] x + across_y[v] y + across_0[v] and along likewise, both in mm.
struct Views {
    static constexpr i64 spare = 32; // readable elements behind the last view
    const double *across_x, *across_y, *across_0, *along_x, *along_y, *along_0;
};

// Per view a zero-padded row and the slopes to the next sample.
template <class T> struct Scan {
    i64 views, columns, stride;
    const T *value, *slope; // element of column 0 of view 0; sample_pad elements lie before it
    Views view;
    double centre, magnify, source_origin;
    bool curved;
};

// Adds views [begin, end) to a tile (tile_rows x tile_columns, dense) whose first pixel is (x, y).
template <class T>
using TileKernel = void (*)(const Scan<T> &scan, i64 begin, i64 end, i64 x, i64 y, T *tile);

// The kernel for one view and tile that permutes registers where the portable loop gathers; null
// where the processor has none, or where the source is so close that neighbouring pixels lie more
// than two columns apart or a register's pixels do not fit the series of backproject_fan_x86.cpp.
TileKernel<float> permuting_tile_kernel(const Scan<float> &scan, i64 view, i64 x, i64 y);

} // namespace pyrad::fan
