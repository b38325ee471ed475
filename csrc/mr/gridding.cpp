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

// Grid and plan as the inner loops see them. `fixed` is the width where it is known when compiling,
// so that the loop along x unrolls; 0 stands for any. Missing axes count one row of weight 1.
template <class T, int lanes, int fixed> struct Window {
    const GridPlan<T> &plan;
    i64 cells[3];

    Window(const GridPlan<T> &plan, const Shape3 &size)
        : plan(plan), cells{size[0], size[1], size[2]} {}

    PYRAD_INLINE int width() const { return fixed ? fixed : plan.width; }
    PYRAD_INLINE int planes() const { return plan.dims > 2 ? width() : 1; }
    PYRAD_INLINE int lines() const { return plan.dims > 1 ? width() : 1; }
    PYRAD_INLINE const T *weights(i64 s) const { return plan.weights + s * plan.dims * width(); }
    PYRAD_INLINE const T *weights_x(i64 s) const { return weights(s) + (plan.dims - 1) * width(); }
    PYRAD_INLINE T row_weight(const T *w, int i, int j) const {
        return plan.dims > 2 ? w[i] * w[width() + j] : plan.dims > 1 ? w[j] : T(1);
    }
    // Offset in reals of the first cell, or -1 where the footprint wraps around the grid.
    PYRAD_INLINE i64 first_cell(i64 s) const {
        const i32 *start = plan.start + s * plan.dims;
        const i64 x = start[plan.dims - 1], y = plan.dims > 1 ? start[plan.dims - 2] : 0,
                  z = plan.dims > 2 ? start[0] : 0;
        const bool wraps =
            x + width() > cells[2] || y + lines() > cells[1] || z + planes() > cells[0];
        return wraps ? -1 : ((z * cells[1] + y) * cells[2] + x) * 2 * lanes;
    }
    // visit(offset of the row's first cell, weight of the row), footprint within the grid
    template <class Visit> PYRAD_INLINE void rows(i64 s, i64 first, Visit &&visit) const {
        const T *w = weights(s);
        const i64 row = cells[2] * 2 * lanes, plane = row * cells[1];
        for (int i = 0; i < planes(); ++i)
            for (int j = 0; j < lines(); ++j)
                visit(first + i * plane + j * row, row_weight(w, i, j));
    }
    // visit(offset of the cell, its weight), footprint anywhere
    template <class Visit> PYRAD_INLINE void wrapped_cells(i64 s, Visit &&visit) const {
        const i32 *start = plan.start + s * plan.dims;
        const T *w = weights(s), *wx = weights_x(s);
        const auto at = [&](int axis, int step) {
            const i64 cell = start[axis - 3 + plan.dims] + step;
            return cell >= cells[axis] ? cell - cells[axis] : cell;
        };
        for (int i = 0; i < planes(); ++i)
            for (int j = 0; j < lines(); ++j)
                for (int k = 0; k < width(); ++k) {
                    const i64 z = plan.dims > 2 ? at(0, i) : 0, y = plan.dims > 1 ? at(1, j) : 0;
                    visit(((z * cells[1] + y) * cells[2] + at(2, k)) * 2 * lanes,
                          row_weight(w, i, j) * wx[k]);
                }
    }
};

// Samples [begin, end) in tile order -> out[sample][lanes].
template <int lanes, int fixed, class T>
PYRAD_CLONES void gather(const T *grid, const Window<T, lanes, fixed> &at, i64 begin, i64 end,
                         T *out) {
    using P = Pack<T, 2 * lanes>;
    for (i64 s = begin; s < end; ++s, out += 2 * lanes) {
        const i64 first = at.first_cell(s);
        P sum = P::zero();
        if (first >= 0) {
            const T *wx = at.weights_x(s);
            at.rows(s, first, [&](i64 row, T weight) PYRAD_LAMBDA {
                P line = P::zero();
                for (int k = 0; k < at.width(); ++k)
                    line.add(wx[k], P::load(grid + row + k * 2 * lanes));
                sum.add(weight, line);
            });
        } else {
            at.wrapped_cells(s, [&](i64 cell, T weight)
                                    PYRAD_LAMBDA { sum.add(weight, P::load(grid + cell)); });
        }
        sum.store(out);
    }
}

// The adjoint: in[sample][lanes], times density, added to the grid.
template <int lanes, int fixed, class T>
PYRAD_CLONES void scatter(const T *in, const T *density, i64 begin, i64 end,
                          const Window<T, lanes, fixed> &at, T *grid) {
    using P = Pack<T, 2 * lanes>;
    const auto add_to = [&](i64 offset, T weight, const P &value) PYRAD_LAMBDA {
        P cell = P::load(grid + offset);
        cell.add(weight, value);
        cell.store(grid + offset);
    };
    for (i64 s = begin; s < end; ++s, in += 2 * lanes) {
        const i64 first = at.first_cell(s);
        P value = P::load(in);
        if (density)
            value = value.scaled(density[s]);
        if (first >= 0) {
            const T *wx = at.weights_x(s);
            at.rows(s, first, [&](i64 row, T weight) PYRAD_LAMBDA {
                const P line = value.scaled(weight);
                for (int k = 0; k < at.width(); ++k)
                    add_to(row + k * 2 * lanes, wx[k], line);
            });
        } else {
            at.wrapped_cells(s,
                             [&](i64 cell, T weight) PYRAD_LAMBDA { add_to(cell, weight, value); });
        }
    }
}

