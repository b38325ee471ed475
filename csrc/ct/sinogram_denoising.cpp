// Steps of the conjugate gradients of sinogram_denoising_math.hpp, one pass over memory each. Sums
// are taken per line of columns and added in order: same bits for any number of threads.
#include "ct/sinogram_denoising.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace pyrad {
namespace {

using pwls::Couplings;
using pwls::Grid;

constexpr i64 tile = 1 << 13;
constexpr int lanes = 16;

template <class T> PYRAD_CLONES double inner_line(const T *a, const T *b, i64 n) {
    double sums[lanes] = {};
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int l = 0; l < lanes; ++l)
            sums[l] += static_cast<double>(a[i + l]) * static_cast<double>(b[i + l]);
    for (; i < n; ++i)
        sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return std::accumulate(sums, sums + lanes, 0.0);
}

// Lines of p next to the one at hand; a line beyond the grid is the line itself, coupling 0.
template <class T> struct Near {
    const T *here, *view[2], *row[2];
};

template <class T>
T apply_at(const Near<T> &p, const Couplings<T> &c, T weight, i64 i, T left, T right) {
    return (weight + c.sum()) * p.here[i] - (c.view[0] * p.view[0][i] + c.view[1] * p.view[1][i]) -
           (c.row[0] * p.row[0][i] + c.row[1] * p.row[1][i]) - (left + right);
}

template <class T>
PYRAD_CLONES void apply_inside(Near<T> p, Couplings<T> c, const T *weights, T *out, i64 end) {
    const T sum = c.sum();
    for (i64 i = 1; i < end; ++i)
        out[i] = (weights[i] + sum) * p.here[i] -
                 (c.view[0] * p.view[0][i] + c.view[1] * p.view[1][i]) -
                 (c.row[0] * p.row[0][i] + c.row[1] * p.row[1][i]) -
                 c.column[0] * (p.here[i - 1] + p.here[i + 1]);
}

template <class T>
void apply_line(const Near<T> &p, const Grid<T> &grid, i64 v, i64 r, const T *weights, T *out) {
    const i64 last = grid.columns - 1;
    const Couplings<T> first = grid.at(v, r, 0), end = grid.at(v, r, last);
    out[0] = apply_at(p, first, weights[0], 0, T(0), last > 0 ? first.column[1] * p.here[1] : T(0));
    if (last > 0)
        out[last] = apply_at(p, end, weights[last], last, end.column[0] * p.here[last - 1], T(0));
    if (last > 1)
        apply_inside(p, grid.at(v, r, 1), weights, out, last);
}

// 1 / diagonal of a line.
template <class T>
PYRAD_CLONES void inverse_diagonal(const T *weights, T edge, T inside, T *out, i64 columns) {
    for (i64 i = 0; i < columns; ++i)
        out[i] = T(1) / (weights[i] + inside);
    out[0] = T(1) / (weights[0] + edge);
    out[columns - 1] = T(1) / (weights[columns - 1] + edge);
}

template <class T>
PYRAD_CLONES void step_line(T alpha, const T *p, const T *q, const T *inverse, T *x, T *r, T *z,
                            i64 columns) {
    for (i64 i = 0; i < columns; ++i) {
        x[i] += alpha * p[i];
        r[i] -= alpha * q[i];
        z[i] = r[i] * inverse[i];
    }
}

template <class T>
PYRAD_CLONES void direction_line(T beta, const T *r, const T *inverse, T *p, i64 columns) {
    for (i64 i = 0; i < columns; ++i)
        p[i] = r[i] * inverse[i] + beta * p[i];
}

// body(view, row, line): every line of the grid; returns the sum of what the bodies return.
template <class T, class Body> double over_lines(const Grid<T> &grid, Body &&body) {
    const i64 lines = grid.views * grid.rows;
    std::vector<double> sums(lines);
    parallel_for(lines, std::max<i64>(1, tile / grid.columns), [&](i64 begin, i64 end, int) {
        std::vector<T> scratch(2 * grid.columns);
        for (i64 line = begin; line < end; ++line)
            sums[line] = body(line / grid.rows, line % grid.rows, scratch.data());
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

template <class T>
void inverse_diagonal_of(const Grid<T> &grid, i64 v, i64 r, const T *weights, T *out) {
    const i64 inner = grid.columns > 2 ? 1 : 0;
    inverse_diagonal(weights, grid.at(v, r, 0).sum(), grid.at(v, r, inner).sum(), out,
                     grid.columns);
}

} // namespace

template <class T>
double pwls_apply(View<const T, 3> p, View<const T, 3> weights, const Grid<T> &grid,
                  View<T, 3> out) {
    return over_lines(grid, [&](i64 v, i64 r, T *) {
        const T *here = &p(v, r, 0);
        const Near<T> near{
            here,
            {v > 0 ? &p(v - 1, r, 0) : here, v + 1 < grid.views ? &p(v + 1, r, 0) : here},
            {r > 0 ? &p(v, r - 1, 0) : here, r + 1 < grid.rows ? &p(v, r + 1, 0) : here}};
        apply_line(near, grid, v, r, &weights(v, r, 0), &out(v, r, 0));
        return inner_line(here, &out(v, r, 0), grid.columns);
    });
}

template <class T>
double pwls_step(double alpha, View<const T, 3> p, View<const T, 3> q, View<const T, 3> weights,
                 const Grid<T> &grid, View<T, 3> x, View<T, 3> r) {
    return over_lines(grid, [&](i64 v, i64 row, T *scratch) {
        T *const inverse = scratch, *const z = scratch + grid.columns;
        inverse_diagonal_of(grid, v, row, &weights(v, row, 0), inverse);
        step_line(static_cast<T>(alpha), &p(v, row, 0), &q(v, row, 0), inverse, &x(v, row, 0),
                  &r(v, row, 0), z, grid.columns);
        return inner_line(&r(v, row, 0), z, grid.columns);
    });
}

template <class T>
void pwls_direction(double beta, View<const T, 3> r, View<const T, 3> weights, const Grid<T> &grid,
                    View<T, 3> p) {
    over_lines(grid, [&](i64 v, i64 row, T *inverse) {
        inverse_diagonal_of(grid, v, row, &weights(v, row, 0), inverse);
        direction_line(static_cast<T>(beta), &r(v, row, 0), inverse, &p(v, row, 0), grid.columns);
        return 0.0;
    });
}

template double pwls_apply(View<const float, 3>, View<const float, 3>, const Grid<float> &,
                           View<float, 3>);
template double pwls_apply(View<const double, 3>, View<const double, 3>, const Grid<double> &,
                           View<double, 3>);
template double pwls_step(double, View<const float, 3>, View<const float, 3>, View<const float, 3>,
                          const Grid<float> &, View<float, 3>, View<float, 3>);
template double pwls_step(double, View<const double, 3>, View<const double, 3>,
                          View<const double, 3>, const Grid<double> &, View<double, 3>,
                          View<double, 3>);
template void pwls_direction(double, View<const float, 3>, View<const float, 3>,
                             const Grid<float> &, View<float, 3>);
template void pwls_direction(double, View<const double, 3>, View<const double, 3>,
                             const Grid<double> &, View<double, 3>);

} // namespace pyrad
