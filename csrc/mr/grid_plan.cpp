// Tile sort and kernel weights of a sample set: counting sort over tiles of the oversampled grid,
// weights by piecewise Horner polynomials (gridding_math.hpp).
#include "mr/gridding.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/gridding_math.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

// Samples per task: never depends on the number of threads, and leaves at most 64 tables of counts.
i64 chunk_size(i64 samples) { return std::max<i64>(1 << 14, (samples + 63) / 64); }

struct Placement {
    int dims, width;
    const double *ratio;
    Shape3 cells, tiles;
    std::vector<i32> tile_of[3]; // per axis of the grid: tile of each cell

    Placement(int dims, int width, const double *ratio, const Shape3 &cells, const Shape3 &tiles)
        : dims(dims), width(width), ratio(ratio), cells(cells), tiles(tiles) {
        for (int axis = 0; axis < 3; ++axis)
            for (i64 cell = 0; cell < cells[axis]; ++cell)
                tile_of[axis].push_back(
                    static_cast<i32>(grid_tile(cell, tiles[axis], cells[axis])));
    }
};

// First cells, arguments t and tile of every sample in [begin, end).
PYRAD_CLONES void place(const double *coordinates, const Placement &p, i64 begin, i64 end,
                        i32 *start, double *offset, i32 *tile) {
    const int skip = 3 - p.dims;
    for (i64 s = begin; s < end; ++s) {
        i64 at = 0;
        for (int d = 0; d < p.dims; ++d) {
            const int axis = skip + d;
            const double u = coordinates[s * p.dims + d] * p.ratio[d];
            const i32 first = grid_start(u, p.width, p.cells[axis], offset[s * p.dims + d]);
            start[s * p.dims + d] = first;
            at = at * p.tiles[axis] + p.tile_of[axis][first];
        }
        tile[s] = static_cast<i32>(at);
    }
}

// All `width` polynomials at x; the table is padded to `padded` columns so that the loop over
// polynomials fills whole registers.
template <int padded, class T>
inline __attribute__((always_inline)) void horner(const T *table, int degree, T x, T *out) {
    T p[padded];
    for (int j = 0; j < padded; ++j)
        p[j] = table[j];
    for (int d = 1; d <= degree; ++d)
        for (int j = 0; j < padded; ++j)
            p[j] = p[j] * x + table[d * padded + j];
    for (int j = 0; j < padded; ++j)
        out[j] = p[j];
}

template <int padded, class T>
inline __attribute__((always_inline)) void weigh_rows(const T *table, int degree, int width,
                                                      const double *offset, const i32 *order,
                                                      int dims, i64 begin, i64 end, T *weights) {
    for (i64 s = begin; s < end; ++s)
        for (int d = 0; d < dims; ++d) {
            T all[padded];
            horner<padded>(table, degree, static_cast<T>(offset[i64(order[s]) * dims + d]), all);
            T *out = weights + (s * dims + d) * width;
            for (int j = 0; j < width; ++j)
                out[j] = all[j];
        }
}

template <class T>
PYRAD_CLONES void weigh(const T *table, int degree, int width, const double *offset,
                        const i32 *order, int dims, i64 begin, i64 end, T *weights) {
    if (width <= 8)
        weigh_rows<8>(table, degree, width, offset, order, dims, begin, end, weights);
    else
        weigh_rows<max_grid_width>(table, degree, width, offset, order, dims, begin, end, weights);
}

template <class T> std::vector<T> padded_table(const T *coefficients, int degree, int width) {
    const int padded = width <= 8 ? 8 : max_grid_width;
    std::vector<T> table((degree + 1) * padded);
    for (int d = 0; d <= degree; ++d)
        std::copy_n(coefficients + d * width, width, table.begin() + d * padded);
    return table;
}

// Positions in tile order: per chunk and tile, how many samples lie before.
void counting_sort(const std::vector<i32> &tile, i64 tiles, i32 *order, i64 *bins) {
    const i64 samples = static_cast<i64>(tile.size());
    const i64 chunk = chunk_size(samples), chunks = (samples + chunk - 1) / chunk;
    std::vector<i32> counts(chunks * tiles);
    parallel_for(samples, chunk, [&](i64 begin, i64 end, int) {
        i32 *count = counts.data() + begin / chunk * tiles;
        for (i64 s = begin; s < end; ++s)
            ++count[tile[s]];
    });
    i64 before = 0;
    for (i64 t = 0; t < tiles; ++t) {
        bins[t] = before;
        for (i64 c = 0; c < chunks; ++c) {
            const i32 here = counts[c * tiles + t];
            counts[c * tiles + t] = static_cast<i32>(before);
            before += here;
        }
    }
    bins[tiles] = before;
    parallel_for(samples, chunk, [&](i64 begin, i64 end, int) {
        i32 *next = counts.data() + begin / chunk * tiles;
        for (i64 s = begin; s < end; ++s)
            order[next[tile[s]]++] = static_cast<i32>(s);
    });
}

} // namespace

template <class T>
void plan_gridding(const double *coordinates, i64 samples, int dims, const double *ratio,
                   const Shape3 &cells, const Shape3 &tiles, const T *coefficients, int degree,
                   int width, i32 *start, T *weights, i32 *order, i64 *bins) {
    const Placement placement(dims, width, ratio, cells, tiles);
    const i64 chunk = chunk_size(samples);
    std::vector<i32> first(samples * dims), tile(samples);
    std::vector<double> offset(samples * dims);
    parallel_for(samples, chunk, [&](i64 begin, i64 end, int) {
        place(coordinates, placement, begin, end, first.data(), offset.data(), tile.data());
    });
    counting_sort(tile, tiles[0] * tiles[1] * tiles[2], order, bins);
    const std::vector<T> table = padded_table(coefficients, degree, width);
    parallel_for(samples, chunk, [&](i64 begin, i64 end, int) {
        for (i64 s = begin; s < end; ++s)
            for (int d = 0; d < dims; ++d)
                start[s * dims + d] = first[i64(order[s]) * dims + d];
        weigh(table.data(), degree, width, offset.data(), order, dims, begin, end, weights);
    });
}

template void plan_gridding(const double *, i64, int, const double *, const Shape3 &,
                            const Shape3 &, const float *, int, int, i32 *, float *, i32 *, i64 *);
template void plan_gridding(const double *, i64, int, const double *, const Shape3 &,
                            const Shape3 &, const double *, int, int, i32 *, double *, i32 *,
                            i64 *);

} // namespace pyrad
