// Tile order of a sample set in two stable counting sorts: by tile of the oversampled grid, then
// chunk by chunk by cell, so that samples which share cells follow each other.
#include "mr/gridding.hpp"

#include "base/pool.hpp"
#include "base/scratch.hpp"
#include "base/simd.hpp"
#include "base/with_constant.hpp"
#include "mr/gridding_math.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

// Samples per task: never depends on the number of threads, and leaves at most 64 tables of counts.
i64 part_size(i64 samples) { return std::max<i64>(1 << 14, (samples + 63) / 64); }

struct Placement {
    int dims, width;
    double ratio[3];
    Shape3 cells, tiles;
    std::vector<i32> tile_of[3];   // per axis of the grid: tile of each cell
    std::vector<i32> within_of[3]; // place of each cell in its tile
    i64 extent[3] = {1, 1, 1};     // cells of the longest tile, even along x

    Placement(int dims, int width, const double *ratio, const Shape3 &cells, const Shape3 &tiles)
        : dims(dims), width(width), ratio{0, 0, 0}, cells(cells), tiles(tiles) {
        std::copy_n(ratio, dims, this->ratio);
        for (int axis = 0; axis < 3; ++axis)
            for (i64 cell = 0; cell < cells[axis]; ++cell) {
                const i64 tile = grid_tile(cell, tiles[axis], cells[axis]);
                const i64 within = cell - tile_start(tile, tiles[axis], cells[axis]);
                tile_of[axis].push_back(static_cast<i32>(tile));
                within_of[axis].push_back(static_cast<i32>(within));
                extent[axis] = std::max(extent[axis], within + 1);
            }
        extent[2] += extent[2] % 2;
    }
    i64 keys() const { return extent[0] * extent[1] * extent[2]; }
};

// What is known of every sample, in the caller's order.
template <class T> struct Placed {
    i32 *start; // [samples][dims]
    T *offset;  // [samples][dims]
    i32 *tile, *key;
};

constexpr i64 block = 512; // samples placed at a time: one plain loop per axis

// First cells and offsets along one axis; grid_start() as a loop that vectorises.
template <int dims, class T, class K>
PYRAD_CLONES void place_axis(const K *coordinates, i64 count, double ratio, int width, i64 cells,
                             i32 *first, i32 *start, T *offset) {
    const double shift = static_cast<double>(cells / 2) - 0.5 * width;
    const i32 all = static_cast<i32>(cells);
    for (i64 i = 0; i < count; ++i) {
        const double left = coordinates[i * dims] * ratio + shift;
        const double up = ceil(left);
        i32 cell = static_cast<i32>(up);
        cell += cell < 0 ? all : 0;
        cell -= cell >= all ? all : 0;
        cell = clamp(cell, 0, all - 1); // nothing out of bounds, whatever the coordinates
        first[i] = cell;
        start[i * dims] = cell;
        offset[i * dims] = static_cast<T>(2 * (up - left) - 1);
    }
}

template <int dims, class T, class K>
void place(const K *coordinates, const Placement &p, i64 begin, i64 end, const Placed<T> &out) {
    i32 first[3][block];
    std::fill(first[0], first[0] + 3 * block, 0);
    const i64 pairs = p.extent[2] / 2;
    for (i64 s = begin; s < end; s += block) {
        const i64 count = std::min(block, end - s);
        for (int d = 0; d < dims; ++d) {
            const int axis = 3 - dims + d;
            const i64 at = s * dims + d;
            place_axis<dims>(coordinates + at, count, p.ratio[d], p.width, p.cells[axis],
                             first[axis], out.start + at, out.offset + at);
        }
        for (i64 i = 0; i < count; ++i) {
            i64 tile = 0;
            for (int axis = 3 - dims; axis < 3; ++axis)
                tile = tile * p.tiles[axis] + p.tile_of[axis][first[axis][i]];
            out.tile[s + i] = static_cast<i32>(tile);
            const i64 z = p.within_of[0][first[0][i]], y = p.within_of[1][first[1][i]],
                      x = p.within_of[2][first[2][i]];
            const i64 pair = z * pairs + x / 2;
            out.key[s + i] = static_cast<i32>((pair * p.extent[1] + y) * 2 + x % 2);
        }
    }
}

// Samples by tile, in the caller's order within a tile.
void sort_by_tile(const i32 *tile, i64 samples, i64 tiles, i32 *order, i64 *bins) {
    const i64 part = part_size(samples), parts = (samples + part - 1) / part;
    std::vector<i32> counts(parts * tiles);
    parallel_for(samples, part, [&](i64 begin, i64 end, int) {
        i32 *count = counts.data() + begin / part * tiles;
        for (i64 s = begin; s < end; ++s)
            ++count[tile[s]];
    });
    i64 before = 0;
    for (i64 t = 0; t < tiles; ++t) {
        bins[t] = before;
        for (i64 c = 0; c < parts; ++c) {
            const i32 here = counts[c * tiles + t];
            counts[c * tiles + t] = static_cast<i32>(before);
            before += here;
        }
    }
    bins[tiles] = before;
    parallel_for(samples, part, [&](i64 begin, i64 end, int) {
        i32 *next = counts.data() + begin / part * tiles;
        for (i64 s = begin; s < end; ++s)
            order[next[tile[s]]++] = static_cast<i32>(s);
    });
}

