// Interpolation (type 2) and spreading (type 1) between samples and an oversampled grid:
//
//     s_m = sum_g  prod_d w_d(u_md - g_d) grid[g]        and its exact adjoint.
//
// The grid is coil-interleaved: one weight serves all coils, and all coils of a cell are one pack
// of registers. Samples come sorted by tile, so that a tile's cells stay in the first two cache
// levels. Spreading runs over tiles of one colour at a time: tiles are at least as wide as the
// kernel, therefore two tiles of one colour never touch the same cell, and every cell adds up its
// samples in the same order for any number of threads. Reference: J. A. Fessler, B. P. Sutton, IEEE
// Trans. Signal Process. 51 (2003), doi:10.1109/TSP.2002.807005.
#include "mr/gridding.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/gridding_math.hpp"
#include "mr/lanes.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 interp_grain = 2048;
constexpr int batch = 64; // samples whose coil values pass through one small buffer

// The cells that one sample touches, as rows along x. Missing axes count one row of weight 1.
template <class T, int lanes> struct Footprint {
    const i64 *cells;
    const i32 *start;
    const T *weights;
    int dims, width;

    PYRAD_INLINE Footprint(const GridPlan<T> &plan, const i64 *cells, i64 s)
        : cells(cells), start(plan.start + s * plan.dims),
          weights(plan.weights + s * plan.dims * plan.width), dims(plan.dims), width(plan.width) {}

    static PYRAD_INLINE i64 wrap(i64 at, i64 count) { return at >= count ? at - count : at; }

    // visit(offset of the row's first cell in reals, weight of the row)
    template <class Visit> PYRAD_INLINE void rows(Visit &&visit) const {
        const int planes = dims > 2 ? width : 1, lines = dims > 1 ? width : 1;
        for (int i = 0; i < planes; ++i) {
            const i64 plane = dims > 2 ? wrap(start[0] + i, cells[0]) * cells[1] : 0;
            const T weight = dims > 2 ? weights[i] : T(1);
            for (int j = 0; j < lines; ++j) {
                const i64 line = dims > 1 ? plane + wrap(start[dims - 2] + j, cells[1]) : 0;
                visit(line * cells[2] * 2 * lanes,
                      dims > 1 ? weight * weights[(dims - 2) * width + j] : T(1));
            }
        }
    }
    // visit(offset within the row in reals, weight of the cell)
    template <class Visit> PYRAD_INLINE void columns(Visit &&visit) const {
        const i64 first = start[dims - 1];
        const T *w = weights + (dims - 1) * width;
        const int before = static_cast<int>(min_of<i64>(width, cells[2] - first));
        for (int j = 0; j < before; ++j)
            visit((first + j) * 2 * lanes, w[j]);
        for (int j = before; j < width; ++j)
            visit((first + j - cells[2]) * 2 * lanes, w[j]);
    }
};

// Samples [begin, end) in tile order -> out[sample][lanes].
template <int lanes, class T>
PYRAD_CLONES void gather(const T *grid, const i64 *cells, const GridPlan<T> &plan, i64 begin,
                         i64 end, T *out) {
    using P = Pack<T, 2 * lanes>;
    for (i64 s = begin; s < end; ++s, out += 2 * lanes) {
        const Footprint<T, lanes> at(plan, cells, s);
        P sum = P::zero();
        at.rows([&](i64 row, T weight) PYRAD_LAMBDA {
            P line = P::zero();
            at.columns([&](i64 column, T w)
                           PYRAD_LAMBDA { line.add(w, P::load(grid + row + column)); });
            sum.add(weight, line);
        });
        sum.store(out);
    }
}

// The adjoint: in[sample][lanes], times density, added to the grid.
template <int lanes, class T>
PYRAD_CLONES void scatter(const T *in, const T *density, i64 begin, i64 end,
                          const GridPlan<T> &plan, const i64 *cells, T *grid) {
    using P = Pack<T, 2 * lanes>;
    for (i64 s = begin; s < end; ++s, in += 2 * lanes) {
        const Footprint<T, lanes> at(plan, cells, s);
        P value = P::load(in);
        if (density)
            value = value.scaled(density[s]);
        at.rows([&](i64 row, T weight) PYRAD_LAMBDA {
            const P line = value.scaled(weight);
            at.columns([&](i64 column, T w) PYRAD_LAMBDA {
                T *p = grid + row + column;
                P cell = P::load(p);
                cell.add(w, line);
                cell.store(p);
            });
        });
    }
}

// Planar samples [coils][samples] <-> buffer [count][lanes], in tile order.
template <class T>
void to_planar(const T *buffer, const i32 *order, i64 count, i64 lanes, i64 coils, i64 samples,
               T *planar) {
    for (i64 c = 0; c < coils; ++c)
        for (i64 s = 0; s < count; ++s) {
            T *out = planar + 2 * (c * samples + order[s]);
            const T *value = buffer + 2 * (s * lanes + c);
            out[0] = value[0];
            out[1] = value[1];
        }
}

// Asks for the planar samples of a batch ahead of their use: their lines are far apart.
template <int write, class T>
void prefetch_planar(const T *planar, const i32 *order, i64 count, i64 coils, i64 samples) {
    for (i64 c = 0; c < coils; ++c)
        for (i64 s = 0; s < count; s += 32 / static_cast<i64>(sizeof(T)))
            __builtin_prefetch(planar + 2 * (c * samples + order[s]), write);
}

