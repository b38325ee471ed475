// Loops along x of the total-variation solvers, and what they run over. Formulas in tv_math.hpp.
#pragma once

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "denoise/tv.hpp"
#include "denoise/tv_math.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

// A loop body that stays a function of its own is not vectorised.
#define PYRAD_ALWAYS_INLINE inline __attribute__((always_inline))

namespace pyrad::tv {
namespace {

constexpr i64 serial_voxels = 1 << 13; // below this a slab of its own costs more than it saves

struct Row {
    i64 index, y;
};

// Sizes, strides and slabs of one problem.
template <class T, int D, int C> struct Layout {
    i64 ny, nx, rows, voxels;
    i64 reach;     // rows from one line to the next along the slowest axis
    i64 slab_rows; // a multiple of reach
    T weight[D];   // weight / spacing
    T inverse[D];  // 1 / spacing

    Layout(const Grid &grid, double w)
        : ny(grid.ny), nx(grid.nx), rows(grid.nz * grid.ny), voxels(rows * nx),
          reach(D == 3   ? ny
                : D == 2 ? 1
                         : 0) {
        for (int d = 0; d < D; ++d) {
            inverse[d] = static_cast<T>(grid.inverse_spacing[d]);
            weight[d] = static_cast<T>(w * grid.inverse_spacing[d]);
        }
        const i64 lines = D == 3 ? grid.nz : ny;
        const i64 wanted =
            D == 3 ? std::clamp<i64>(lines / 16, 4, 16) : std::clamp<i64>(lines / 16, 16, 128);
        slab_rows = voxels <= serial_voxels || D == 1 ? rows : std::min(rows, wanted * reach);
    }

    // Steps times 1 / spacing along x: zero at the far edge, where there is no difference.
    std::vector<T> steps_along_x(T step) const {
        std::vector<T> steps(nx, step * inverse[D - 1]);
        steps[nx - 1] = 0;
        return steps;
    }

    i64 slabs() const { return (rows + slab_rows - 1) / slab_rows; }
    i64 edge_size() const { return C * reach * nx; }
    Row row(i64 index) const { return {index, index % ny}; }
    Row next(Row row) const { return {row.index + 1, row.y + 1 < ny ? row.y + 1 : 0}; }
    i64 at(int c, i64 row) const { return c * voxels + row * nx; }
    i64 at(int c, int d, i64 row) const { return (c * D + d) * voxels + row * nx; }
    // Rows from this one to its neighbour along axis d < D - 1, and whether there is one.
    i64 stride(int d) const { return d == D - 2 ? 1 : ny; }
    bool has_next(int d, Row row) const {
        return d == D - 2 ? row.y + 1 < ny : row.index + ny < rows;
    }
    bool has_former(int d, Row row) const { return d == D - 2 ? row.y > 0 : row.index >= ny; }
};

// Rows that a gradient at one row reads: the row itself and the next one along each slower axis
// (the row itself again at the far edge, which makes that difference zero).
template <class T, int D, int C> struct Ahead {
    const T *here[C];
    const T *next[C][D];
};

// Rows that a divergence at one row reads.
template <class T, int D, int C> struct Behind {
    const T *here[C][D];
    const T *former[C][D]; // a row of zeros at the near edge
};

template <class T, int D, int C>
Behind<T, D, C> behind(const Layout<T, D, C> &layout, const T *dual, Row row, const T *zeros) {
    Behind<T, D, C> rows;
    for (int c = 0; c < C; ++c)
        for (int d = 0; d < D; ++d) {
            rows.here[c][d] = dual + layout.at(c, d, row.index);
            rows.former[c][d] = d < D - 1 && layout.has_former(d, row)
                                    ? rows.here[c][d] - layout.stride(d) * layout.nx
                                    : zeros;
        }
    return rows;
}

template <class T, int D, int C>
Ahead<T, D, C> ahead(const Layout<T, D, C> &layout, const T *image, Row row) {
    Ahead<T, D, C> rows;
    for (int c = 0; c < C; ++c) {
        rows.here[c] = image + layout.at(c, row.index);
        for (int d = 0; d < D - 1; ++d)
            rows.next[c][d] =
                rows.here[c] + (layout.has_next(d, row) ? layout.stride(d) * layout.nx : 0);
    }
    return rows;
}

template <class T, int D, int C> struct Dual {
    T *row[C][D];
};

template <class T, int D, int C>
Dual<T, D, C> dual_rows(const Layout<T, D, C> &layout, T *dual, i64 row) {
    Dual<T, D, C> rows;
    for (int c = 0; c < C; ++c)
        for (int d = 0; d < D; ++d)
            rows.row[c][d] = dual + layout.at(c, d, row);
    return rows;
}

// --- loops along x -------------------------------------------------------------------------------
//
// All run over whole rows. At x = 0 the dual's x component "before" it is the last one of the row
// before, which is always zero; `first` says that this row must not be read. At the last x the
// image "after" it is read, whatever it is, and the step there is zero.

// u = f + weight div q, q = p + momentum (p - previous), of one row.
template <class T, int D, int C>
PYRAD_CLONES void fgp_image_row(const T *const *f, const Behind<T, D, C> p,
                                const Behind<T, D, C> old, const T *weight, T momentum, T *const *u,
                                bool first, i64 nx) {
    for (int c = 0; c < C; ++c) {
        const T *fc = f[c];
        T *uc = u[c];
        const T *px = p.here[c][D - 1], *ox = old.here[c][D - 1];
        const T wx = weight[D - 1], w0 = weight[0], w1 = weight[D > 1 ? 1 : 0];
        const T *p0 = p.here[c][0], *o0 = old.here[c][0];
        const T *p0f = p.former[c][0], *o0f = old.former[c][0];
        const T *p1 = p.here[c][D > 1 ? 1 : 0], *o1 = old.here[c][D > 1 ? 1 : 0];
        const T *p1f = p.former[c][D > 1 ? 1 : 0], *o1f = old.former[c][D > 1 ? 1 : 0];
        const auto slower = [=](i64 x) {
            T sum = 0;
            if (D > 1)
                sum = w0 *
                      (extrapolate(p0[x], o0[x], momentum) - extrapolate(p0f[x], o0f[x], momentum));
            if (D > 2)
                sum += w1 * (extrapolate(p1[x], o1[x], momentum) -
                             extrapolate(p1f[x], o1f[x], momentum));
            return sum;
        };
        if (first)
            uc[0] = fc[0] + (slower(0) + wx * extrapolate(px[0], ox[0], momentum));
#pragma GCC ivdep
        for (i64 x = first; x < nx; ++x)
            uc[x] = fc[x] + (slower(x) + wx * (extrapolate(px[x], ox[x], momentum) -
                                               extrapolate(px[x - 1], ox[x - 1], momentum)));
    }
}

// out = u + take (f + weight div p - u) of one row.
template <class T, int D, int C>
PYRAD_CLONES void primal_row(const T *const *f, const Behind<T, D, C> p, const T *weight,
                             const T *const *u, T take, T *const *out, bool first, i64 nx) {
    for (int c = 0; c < C; ++c) {
        const T *fc = f[c], *uc = u[c];
        T *oc = out[c];
        const T *px = p.here[c][D - 1];
        const T wx = weight[D - 1], w0 = weight[0], w1 = weight[D > 1 ? 1 : 0];
        const T *p0 = p.here[c][0], *p0f = p.former[c][0];
        const T *p1 = p.here[c][D > 1 ? 1 : 0], *p1f = p.former[c][D > 1 ? 1 : 0];
        const auto slower = [=](i64 x) {
            T sum = 0;
            if (D > 1)
                sum = w0 * (p0[x] - p0f[x]);
            if (D > 2)
                sum += w1 * (p1[x] - p1f[x]);
            return sum;
        };
        if (first)
            oc[0] = uc[0] + take * ((fc[0] - uc[0]) + (slower(0) + wx * px[0]));
#pragma GCC ivdep
        for (i64 x = first; x < nx; ++x)
            oc[x] = uc[x] + take * ((fc[x] - uc[x]) + (slower(x) + wx * (px[x] - px[x - 1])));
    }
}

template <class T>
PYRAD_CLONES void extrapolate_row(const T *u, const T *old, T theta, T *out, i64 nx) {
    for (i64 x = 0; x < nx; ++x)
        out[x] = extrapolate(u[x], old[x], theta);
}

template <bool Isotropic, class T, int D, int C>
PYRAD_ALWAYS_INLINE void fgp_dual_voxel(const Ahead<T, D, C> &u, const Dual<T, D, C> &p,
                                        const Dual<T, D, C> &old, const T *step, const T *step_x,
                                        T momentum, i64 x) {
    T r[C * D];
    for (int c = 0; c < C; ++c) {
        const T here = u.here[c][x];
        for (int d = 0; d < D; ++d) {
            const T change = d == D - 1 ? step_x[x] * (u.here[c][x + 1] - here)
                                        : step[d] * (u.next[c][d][x] - here);
            r[c * D + d] = extrapolate(p.row[c][d][x], old.row[c][d][x], momentum) + change;
        }
    }
    project<Isotropic, D, C>(r);
    for (int c = 0; c < C; ++c)
        for (int d = 0; d < D; ++d)
            old.row[c][d][x] = r[c * D + d];
}

// old <- project(q + step grad u).
template <bool Isotropic, class T, int D, int C>
PYRAD_CLONES void fgp_dual_row(const Ahead<T, D, C> u, const Dual<T, D, C> p,
                               const Dual<T, D, C> old, const T *step_, const T *step_x, T momentum,
                               i64 nx) {
    T step[D];
    std::copy(step_, step_ + D, step);
#pragma GCC ivdep
    for (i64 x = 0; x < nx; ++x)
        fgp_dual_voxel<Isotropic>(u, p, old, step, step_x, momentum, x);
}

template <bool Isotropic, class T, int D, int C>
PYRAD_ALWAYS_INLINE void pdhg_dual_voxel(const Ahead<T, D, C> &u, const Ahead<T, D, C> &old,
                                         T theta, const Dual<T, D, C> &p, const Dual<T, D, C> &out,
                                         const T *step, const T *step_x, i64 x) {
    T r[C * D];
    for (int c = 0; c < C; ++c) {
        const T *now = u.here[c], *before = old.here[c];
        const T here = extrapolate(now[x], before[x], theta);
        for (int d = 0; d < D; ++d) {
            const T change =
                d == D - 1
                    ? step_x[x] * (extrapolate(now[x + 1], before[x + 1], theta) - here)
                    : step[d] * (extrapolate(u.next[c][d][x], old.next[c][d][x], theta) - here);
            r[c * D + d] = p.row[c][d][x] + change;
        }
    }
    project<Isotropic, D, C>(r);
    for (int c = 0; c < C; ++c)
        for (int d = 0; d < D; ++d)
            out.row[c][d][x] = r[c * D + d];
}

// out <- project(p + step grad(u + theta (u - old))).
template <bool Isotropic, class T, int D, int C>
PYRAD_CLONES void pdhg_dual_row(const Ahead<T, D, C> u, const Ahead<T, D, C> old, T theta,
                                const Dual<T, D, C> p, const Dual<T, D, C> out, const T *step_,
                                const T *step_x, i64 nx) {
    T step[D];
    std::copy(step_, step_ + D, step);
#pragma GCC ivdep
    for (i64 x = 0; x < nx; ++x)
        pdhg_dual_voxel<Isotropic>(u, old, theta, p, out, step, step_x, x);
}

// Calls body(D, C, Isotropic) with the grid's values as compile-time constants.
template <int D, int C, class Body> void with_norm(const Grid &grid, Body &&body) {
    using Dims = std::integral_constant<int, D>;
    using Channels = std::integral_constant<int, C>;
    if (grid.isotropic)
        body(Dims{}, Channels{}, std::true_type{});
    else
        body(Dims{}, Channels{}, std::false_type{});
}

template <int D, class Body> void with_channels(const Grid &grid, Body &&body) {
    if (grid.channels == 1)
        with_norm<D, 1>(grid, body);
    else
        with_norm<D, 2>(grid, body);
}

template <class Body> void dispatch(const Grid &grid, Body &&body) {
    if (grid.dims == 1)
        with_channels<1>(grid, body);
    else if (grid.dims == 2)
        with_channels<2>(grid, body);
    else
        with_channels<3>(grid, body);
}

} // namespace
} // namespace pyrad::tv
