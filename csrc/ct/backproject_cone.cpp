// Backprojection step of FDK (Feldkamp, Davis & Kress 1984, doi 10.1364/JOSAA.1.000612):
//
//     f(x, y, z) = sum_view w(x, y) q_view(u(x, y), v(x, y, z))
//
// where the source and an upright detector turn about z, so that column u and weight w do not
// depend on z and row v is linear in it (backproject_cone_math.hpp). The projections lie with
// their rows innermost: the two columns next to u are blended by w (1 - f) and w f, and z runs
// along the blend. A block of 32 x 32 x 64 voxels, z innermost, stays in L2 with the columns that
// `view_block` views cast on it; within it, tiles of 16 x 4 x 64 keep theirs in L1.
#include "ct/backproject_cone.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/backproject_parallel.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 block_x = 32, block_y = 32, view_block = 32;

// The portable tile kernel, and the oracle of the permuting ones; rows may advance by any step.
template <class T, int Rays>
PYRAD_CLONES void add_views(const ConeTable<T> &table, i64 begin, i64 end, i64 x, i64 y, i64 z,
                            T *tile) {
    ConeLine<T, tile_z> line;
    const int rows = static_cast<int>(table.rows);
    for (i64 v = begin; v < end; ++v)
        for (i64 row = 0; row < tile_y; ++row) {
            place<T, Rays, tile_z>(table, v, x, y + row, z, line);
            for (int i = 0; i < tile_x; ++i) {
                if (line.column[i] < -1)
                    continue;
                const T *p =
                    table.value + v * table.view_stride + line.column[i] * table.column_stride;
                const T *q = p + table.column_stride;
                const T low = line.low[i], high = line.high[i];
                const T first = line.first[i], rise = line.rise[i];
                T *out = tile + (row * tile_x + i) * tile_z;
                for (int k = 0; k < tile_z; ++k) {
                    const T at = min_of(max_of(first + rise * T(k), T(-1)), T(rows));
                    const int whole = static_cast<int>(at + T(1)) - 1;
                    const T part = at - static_cast<T>(whole);
                    const T a = low * p[whole] + high * q[whole];
                    const T b = low * p[whole + 1] + high * q[whole + 1];
                    out[k] += a + part * (b - a);
                }
            }
        }
}

template <class T> ConeKernel<T> portable_kernel(int rays) {
    switch (rays) {
    case flat:
        return &add_views<T, flat>;
    case curved:
        return &add_views<T, curved>;
    case rebinned_flat:
        return &add_views<T, rebinned_flat>;
    default:
        return &add_views<T, rebinned_curved>;
    }
}

template <class T> ConeKernel<T> fast_kernel(int) { return nullptr; }
template <> ConeKernel<float> fast_kernel<float>(int rays) { return permuting_cone_kernel(rays); }

template <class T>
void add_block(const ConeTable<T> &table, ConeKernel<T> kernel, i64 views, i64 x, i64 y, i64 z,
               i64 width, i64 height, T *block) {
    std::fill_n(block, block_x * block_y * tile_z, T(0));
    for (i64 v = 0; v < views; v += view_block) {
        const i64 end = std::min(v + view_block, views);
        T *tile = block;
        for (i64 dy = 0; dy < block_y; dy += tile_y)
            for (i64 dx = 0; dx < block_x; dx += tile_x, tile += tile_x * tile_y * tile_z)
                if (dx < width && dy < height)
                    kernel(table, v, end, x + dx, y + dy, z, tile);
        poll();
    }
}

// The block is a row of tiles [y / tile_y][x / tile_x], each [tile_y][tile_x][tile_z].
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

} // namespace

template <class T>
void backproject_cone(View<const T, 3> filtered, View<const double, 2> views, const ConeScan &scan,
                      bool add, View<T, 3> out) {
    const i64 stride = filtered.shape[2];
    const ConeTable<T> table{filtered.data + stride + row_pad,
                             filtered.shape[1] * stride,
                             stride,
                             filtered.shape[1] - 2,
                             scan.rows,
                             views.data,
                             {static_cast<T>(scan.centre_u), static_cast<T>(scan.magnify_u),
                              static_cast<T>(scan.centre_v), static_cast<T>(scan.magnify_v),
                              static_cast<T>(scan.source_origin), static_cast<T>(scan.climb)},
                             scan.step_z};
    const i64 nz = out.shape[0], ny = out.shape[1], nx = out.shape[2];
    ConeKernel<T> kernel = fast_kernel<T>(scan.rays);
    if (!kernel)
        kernel = portable_kernel<T>(scan.rays);
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
            add_block(table, kernel, views.shape[0], x, y, z, width, height, block);
            write_block(block, x, y, z, width, height, add, out);
        }
    });
}

template void backproject_cone(View<const float, 3>, View<const double, 2>, const ConeScan &, bool,
                               View<float, 3>);
template void backproject_cone(View<const double, 3>, View<const double, 2>, const ConeScan &, bool,
                               View<double, 3>);

} // namespace pyrad