template <class T>
void from_planar(const T *planar, const i32 *order, i64 count, i64 lanes, i64 coils, i64 samples,
                 T *buffer) {
    for (i64 c = 0; c < coils; ++c)
        for (i64 s = 0; s < count; ++s) {
            const T *value = planar + 2 * (c * samples + order[s]);
            T *in = buffer + 2 * (s * lanes + c);
            in[0] = value[0];
            in[1] = value[1];
        }
    for (i64 s = 0; coils < lanes && s < count; ++s)
        std::fill(buffer + 2 * (s * lanes + coils), buffer + 2 * (s + 1) * lanes, T(0));
}

// Tiles 0, 2, 4.. and 1, 3, 5.. of a periodic axis; an odd count leaves the last as a third colour.
int colours_of(i64 tiles) { return tiles == 1 ? 1 : tiles % 2 ? 3 : 2; }
int colour_of(i64 tile, i64 tiles) {
    return tiles % 2 && tile == tiles - 1 && tiles > 1 ? 2 : static_cast<int>(tile % 2);
}

// body(begin, end) over the samples of each tile; tiles that run at once touch different cells.
template <class T, class Body> void for_each_tile(const GridPlan<T> &plan, Body &&body) {
    const Shape3 &n = plan.tiles;
    const int colours[3] = {colours_of(n[0]), colours_of(n[1]), colours_of(n[2])};
    std::vector<std::vector<i64>> by_colour(colours[0] * colours[1] * colours[2]);
    for (i64 t = 0; t < n[0] * n[1] * n[2]; ++t) {
        if (plan.bins[t] == plan.bins[t + 1])
            continue;
        const int z = colour_of(t / (n[1] * n[2]), n[0]), y = colour_of(t / n[2] % n[1], n[1]),
                  x = colour_of(t % n[2], n[2]);
        by_colour[(z * colours[1] + y) * colours[2] + x].push_back(t);
    }
    for (auto &tiles : by_colour) { // heaviest first: the centre of k-space must not come last
        std::stable_sort(tiles.begin(), tiles.end(), [&](i64 a, i64 b) {
            return plan.bins[a + 1] - plan.bins[a] > plan.bins[b + 1] - plan.bins[b];
        });
        parallel_for(static_cast<i64>(tiles.size()), 1, [&](i64 begin, i64 end, int) {
            for (i64 i = begin; i < end; ++i)
                body(plan.bins[tiles[i]], plan.bins[tiles[i] + 1]);
        });
    }
}

template <class T> void clear(T *grid, i64 reals) {
    parallel_for(reals, 1 << 18,
                 [&](i64 begin, i64 end, int) { std::fill(grid + begin, grid + end, T(0)); });
}

} // namespace

template <class T>
void interpolate(const T *grid, const Shape3 &cells, i64 lanes, const GridPlan<T> &plan, i64 coils,
                 T *samples) {
    with_lanes<T>(lanes, [&](auto n) {
        parallel_for(plan.samples, interp_grain, [&](i64 begin, i64 end, int) {
            alignas(64) T buffer[batch * 2 * n];
            for (i64 s = begin; s < end; s += batch) {
                const i64 count = std::min<i64>(batch, end - s);
                prefetch_planar<1>(samples, plan.order + s, count, coils, plan.samples);
                gather<n>(grid, cells.data(), plan, s, s + count, buffer);
                to_planar(buffer, plan.order + s, count, n, coils, plan.samples, samples);
            }
        });
    });
}

template <class T>
void spread(const T *samples, i64 coils, const GridPlan<T> &plan, const Shape3 &cells, i64 lanes,
            T *grid) {
    clear(grid, cells[0] * cells[1] * cells[2] * lanes * 2);
    with_lanes<T>(lanes, [&](auto n) {
        for_each_tile(plan, [&](i64 begin, i64 end) {
            alignas(64) T buffer[batch * 2 * n];
            for (i64 s = begin; s < end; s += batch) {
                const i64 count = std::min<i64>(batch, end - s);
                from_planar(samples, plan.order + s, count, n, coils, plan.samples, buffer);
                const i64 next = std::min<i64>(batch, end - s - count);
                prefetch_planar<0>(samples, plan.order + s + count, next, coils, plan.samples);
                scatter<n>(buffer, static_cast<const T *>(nullptr), s, s + count, plan,
                           cells.data(), grid);
            }
        });
    });
}

template <class T>
void interpolate_sorted(const T *grid, const Shape3 &cells, i64 lanes, const GridPlan<T> &plan,
                        T *samples) {
    with_lanes<T>(lanes, [&](auto n) {
        parallel_for(plan.samples, interp_grain, [&](i64 begin, i64 end, int) {
            gather<n>(grid, cells.data(), plan, begin, end, samples + begin * 2 * n);
        });
    });
}

template <class T>
void spread_sorted(const T *samples, const T *density, const GridPlan<T> &plan, const Shape3 &cells,
                   i64 lanes, T *grid) {
    clear(grid, cells[0] * cells[1] * cells[2] * lanes * 2);
    with_lanes<T>(lanes, [&](auto n) {
        for_each_tile(plan, [&](i64 begin, i64 end) {
            scatter<n>(samples + begin * 2 * n, density, begin, end, plan, cells.data(), grid);
        });
    });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void interpolate(const T *, const Shape3 &, i64, const GridPlan<T> &, i64, T *);      \
    template void spread(const T *, i64, const GridPlan<T> &, const Shape3 &, i64, T *);           \
    template void interpolate_sorted(const T *, const Shape3 &, i64, const GridPlan<T> &, T *);    \
    template void spread_sorted(const T *, const T *, const GridPlan<T> &, const Shape3 &, i64,    \
                                T *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)

} // namespace pyrad
