// The image of a dual field and the two objectives, whose difference bounds the distance to the
// solution: 1/2 ||u - u*||^2 <= P(u) - D(p).
#include "denoise/tv_rows.hpp"

namespace pyrad::tv {
namespace {

constexpr i64 rows_per_tile = 16;

template <class T> double sum(const T *x, i64 n) {
    constexpr i64 lanes = 8;
    double part[lanes] = {};
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (i64 k = 0; k < lanes; ++k)
            part[k] += x[i + k];
    for (; i < n; ++i)
        part[i % lanes] += x[i];
    double total = 0;
    for (double p : part)
        total += p;
    return total;
}

// One voxel's share of P and of D. `left` is false at the near edge of x.
template <bool Isotropic, class T, int D, int C>
PYRAD_ALWAYS_INLINE void objective_voxel(const T *const *f, const Ahead<T, D, C> &u,
                                         const Behind<T, D, C> &p, const double *inverse,
                                         double weight, i64 x, i64 right, bool left, double *primal,
                                         double *dual) {
    double g[C * D], fidelity = 0, value = 0;
    for (int c = 0; c < C; ++c) {
        const double here = u.here[c][x], fx = f[c][x];
        double divergence = 0;
        for (int d = 0; d < D; ++d) {
            const double next = d == D - 1 ? u.here[c][right] : u.next[c][d][x];
            g[c * D + d] = (next - here) * inverse[d];
            const double before =
                d == D - 1 ? (left ? p.here[c][d][x - 1] : T(0)) : p.former[c][d][x];
            divergence += (p.here[c][d][x] - before) * inverse[d];
        }
        fidelity += (here - fx) * (here - fx);
        value -= weight * divergence * (fx + 0.5 * weight * divergence);
    }
    primal[x] = 0.5 * fidelity + weight * magnitude<Isotropic, D, C>(g);
    dual[x] = value;
}

template <bool Isotropic, class T, int D, int C>
PYRAD_CLONES void objective_row(const T *const *f_, const Ahead<T, D, C> u, const Behind<T, D, C> p,
                                const double *inverse_, double weight, i64 nx, double *primal,
                                double *dual) {
    const T *f[C];
    double inverse[D];
    std::copy(f_, f_ + C, f);
    std::copy(inverse_, inverse_ + D, inverse);
    const i64 last = nx - 1;
    objective_voxel<Isotropic>(f, u, p, inverse, weight, 0, min_of<i64>(1, last), false, primal,
                               dual);
#pragma GCC ivdep
    for (i64 x = 1; x < last; ++x)
        objective_voxel<Isotropic>(f, u, p, inverse, weight, x, x + 1, true, primal, dual);
    if (last > 0)
        objective_voxel<Isotropic>(f, u, p, inverse, weight, last, last, true, primal, dual);
}

} // namespace

template <class T> void primal(const T *f, double weight, const Grid &grid, const T *dual, T *out) {
    dispatch(grid, [&](auto dims, auto channels, auto) {
        constexpr int D = dims(), C = channels();
        const Layout<T, D, C> layout(grid, weight);
        const std::vector<T> zeros(layout.nx);
        parallel_for(layout.rows, rows_per_tile, [&](i64 begin, i64 end, int) {
            for (Row row = layout.row(begin); row.index < end; row = layout.next(row)) {
                const T *rows[C];
                T *results[C];
                for (int c = 0; c < C; ++c) {
                    rows[c] = f + layout.at(c, row.index);
                    results[c] = out + layout.at(c, row.index);
                }
                primal_row<T, D, C>(rows, behind(layout, dual, row, zeros.data()), layout.weight,
                                    rows, T(1), results, row.index == 0, layout.nx);
            }
        });
    });
}

template <class T>
Objectives objectives(const T *f, const T *image, double weight, const Grid &grid, const T *dual) {
    Objectives total{0, 0};
    dispatch(grid, [&](auto dims, auto channels, auto isotropic) {
        constexpr int D = dims(), C = channels();
        const Layout<T, D, C> layout(grid, weight);
        const std::vector<T> zeros(layout.nx);
        std::vector<double> scratch(max_workers() * 2 * layout.nx);
        std::vector<Objectives> parts(layout.rows);
        parallel_for(layout.rows, rows_per_tile, [&](i64 begin, i64 end, int worker) {
            double *primal_part = scratch.data() + worker * 2 * layout.nx;
            double *dual_part = primal_part + layout.nx;
            for (Row row = layout.row(begin); row.index < end; row = layout.next(row)) {
                const T *rows[C];
                for (int c = 0; c < C; ++c)
                    rows[c] = f + layout.at(c, row.index);
                objective_row<isotropic(), T, D, C>(
                    rows, ahead(layout, image, row), behind(layout, dual, row, zeros.data()),
                    grid.inverse_spacing.data(), weight, layout.nx, primal_part, dual_part);
                parts[row.index] = {sum(primal_part, layout.nx), sum(dual_part, layout.nx)};
            }
        });
        for (const Objectives &part : parts) {
            total.primal += part.primal;
            total.dual += part.dual;
        }
    });
    return total;
}

template void primal(const float *, double, const Grid &, const float *, float *);
template void primal(const double *, double, const Grid &, const double *, double *);
template Objectives objectives(const float *, const float *, double, const Grid &, const float *);
template Objectives objectives(const double *, const double *, double, const Grid &,
                               const double *);

} // namespace pyrad::tv