// Scratch of one chunk; `place` sends the i-th sample of the chunk to its place in tile order.
struct Chunk {
    std::vector<i32> key, place, count;
    std::vector<i64> sorted;

    explicit Chunk(const Placement &p)
        : key(chunk_samples), place(chunk_samples), count(p.keys() + 1), sorted(chunk_samples) {}
};

// Places by key, stable: by counting, or by sorting where keys outnumber samples by far.
void sort_chunk(i64 count, Chunk &c) {
    const i64 keys = static_cast<i64>(c.count.size()) - 1;
    if (8 * count < keys) {
        for (i64 i = 0; i < count; ++i)
            c.sorted[i] = static_cast<i64>(c.key[i]) << 32 | i;
        std::sort(c.sorted.begin(), c.sorted.begin() + count);
        for (i64 at = 0; at < count; ++at)
            c.place[c.sorted[at] & 0xffffffff] = static_cast<i32>(at);
        return;
    }
    std::fill(c.count.begin(), c.count.end(), 0);
    for (i64 i = 0; i < count; ++i)
        ++c.count[c.key[i] + 1];
    for (i64 k = 0; k < keys; ++k)
        c.count[k + 1] += c.count[k];
    for (i64 i = 0; i < count; ++i)
        c.place[i] = c.count[c.key[i]]++;
}

// One chunk from `begin` on, whose samples stand in caller's order in caller[begin ...].
template <int dims, class T>
void write_chunk(const Placed<T> &placed, const i32 *caller, i64 begin, i64 count, Chunk &c,
                 const PlanArrays<T> &plan) {
    for (i64 i = 0; i < count; ++i)
        c.key[i] = placed.key[caller[begin + i]];
    sort_chunk(count, c);
    for (i64 i = 0; i < count; ++i) {
        const i64 at = begin + c.place[i], from = caller[begin + i];
        plan.order[at] = static_cast<i32>(from);
        for (int d = 0; d < dims; ++d) {
            plan.start[at * dims + d] = placed.start[from * dims + d];
            plan.offset[at * dims + d] = placed.offset[from * dims + d];
        }
    }
}

template <int dims, class T, class K>
void make_plan(const K *coordinates, i64 samples, const Placement &placement,
               const PlanArrays<T> &plan) {
    const i64 tiles = placement.tiles[0] * placement.tiles[1] * placement.tiles[2];
    const Scratch scratch(samples * ((3 + dims) * sizeof(i32) + dims * sizeof(T)));
    T *offset = static_cast<T *>(scratch.data());
    i32 *start = reinterpret_cast<i32 *>(offset + samples * dims);
    i32 *tile = start + samples * dims, *caller = tile + 2 * samples;
    const Placed<T> placed{start, offset, tile, tile + samples};
    parallel_for(samples, part_size(samples), [&](i64 begin, i64 end, int) {
        place<dims>(coordinates, placement, begin, end, placed);
    });
    sort_by_tile(tile, samples, tiles, caller, plan.bins);
    parallel_for(tiles, std::max<i64>(1, tiles / 128), [&](i64 first, i64 last, int) {
        Chunk chunk(placement);
        for (i64 t = first; t < last; ++t)
            for (i64 s = plan.bins[t]; s < plan.bins[t + 1]; s += chunk_samples)
                write_chunk<dims>(placed, caller, s, std::min(chunk_samples, plan.bins[t + 1] - s),
                                  chunk, plan);
    });
}

} // namespace

template <class T, class K>
void plan_gridding(const K *coordinates, i64 samples, int dims, const double *ratio,
                   const Shape3 &cells, const Shape3 &tiles, int width, const PlanArrays<T> &plan) {
    const Placement placement(dims, width, ratio, cells, tiles);
    with_constant<1, 2, 3>(dims,
                           [&](auto d) { make_plan<d>(coordinates, samples, placement, plan); });
}

#define PYRAD_INSTANTIATE(T, K)                                                                    \
    template void plan_gridding(const K *, i64, int, const double *, const Shape3 &,               \
                                const Shape3 &, int, const PlanArrays<T> &);
PYRAD_INSTANTIATE(float, float)
PYRAD_INSTANTIATE(float, double)
PYRAD_INSTANTIATE(double, float)
PYRAD_INSTANTIATE(double, double)

} // namespace pyrad