// visit(first of a run in the batch, its position in the caller's order, its length): samples of a
// tile mostly come in runs of neighbours along a readout.
template <class Visit> PYRAD_INLINE void for_each_run(const i32 *order, i64 count, Visit &&visit) {
    for (i64 s = 0, length; s < count; s += length) {
        length = 1;
        while (s + length < count && order[s + length] == order[s] + length)
            ++length;
        visit(s, static_cast<i64>(order[s]), length);
    }
}

// Planar samples [coils][samples] <-> buffer [count][lanes], in tile order.
template <class T>
void to_planar(const Complex<T> *buffer, const i32 *order, i64 count, i64 lanes, i64 coils,
               i64 samples, Complex<T> *planar) {
    for_each_run(order, count, [&](i64 first, i64 at, i64 length) {
        for (i64 c = 0; c < coils; ++c) {
            const Complex<T> *from = buffer + first * lanes + c;
            Complex<T> *to = planar + c * samples + at;
            for (i64 i = 0; i < length; ++i)
                to[i] = from[i * lanes];
        }
    });
}

template <class T>
void from_planar(const Complex<T> *planar, const i32 *order, i64 count, i64 lanes, i64 coils,
                 i64 samples, Complex<T> *buffer) {
    for_each_run(order, count, [&](i64 first, i64 at, i64 length) {
        for (i64 c = 0; c < coils; ++c) {
            const Complex<T> *from = planar + c * samples + at;
            Complex<T> *to = buffer + first * lanes + c;
            for (i64 i = 0; i < length; ++i)
                to[i * lanes] = from[i];
        }
    });
    for (i64 s = 0; coils < lanes && s < count; ++s)
        std::fill(buffer + s * lanes + coils, buffer + (s + 1) * lanes, Complex<T>{0, 0});
}

template <class T> const Complex<T> *as_complex(const T *x) {
    return reinterpret_cast<const Complex<T> *>(x);
}
template <class T> Complex<T> *as_complex(T *x) { return reinterpret_cast<Complex<T> *>(x); }

// Calls body(lanes, width) with integral constants. Single precision has its usual widths compiled
// in; the width 0 stands for any.
template <class T, class Body> void specialised(i64 lanes, int width, Body &&body) {
    with_lanes<T>(lanes, [&](auto n) {
        if constexpr (sizeof(T) == 4) {
            if (width == 5)
                return body(n, std::integral_constant<int, 5>{});
            if (width == 6)
                return body(n, std::integral_constant<int, 6>{});
            if (width == 7)
                return body(n, std::integral_constant<int, 7>{});
        }
        body(n, std::integral_constant<int, 0>{});
    });
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
    specialised<T>(lanes, plan.width, [&](auto n, auto width) {
        const Window<T, n, width> window(plan, cells);
        parallel_for(plan.samples, interp_grain, [&](i64 begin, i64 end, int) {
            alignas(64) T buffer[batch * 2 * n];
            for (i64 s = begin; s < end; s += batch) {
                const i64 count = std::min<i64>(batch, end - s);
                gather(grid, window, s, s + count, buffer);
                to_planar(as_complex(buffer), plan.order + s, count, n, coils, plan.samples,
                          as_complex(samples));
            }
        });
    });
}

template <class T>
void spread(const T *samples, i64 coils, const GridPlan<T> &plan, const Shape3 &cells, i64 lanes,
            T *grid) {
    clear(grid, cells[0] * cells[1] * cells[2] * lanes * 2);
    specialised<T>(lanes, plan.width, [&](auto n, auto width) {
        const Window<T, n, width> window(plan, cells);
        for_each_tile(plan, [&](i64 begin, i64 end) {
            alignas(64) T buffer[batch * 2 * n];
            for (i64 s = begin; s < end; s += batch) {
                const i64 count = std::min<i64>(batch, end - s);
                from_planar(as_complex(samples), plan.order + s, count, n, coils, plan.samples,
                            as_complex(buffer));
                scatter(buffer, static_cast<const T *>(nullptr), s, s + count, window, grid);
            }
        });
    });
}

template <class T>
void interpolate_sorted(const T *grid, const Shape3 &cells, i64 lanes, const GridPlan<T> &plan,
                        T *samples) {
    specialised<T>(lanes, plan.width, [&](auto n, auto width) {
        const Window<T, n, width> window(plan, cells);
        parallel_for(plan.samples, interp_grain, [&](i64 begin, i64 end, int) {
            gather(grid, window, begin, end, samples + begin * 2 * n);
        });
    });
}

template <class T>
void spread_sorted(const T *samples, const T *density, const GridPlan<T> &plan, const Shape3 &cells,
                   i64 lanes, T *grid) {
    clear(grid, cells[0] * cells[1] * cells[2] * lanes * 2);
    specialised<T>(lanes, plan.width, [&](auto n, auto width) {
        const Window<T, n, width> window(plan, cells);
        for_each_tile(plan, [&](i64 begin, i64 end) {
            scatter(samples + begin * 2 * n, density, begin, end, window, grid);
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
