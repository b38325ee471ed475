// What the tile kernels of backproject_fan.cpp work on.
#pragma once

#include "ct/fan_views.hpp"

namespace pyrad::fan {

// Per view a zero-padded row and the slopes to the next sample.
template <class T> struct Scan {
    Beam beam;
    i64 stride;
    const T *value, *slope; // element of column 0 of view 0; sample_pad elements lie before it
};

// Adds views [begin, end) to a tile (tile_rows x tile_columns, dense) whose first pixel is (x, y).
template <class T>
using TileKernel = void (*)(const Scan<T> &scan, i64 begin, i64 end, i64 x, i64 y, T *tile);

// The kernel for one view and tile that permutes registers where the portable loop gathers; null
// where the processor has none, or where the source is so close that neighbouring pixels lie more
// than two columns apart or a register's pixels do not fit the series of fan_windows.inl.
TileKernel<float> permuting_tile_kernel(const Scan<float> &scan, i64 view, i64 x, i64 y);

} // namespace pyrad::fan
