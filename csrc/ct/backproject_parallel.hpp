// Pixel-driven backprojection of filtered parallel projections.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// out[s, y, x] = sum over views of the linear interpolation of filtered[view, s] at column
// coordinate views[view] . (x, y, 1); zero outside the detector. views is (V, 3).
template <class T>
void backproject_parallel(View<const T, 3> filtered, View<const double, 2> views, View<T, 3> out);

// What the tile kernels work on: per view a zero-padded row and the slopes to the next sample.
template <class T> struct SampleTable {
    static constexpr i64 spare = 32; // readable elements behind the last view's coefficients
    i64 views, columns, stride;
    const T *value, *slope; // element of column 0 of view 0; pad elements lie before it
    const double *per_x, *per_y, *first;
};

constexpr i64 tile_columns = 64, tile_rows = 16, sample_pad = 48;

// Adds all views to a tile (tile_rows x tile_columns, dense) whose first pixel is (x, y).
using TileKernel = void (*)(const SampleTable<float> &table, i64 x, i64 y, float *tile);

// Kernels that permute registers where the portable loop gathers. They fuse multiply and add: up
// to 1e-6 relative from the portable loop. Null where the processor lacks them or a view advances
// more than two columns per pixel.
TileKernel permuting_tile_kernel(const SampleTable<float> &table);

} // namespace pyrad
