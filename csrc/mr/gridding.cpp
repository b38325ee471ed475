// Interpolation (type 2) and spreading (type 1) between samples and an oversampled grid:
//
//     s_m = sum_g  prod_d w_d(u_md - g_d) grid[g]        and its exact adjoint.
//
// The grid is coil-interleaved: one weight serves all coils, and all coils of a cell are one pack
// of registers. Samples come sorted by tile, so that a tile's cells stay in the first two cache
// levels. Spreading runs over tiles of one colour at a time: tiles are at least as wide as the
// kernel, therefore two tiles of one colour never touch the same cell, and every cell adds up its
// samples in the same order for any number of threads. Tiles with very many samples are shared out
// to copies of their surroundings, which are added in order. Reference: J. A. Fessler, B. P.
// Sutton, IEEE Trans. Signal Process. 51 (2003), doi:10.1109/TSP.2002.807005.
#include "mr/gridding.hpp"

#include "base/pool.hpp"
#include "base/scratch.hpp"
#include "base/simd.hpp"
#include "mr/gridding_loops.hpp"
#include "mr/gridding_math.hpp"
#include "mr/lanes.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

// Samples of a task of interpolation, of a tile that is shared out, of one share.
constexpr i64 interp_grain = 1024, crowded = 16384, share = 8192;

template <class T> PYRAD_INLINE void all_weights(const T *table, int degree, T t, T *w) {
    for (int j = 0; j < table_columns; ++j)
        w[j] = table[j];
    for (int d = 1; d <= degree; ++d)
        for (int j = 0; j < table_columns; ++j)
            w[j] = w[j] * t + table[d * table_columns + j];
}

// The footprint of one sample; missing axes count one row of weight 1.
template <class T> struct Footprint {
    alignas(64) T weights[3][table_columns];
    int count[3];
    i64 first[3];
    bool wraps;

    PYRAD_INLINE void find(const GridPlan<T> &plan, const T *table, const Shape3 &cells,
                           const Shape3 &origin, i64 s) {
        wraps = false;
        for (int axis = 0; axis < 3; ++axis) {
            const int d = axis - 3 + plan.dims;
            count[axis] = d < 0 ? 1 : plan.width;
            first[axis] = d < 0 ? 0 : plan.start[s * plan.dims + d] - origin[axis];
            wraps |= first[axis] + count[axis] > cells[axis];
            if (d < 0)
                weights[axis][0] = 1;
            else
                all_weights(table, plan.degree, plan.offset[s * plan.dims + d], weights[axis]);
        }
    }
    // visit(offset of the row's first cell in cells, weight of the row), footprint within the grid
    template <class Visit> PYRAD_INLINE void rows(const Shape3 &cells, Visit &&visit) const {
        for (int i = 0; i < count[0]; ++i)
            for (int j = 0; j < count[1]; ++j)
                visit(((first[0] + i) * cells[1] + first[1] + j) * cells[2] + first[2],
                      weights[0][i] * weights[1][j]);
    }
    // visit(offset of the cell, its weight), footprint anywhere
    template <class Visit> PYRAD_INLINE void wrapped_cells(const Shape3 &n, Visit &&visit) const {
        const auto at = [&](int axis, int step) {
            const i64 cell = first[axis] + step;
            return cell >= n[axis] ? cell - n[axis] : cell;
        };
        for (int i = 0; i < count[0]; ++i)
            for (int j = 0; j < count[1]; ++j)
                for (int k = 0; k < count[2]; ++k)
                    visit((at(0, i) * n[1] + at(1, j)) * n[2] + at(2, k),
                          weights[0][i] * weights[1][j] * weights[2][k]);
    }
};

template <int lanes, class T>
PYRAD_CLONES void gather(const GridView<const T> &grid, const GridPlan<T> &plan, const T *table,
                         i64 begin, i64 end, const SampleValues<T> &samples) {
    using P = Pack<T, 2 * lanes>;
    Footprint<T> at;
    for (i64 s = begin; s < end; ++s) {
        at.find(plan, table, grid.cells, grid.origin, s);
        P sum = P::zero();
        if (!at.wraps)
            at.rows(grid.cells, [&](i64 row, T weight) PYRAD_LAMBDA {
                P line = P::zero();
                for (int k = 0; k < at.count[2]; ++k)
                    line.add(at.weights[2][k], P::load(grid.values + (row + k) * 2 * lanes));
                sum.add(weight, line);
            });
        else
            at.wrapped_cells(grid.cells, [&](i64 cell, T weight) PYRAD_LAMBDA {
                sum.add(weight, P::load(grid.values + cell * 2 * lanes));
            });
        sum.store(samples.of(s, 2 * lanes));
    }
}

