// Blocks of a volume for backprojectors whose innermost index is z: 32 x 32 x 64 voxels, z
// innermost, stay in L2 while `view_block` views at a time are added to tiles of 16 x 4 x 64 that
// stay in L1; a finished block is turned into (z, y, x).
#pragma once

#include "base/pool.hpp"
#include "base/view.hpp"
#include "ct/backproject_cone.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace pyrad::cone_blocks {

constexpr i64 block_x = 32, block_y = 32, view_block = 32;

template <class T, class AddTile>
void add_block(AddTile &add_tile, i64 views, i64 x, i64 y, i64 z, i64 width, i64 height, T *block) {
    std::fill_n(block, block_x * block_y * tile_z, T(0));
    for (i64 v = 0; v < views; v += view_block) {
        const i64 end = std::min(v + view_block, views);
        T *tile = block;
        for (i64 dy = 0; dy < block_y; dy += tile_y)
            for (i64 dx = 0; dx < block_x; dx += tile_x, tile += tile_x * tile_y * tile_z)
                if (dx < width && dy < height)
                    add_tile(v, end, x + dx, y + dy, z, tile);
        poll();
    }
}

// A block is a row of tiles [y / tile_y][x / tile_x], each [tile_y][tile_x][tile_z].
template <class T>
void write_block(const T *block, i64 x, i64 y, i64 z, i64 width, i64 height, bool add,
                 View<T, 3> out) {
    const i64 depth = std::min(tile_z, out.shape[0] - z);
    for (i64 k = 0; k < depth; ++k)
        for (i64 j = 0; j < height; ++j) {
            T *row = &out(z + k, y + j, x);
            for (i64 i = 0; i < width; ++i) {
                const i64 tile = j / tile_y * (block_x / tile_x) + i / tile_x;
                const i64 at = (tile * tile_y + j % tile_y) * tile_x + i % tile_x;
                const T value = block[at * tile_z + k];
                row[i] = add ? row[i] + value : value;
            }
        }
}

// out = (add ? out : 0) + what add_tile(first view, end, x, y, z, tile) adds to dense tiles
// [tile_y][tile_x][tile_z], aligned to 64 bytes, whose first voxel is (x, y, z).
template <class T, class AddTile>
void run(i64 views, bool add, View<T, 3> out, AddTile &&add_tile) {
    const i64 nz = out.shape[0], ny = out.shape[1], nx = out.shape[2];
    const i64 across = (nx + block_x - 1) / block_x, down = (ny + block_y - 1) / block_y;
    const i64 deep = (nz + tile_z - 1) / tile_z;
    std::vector<std::vector<T>> scratch(max_workers());
    parallel_for(checked_product({deep, down, across}), 1, [&](i64 begin, i64 end, int worker) {
        auto &memory = scratch[worker];
        memory.resize(block_x * block_y * tile_z + 64 / sizeof(T));
        void *start = memory.data();
        std::size_t room = memory.size() * sizeof(T);
        T *block = static_cast<T *>(std::align(64, room - 64, start, room));
        for (i64 item = begin; item < end; ++item) {
            const i64 z = item / (down * across) * tile_z;
            const i64 y = item / across % down * block_y, x = item % across * block_x;
            const i64 width = std::min(block_x, nx - x), height = std::min(block_y, ny - y);
            add_block(add_tile, views, x, y, z, width, height, block);
            write_block(block, x, y, z, width, height, add, out);
        }
    });
}

} // namespace pyrad::cone_blocks
