// Tile order of a sample set in two stable counting sorts: by tile of the oversampled grid, then
// chunk by chunk by cell, so that samples which share cells follow each other.
#include "mr/gridding.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/gridding_math.hpp"

#include <algorithm>
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

template <class K>
PYRAD_CLONES void find_tiles(const K *coordinates, const Placement &p, i64 begin, i64 end,
                             i32 *tile) {
    const int skip = 3 - p.dims;
    for (i64 s = begin; s < end; ++s) {
        i64 at = 0;
        for (int d = 0; d < p.dims; ++d) {
            const int axis = skip + d;
            double t;
            const i32 first =
                grid_start(coordinates[s * p.dims + d] * p.ratio[d], p.width, p.cells[axis], t);
            at = at * p.tiles[axis] + p.tile_of[axis][first];
        }
        tile[s] = static_cast<i32>(at);
    }
}

// Samples by tile, in the caller's order within a tile.
void sort_by_tile(const std::vector<i32> &tile, i64 tiles, i32 *order, i64 *bins) {
    const i64 samples = static_cast<i64>(tile.size());
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
template <class T> struct Chunk {
    std::vector<i32> start, key, place, count;
    std::vector<T> offset;
    std::vector<i64> sorted;

    explicit Chunk(const Placement &p)
        : start(chunk_samples * p.dims), key(chunk_samples), place(chunk_samples),
          count(p.keys() + 1), offset(chunk_samples * p.dims), sorted(chunk_samples) {}
};

// First cells, arguments and keys of `count` samples.
template <class T, class K>
PYRAD_CLONES void place(const K *coordinates, const i32 *caller, i64 count, const Placement &p,
                        i32 *start, T *offset, i32 *keys) {
    const int dims = p.dims, skip = 3 - dims;
    for (i64 i = 0; i < count; ++i) {
        const K *k = coordinates + static_cast<i64>(caller[i]) * dims;
        i64 within[3] = {0, 0, 0};
        for (int d = 0; d < dims; ++d) {
            const int axis = skip + d;
            double t;
            const i32 first = grid_start(k[d] * p.ratio[d], p.width, p.cells[axis], t);
            start[i * dims + d] = first;
            offset[i * dims + d] = static_cast<T>(t);
            within[axis] = p.within_of[axis][first];
        }
        const i64 pair = within[0] * (p.extent[2] / 2) + within[2] / 2;
        keys[i] = static_cast<i32>((pair * p.extent[1] + within[1]) * 2 + within[2] % 2);
    }
}

// Places by key, stable: by counting, or by sorting where keys outnumber samples by far.
template <class T> void sort_chunk(i64 count, Chunk<T> &c) {
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
template <class T, class K>
void write_chunk(const K *coordinates, const i32 *caller, i64 begin, i64 count, const Placement &p,
                 Chunk<T> &c, const PlanArrays<T> &plan) {
    const int dims = p.dims;
    place(coordinates, caller + begin, count, p, c.start.data(), c.offset.data(), c.key.data());
    sort_chunk(count, c);
    for (i64 i = 0; i < count; ++i) {
        const i64 at = begin + c.place[i];
        plan.order[at] = caller[begin + i];
        for (int d = 0; d < dims; ++d) {
            plan.start[at * dims + d] = c.start[i * dims + d];
            plan.offset[at * dims + d] = c.offset[i * dims + d];
        }
    }
}

} // namespace

template <class T, class K>
void plan_gridding(const K *coordinates, i64 samples, int dims, const double *ratio,
                   const Shape3 &cells, const Shape3 &tiles, int width, const PlanArrays<T> &plan) {
    const Placement placement(dims, width, ratio, cells, tiles);
    const i64 count = tiles[0] * tiles[1] * tiles[2];
    std::vector<i32> tile(samples), caller(samples);
    parallel_for(samples, part_size(samples), [&](i64 begin, i64 end, int) {
        find_tiles(coordinates, placement, begin, end, tile.data());
    });
    sort_by_tile(tile, count, caller.data(), plan.bins);
    const i64 grain = std::max<i64>(1, count / 128);
    parallel_for(count, grain, [&](i64 first, i64 last, int) {
        Chunk<T> chunk(placement);
        for (i64 t = first; t < last; ++t)
            for (i64 s = plan.bins[t]; s < plan.bins[t + 1]; s += chunk_samples)
                write_chunk(coordinates, caller.data(), s,
                            std::min(chunk_samples, plan.bins[t + 1] - s), placement, chunk, plan);
    });
}

#define PYRAD_INSTANTIATE(T, K)                                                                    \
    template void plan_gridding(const K *, i64, int, const double *, const Shape3 &,               \
                                const Shape3 &, int, const PlanArrays<T> &);
PYRAD_INSTANTIATE(float, float)
PYRAD_INSTANTIATE(float, double)
PYRAD_INSTANTIATE(double, float)
PYRAD_INSTANTIATE(double, double)

} // namespace pyrad