template <int lanes, class T>
PYRAD_CLONES void scatter(const SampleValues<const T> &samples, const T *density,
                          const GridPlan<T> &plan, const T *table, i64 begin, i64 end,
                          const GridView<T> &grid) {
    using P = Pack<T, 2 * lanes>;
    Footprint<T> at;
    const auto add_to = [&](i64 cell, T weight, const P &value) PYRAD_LAMBDA {
        P sum = P::load(grid.values + cell * 2 * lanes);
        sum.add(weight, value);
        sum.store(grid.values + cell * 2 * lanes);
    };
    for (i64 s = begin; s < end; ++s) {
        at.find(plan, table, grid.cells, grid.origin, s);
        P value = P::load(samples.of(s, 2 * lanes));
        if (density)
            value = value.scaled(density[s]);
        if (!at.wraps)
            at.rows(grid.cells, [&](i64 row, T weight) PYRAD_LAMBDA {
                const P line = value.scaled(weight);
                for (int k = 0; k < at.count[2]; ++k)
                    add_to(row + k, at.weights[2][k], line);
            });
        else
            at.wrapped_cells(grid.cells,
                             [&](i64 cell, T weight) PYRAD_LAMBDA { add_to(cell, weight, value); });
    }
}

template <class T> T *scratch_of(std::vector<T> &memory, i64 count) {
    memory.resize(count + 64 / sizeof(T));
    const auto past = reinterpret_cast<u64>(memory.data()) % 64;
    return memory.data() + (64 - past) % 64 / sizeof(T);
}

constexpr i64 transpose_grain = 4096;

// Interleaved samples [samples][lanes] -> planar [coils][samples], caller's order both. Several
// cache lines of every coil at a time: planes often lie a multiple of a page apart.
template <class T>
void to_planar(const T *interleaved, i64 samples, i64 lanes, i64 coils, T *planar) {
    const auto *in = reinterpret_cast<const Complex<T> *>(interleaved);
    auto *out = reinterpret_cast<Complex<T> *>(planar);
    constexpr i64 block = 128 / sizeof(T);
    parallel_for(samples, transpose_grain, [&](i64 begin, i64 end, int) {
        for (i64 s = begin; s < end; s += block)
            for (i64 c = 0; c < coils; ++c)
                for (i64 i = s; i < std::min(s + block, end); ++i)
                    out[c * samples + i] = in[i * lanes + c];
    });
}

template <class T>
void from_planar(const T *planar, i64 samples, i64 lanes, i64 coils, T *interleaved) {
    const auto *in = reinterpret_cast<const Complex<T> *>(planar);
    auto *out = reinterpret_cast<Complex<T> *>(interleaved);
    constexpr i64 block = 128 / sizeof(T);
    parallel_for(samples, transpose_grain, [&](i64 begin, i64 end, int) {
        for (i64 s = begin; s < end; s += block) {
            const i64 past = std::min(s + block, end);
            for (i64 c = 0; c < coils; ++c)
                for (i64 i = s; i < past; ++i)
                    out[i * lanes + c] = in[c * samples + i];
            for (i64 i = s; coils < lanes && i < past; ++i)
                std::fill(out + i * lanes + coils, out + (i + 1) * lanes, Complex<T>{0, 0});
        }
    });
}

// Tiles 0, 2, 4.. and 1, 3, 5.. of a periodic axis; an odd count leaves the last as a third colour.
int colours_of(i64 tiles) { return tiles == 1 ? 1 : tiles % 2 ? 3 : 2; }
int colour_of(i64 tile, i64 tiles) {
    return tiles % 2 && tile == tiles - 1 && tiles > 1 ? 2 : static_cast<int>(tile % 2);
}

