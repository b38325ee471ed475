// A tile of an (outer, n, inner) array: `columns` neighbouring columns of one outer index and
// `steps` steps along the middle axis. One block works on one tile; the launcher chooses the sizes
// so that a tile's rows are read coalesced whether inner is long (32 columns) or short (all of it).
#pragma once

#include "wavelet/wavelet_math.hpp"

namespace pyrad {

struct Tile {
    i64 outer, column, begin; // first column and step
    int columns, steps;

    __device__ Tile(i64 total_steps, i64 inner, int tile_columns, int tile_steps) {
        const i64 across = (inner + tile_columns - 1) / tile_columns;
        const i64 along = (total_steps + tile_steps - 1) / tile_steps;
        const i64 block = blockIdx.x;
        outer = block / across / along;
        begin = block / across % along * tile_steps;
        column = block % across * tile_columns;
        columns = static_cast<int>(min_of<i64>(tile_columns, inner - column));
        steps = static_cast<int>(min_of<i64>(tile_steps, total_steps - begin));
    }
};

// The two filters into shared memory.
template <class T> __device__ void load_filters(const double *filters, int count, T scale, T *to) {
    for (int j = threadIdx.x; j < count; j += blockDim.x)
        to[j] = scale * static_cast<T>(filters[j]);
}

// Rows [start, start + rows) of a periodic axis of n rows, into to[row * columns + column].
template <class T>
__device__ void load_periodic(const T *x, const Tile &tile, i64 start, int rows, i64 n, i64 inner,
                              T *to) {
    const T *from = x + tile.outer * n * inner + tile.column;
    for (int i = threadIdx.x; i < rows * tile.columns; i += blockDim.x) {
        const int row = i / tile.columns, column = i % tile.columns;
        to[i] = from[wrap(start + row, n) * inner + column];
    }
}

} // namespace pyrad