// Tiles with samples by colour, heaviest first: the centre of k-space must not come last; the
// crowded ones apart.
struct TileOrder {
    std::vector<std::vector<i64>> by_colour;
    std::vector<i64> crowded_tiles;
};

TileOrder order_tiles(const i64 *bins, const Shape3 &n) {
    const int colours[3] = {colours_of(n[0]), colours_of(n[1]), colours_of(n[2])};
    TileOrder order{std::vector<std::vector<i64>>(colours[0] * colours[1] * colours[2]), {}};
    for (i64 t = 0; t < n[0] * n[1] * n[2]; ++t) {
        if (bins[t] == bins[t + 1])
            continue;
        const int z = colour_of(t / (n[1] * n[2]), n[0]), y = colour_of(t / n[2] % n[1], n[1]),
                  x = colour_of(t % n[2], n[2]);
        if (bins[t + 1] - bins[t] > crowded)
            order.crowded_tiles.push_back(t);
        else
            order.by_colour[(z * colours[1] + y) * colours[2] + x].push_back(t);
    }
    for (auto &tiles : order.by_colour)
        std::stable_sort(tiles.begin(), tiles.end(), [&](i64 a, i64 b) {
            return bins[a + 1] - bins[a] > bins[b + 1] - bins[b];
        });
    return order;
}

// The cells that samples of a tile may touch, as a grid of its own; along x up to a whole slab.
template <class T>
GridView<T> surroundings(const GridPlan<T> &plan, const Shape3 &cells, i64 tile) {
    const i64 at[3] = {tile / (plan.tiles[1] * plan.tiles[2]), tile / plan.tiles[2] % plan.tiles[1],
                       tile % plan.tiles[2]};
    GridView<T> view{nullptr, {1, 1, 1}, {0, 0, 0}};
    for (int axis = 3 - plan.dims; axis < 3; ++axis) {
        view.origin[axis] = tile_start(at[axis], plan.tiles[axis], cells[axis]);
        view.cells[axis] = tile_start(at[axis] + 1, plan.tiles[axis], cells[axis]) -
                           view.origin[axis] + plan.width + plan.width % 2;
    }
    return view;
}

template <class T> void add_view(const GridView<T> &part, i64 lanes, const Shape3 &cells, T *grid) {
    const i64 row = part.cells[2], rows = part.cells[0] * part.cells[1];
    // Rows that wrap onto each other are added one after another.
    const bool apart = part.cells[0] <= cells[0] && part.cells[1] <= cells[1];
    parallel_for(rows, apart ? 1 : rows, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            const i64 z = (part.origin[0] + r / part.cells[1]) % cells[0],
                      y = (part.origin[1] + r % part.cells[1]) % cells[1];
            for (i64 x = 0; x < row; ++x) {
                const T *from = part.values + (r * row + x) * 2 * lanes;
                T *to = grid + ((z * cells[1] + y) * cells[2] + (part.origin[2] + x) % cells[2]) *
                                   2 * lanes;
                for (i64 c = 0; c < 2 * lanes; ++c)
                    to[c] += from[c];
            }
        }
    });
}

// Adds to `grid` what body(begin, end, view) spreads of samples [begin, end) on a view.
template <class T, class Body>
void spread_tiles(const GridPlan<T> &plan, const Shape3 &cells, i64 lanes, T *grid, Body &&body) {
    const TileOrder order = order_tiles(plan.bins, plan.tiles);
    const GridView<T> whole{grid, cells, {0, 0, 0}};
    for (const auto &tiles : order.by_colour)
        parallel_for(static_cast<i64>(tiles.size()), 1, [&](i64 begin, i64 end, int) {
            for (i64 i = begin; i < end; ++i)
                body(plan.bins[tiles[i]], plan.bins[tiles[i] + 1], whole);
        });
    std::vector<T> memory;
    for (const i64 tile : order.crowded_tiles) {
        GridView<T> part = surroundings(plan, cells, tile);
        const i64 first = plan.bins[tile], count = plan.bins[tile + 1] - first;
        // Shares are whole chunks, at most 64 of them.
        const i64 size =
            std::max(share, (count / 64 + chunk_samples - 1) / chunk_samples * chunk_samples);
        const i64 shares = (count + size - 1) / size;
        const i64 reals = part.cells[0] * part.cells[1] * part.cells[2] * 2 * lanes;
        T *copies = scratch_of(memory, shares * reals);
        parallel_for(shares, 1, [&](i64 begin, i64 end, int) {
            for (i64 i = begin; i < end; ++i) {
                std::fill_n(copies + i * reals, reals, T(0));
                const GridView<T> own{copies + i * reals, part.cells, part.origin};
                body(first + i * size, std::min(first + (i + 1) * size, first + count), own);
            }
        });
        for (i64 i = 0; i < shares; ++i) {
            part.values = copies + i * reals;
            add_view(part, lanes, cells, grid);
        }
    }
}

template <class T> void clear(T *grid, i64 reals) {
    parallel_for(reals, 1 << 18,
                 [&](i64 begin, i64 end, int) { std::fill(grid + begin, grid + end, T(0)); });
}

// Plan, padded coefficients and the loops that fit.
template <class T> struct Transfer {
    const GridPlan<T> &plan;
    const i64 lanes;
    std::vector<T> table;
    GriddingLoops<T> loops{nullptr, nullptr};

    Transfer(const GridPlan<T> &plan, i64 lanes)
        : plan(plan), lanes(lanes), table((plan.degree + 1) * table_columns) {
        for (int d = 0; d <= plan.degree; ++d)
            std::copy_n(plan.coefficients + d * plan.width, plan.width,
                        table.begin() + d * table_columns);
        if constexpr (sizeof(T) == 4)
            loops = x86_gridding(plan.dims, lanes, plan.width, plan.degree);
        if (!loops.gather)
            with_lanes<T>(lanes, [&](auto n) { loops = {gather<n, T>, scatter<n, T>}; });
    }
    void collect(const GridView<const T> &grid, const SampleValues<T> &samples) const {
        parallel_for(plan.samples, interp_grain, [&](i64 begin, i64 end, int) {
            loops.gather(grid, plan, table.data(), begin, end, samples);
        });
    }
    void add(const SampleValues<const T> &samples, const T *density, const Shape3 &cells,
             T *grid) const {
        clear(grid, cells[0] * cells[1] * cells[2] * lanes * 2);
        spread_tiles(plan, cells, lanes, grid, [&](i64 begin, i64 end, const GridView<T> &view) {
            for (i64 s = begin; s < end; s += chunk_samples) {
                poll();
                loops.scatter(samples, density, plan, table.data(), s,
                              std::min(s + chunk_samples, end), view);
            }
        });
    }
};

} // namespace

template <class T>
void interpolate(const T *grid, const Shape3 &cells, i64 lanes, const GridPlan<T> &plan, i64 coils,
                 T *samples) {
    const Transfer<T> transfer(plan, lanes);
    const GridView<const T> view{grid, cells, {0, 0, 0}};
    if (lanes == 1)
        return transfer.collect(view, {samples, plan.order});
    const Scratch scratch(plan.samples * lanes * 2 * sizeof(T));
    T *interleaved = static_cast<T *>(scratch.data());
    transfer.collect(view, {interleaved, plan.order});
    to_planar(interleaved, plan.samples, lanes, coils, samples);
}

template <class T>
void spread(const T *samples, i64 coils, const GridPlan<T> &plan, const Shape3 &cells, i64 lanes,
            T *grid) {
    const Transfer<T> transfer(plan, lanes);
    if (lanes == 1)
        return transfer.add({samples, plan.order}, nullptr, cells, grid);
    const Scratch scratch(plan.samples * lanes * 2 * sizeof(T));
    T *interleaved = static_cast<T *>(scratch.data());
    from_planar(samples, plan.samples, lanes, coils, interleaved);
    transfer.add({interleaved, plan.order}, nullptr, cells, grid);
}

template <class T>
void interpolate_sorted(const T *grid, const Shape3 &cells, i64 lanes, const GridPlan<T> &plan,
                        T *samples) {
    Transfer<T>(plan, lanes).collect({grid, cells, {0, 0, 0}}, {samples, nullptr});
}

template <class T>
void spread_sorted(const T *samples, const T *density, const GridPlan<T> &plan, const Shape3 &cells,
                   i64 lanes, T *grid) {
    Transfer<T>(plan, lanes).add({samples, nullptr}, density, cells, grid);
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
