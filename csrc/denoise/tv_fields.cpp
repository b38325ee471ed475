// Steps of total variation with voxel-wise weights, masks, bounds and any number of channels, row
// by row: what a voxel's matrix J is projected by depends on all channels, so differences are made
// first, their Gram matrix is summed in rows beside them, and a second pass projects. Formulas and
// references in tv_fields_math.hpp.
#include "denoise/tv_fields.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace pyrad::tv {
namespace {

constexpr i64 tile_numbers = 1 << 14;

// --- loops along x; out may be what is read at the same place ------------------------------------

// out = p + step (next - here), all extrapolated.
template <class T>
PYRAD_CLONES void ascend_row(const T *here, const T *here0, const T *next, const T *next0, T theta,
                             const T *p, const T *p0, T momentum, T step, T *out, i64 n) {
#pragma GCC ivdep
    for (i64 x = 0; x < n; ++x)
        out[x] =
            extrapolate(p[x], p0[x], momentum) +
            step * (extrapolate(next[x], next0[x], theta) - extrapolate(here[x], here0[x], theta));
}

template <class T>
PYRAD_CLONES void linked_row(const T *here, const T *here0, const T *next, const T *next0, T theta,
                             const T *p, const T *p0, T momentum, T step, const u8 *links, int bit,
                             T *out, i64 n) {
#pragma GCC ivdep
    for (i64 x = 0; x < n; ++x) {
        const T change =
            step * (extrapolate(next[x], next0[x], theta) - extrapolate(here[x], here0[x], theta));
        out[x] =
            extrapolate(p[x], p0[x], momentum) + static_cast<T>((links[x] >> bit) & 1) * change;
    }
}

template <class T, class R>
PYRAD_CLONES void difference_row(const T *here, const T *next, R inverse, R *out, i64 n) {
    for (i64 x = 0; x < n; ++x)
        out[x] = inverse * (static_cast<R>(next[x]) - static_cast<R>(here[x]));
}

template <class R> PYRAD_CLONES void keep_linked_row(const u8 *links, int bit, R *x_, i64 n) {
    for (i64 x = 0; x < n; ++x)
        x_[x] *= static_cast<R>((links[x] >> bit) & 1);
}

template <class R>
PYRAD_CLONES void add_product_row(const R *a, const R *b, R *sum, bool first, i64 n) {
    if (first)
        for (i64 x = 0; x < n; ++x)
            sum[x] = a[x] * b[x];
    else
        for (i64 x = 0; x < n; ++x)
            sum[x] += a[x] * b[x];
}

template <class T> PYRAD_CLONES void shortening_row(const T *limit, T *norm2, i64 n) {
    for (i64 x = 0; x < n; ++x)
        norm2[x] = shortening(norm2[x], limit[x]);
}

template <class T> PYRAD_CLONES void scale_row(const T *by, T *x_, i64 n) {
    for (i64 x = 0; x < n; ++x)
        x_[x] *= by[x];
}

// gram: packed rows, n apart; they become those of the projection's matrix.
template <int D, class T> PYRAD_CLONES void nuclear_projection_row(const T *limit, T *gram, i64 n) {
    for (i64 x = 0; x < n; ++x) {
        T g[packed_size<D>], m[packed_size<D>];
        for (int k = 0; k < packed_size<D>; ++k)
            g[k] = gram[k * n + x];
        nuclear_projection<D>(g, limit[x], m);
        for (int k = 0; k < packed_size<D>; ++k)
            gram[k * n + x] = m[k];
    }
}

template <int D, class T> PYRAD_CLONES void transform_row(const T *m, T *const *j, i64 n) {
    T *const j0 = j[0], *const j1 = j[D > 1 ? 1 : 0], *const j2 = j[D > 2 ? 2 : 0];
#pragma GCC ivdep
    for (i64 x = 0; x < n; ++x) {
        T v[3] = {j0[x], j1[x], j2[x]}, out[3] = {};
        for (int d = 0; d < D; ++d)
            for (int e = 0; e < D; ++e)
                out[d] += m[(d < e ? packed<D>(d, e) : packed<D>(e, d)) * n + x] * v[e];
        j0[x] = out[0];
        if (D > 1)
            j1[x] = out[1];
        if (D > 2)
            j2[x] = out[2];
    }
}

template <int D, class R> PYRAD_CLONES void length_row(int coupling, const R *gram, R *out, i64 n) {
    for (i64 x = 0; x < n; ++x) {
        R g[packed_size<D>];
        for (int k = 0; k < packed_size<D>; ++k)
            g[k] = gram[k * n + x];
        out[x] = coupled_length<D>(coupling, g);
    }
}

// sum (+)= weight (p - former), extrapolated.
template <class T, class R>
PYRAD_CLONES void divergence_row(const T *p, const T *p0, const T *former, const T *former0,
                                 R momentum, R weight, R *sum, bool first, i64 n) {
    for (i64 x = 0; x < n; ++x) {
        const R value = weight * (extrapolate<R>(p[x], p0[x], momentum) -
                                  extrapolate<R>(former[x], former0[x], momentum));
        sum[x] = first ? value : sum[x] + value;
    }
}

template <class T>
PYRAD_CLONES void descend_row(const T *f, const T *u, T take, const T *divergence, const T *low,
                              const T *high, T *out, i64 n) {
#pragma GCC ivdep
    for (i64 x = 0; x < n; ++x)
        out[x] = clamp(u[x] + take * ((f[x] - u[x]) + divergence[x]), low[x], high[x]);
}

template <class T>
PYRAD_CLONES void shares_row(const T *f, const T *u, const double *divergence, const T *low,
                             const T *high, double *primal, double *dual, i64 n) {
    for (i64 x = 0; x < n; ++x) {
        const double fx = f[x], away = static_cast<double>(u[x]) - fx;
        primal[x] += 0.5 * away * away;
        dual[x] += dual_share<double>(fx, divergence[x], low[x], high[x]);
    }
}

// --- rows of a volume ----------------------------------------------------------------------------

template <class T> class Rows {
  public:
    explicit Rows(const Fields<T> &fields)
        : how(fields), rows(fields.nz * fields.ny), nx(fields.nx), voxels(rows * nx),
          ones_(nx, T(1)), zeros_(nx) {}

    i64 grain() const { return std::max<i64>(1, tile_numbers / (nx * how.channels)); }
    i64 at(i64 c, i64 row) const { return c * voxels + row * nx; }
    i64 at(i64 c, int d, i64 row) const { return (c * how.dims + d) * voxels + row * nx; }
    // Rows from this one to the next along an axis slower than x; 0 where there is none.
    i64 to_next(int d, i64 row) const {
        if (d == how.dims - 2)
            return row % how.ny + 1 < how.ny ? 1 : 0;
        return row + how.ny < rows ? how.ny : 0;
    }
    i64 to_former(int d, i64 row) const {
        if (d == how.dims - 2)
            return row % how.ny > 0 ? 1 : 0;
        return row >= how.ny ? how.ny : 0;
    }
    const T *limit(i64 row) const { return how.limit ? how.limit + row * nx : ones_.data(); }
    const u8 *links(i64 row) const { return how.links ? how.links + row * nx : nullptr; }
    const T *zeros() const { return zeros_.data(); }

    // Weighted divergence of channel c.
    template <class R>
    void divergence(const Extrapolated<T> &p, i64 c, i64 row, const std::array<double, 3> &weight,
                    R *sum) const {
        const R momentum = static_cast<R>(p.factor);
        for (int d = 0; d + 1 < how.dims; ++d) {
            const i64 here = at(c, d, row), back = to_former(d, row) * nx;
            divergence_row(p.now + here, p.before + here, back ? p.now + here - back : zeros(),
                           back ? p.before + here - back : zeros(), momentum,
                           static_cast<R>(weight[d]), sum, d == 0, nx);
        }
        const int last = how.dims - 1;
        const T *now = p.now + at(c, last, row), *before = p.before + at(c, last, row);
        const R along = static_cast<R>(weight[last]);
        const bool first = last == 0;
        divergence_row(now, before, zeros(), zeros(), momentum, along, sum, first, 1);
        divergence_row(now + 1, before + 1, now, before, momentum, along, sum + 1, first, nx - 1);
    }

    const Fields<T> &how;
    const i64 rows, nx, voxels;

  private:
    std::vector<T> ones_, zeros_;
};

template <class T> class Limits {
  public:
    Limits(const Bounds<T> &bounds, i64 nx, i64 voxels)
        : low_(nx, static_cast<T>(bounds.low)), high_(nx, static_cast<T>(bounds.high)),
          arrays_(bounds.arrays), nx_(nx), voxels_(voxels) {}

    const T *low(i64 row) const { return arrays_ ? arrays_ + row * nx_ : low_.data(); }
    const T *high(i64 row) const { return arrays_ ? arrays_ + voxels_ + row * nx_ : high_.data(); }

  private:
    std::vector<T> low_, high_;
    const T *arrays_;
    i64 nx_, voxels_;
};

// Calls body(integral constant) with the number of axes.
template <class Body> void with_dims(int dims, Body &&body) {
    if (dims == 1)
        body(std::integral_constant<int, 1>{});
    else if (dims == 2)
        body(std::integral_constant<int, 2>{});
    else
        body(std::integral_constant<int, 3>{});
}

// --- the dual step -------------------------------------------------------------------------------

template <class T>
void ascend(const Rows<T> &rows, const Extrapolated<T> &u, const Extrapolated<T> &p,
            const std::array<double, 3> &step, i64 c, int d, i64 row, T *out) {
    const T theta = static_cast<T>(u.factor), momentum = static_cast<T>(p.factor);
    const bool along_x = d == rows.how.dims - 1;
    const i64 image = rows.at(c, row), field = rows.at(c, d, row);
    const i64 ahead = along_x ? 1 : rows.to_next(d, row) * rows.nx;
    const i64 count = along_x ? rows.nx - 1 : ahead ? rows.nx : 0;
    const T *here = u.now + image, *here0 = u.before + image;
    const T *q = p.now + field, *q0 = p.before + field;
    T *to = out + field;
    if (rows.links(row))
        linked_row(here, here0, here + ahead, here0 + ahead, theta, q, q0, momentum,
                   static_cast<T>(step[d]), rows.links(row), d, to, count);
    else
        ascend_row(here, here0, here + ahead, here0 + ahead, theta, q, q0, momentum,
                   static_cast<T>(step[d]), to, count);
    std::fill(to + count, to + rows.nx, T(0));
}

template <int D, class T> void project_row(const Rows<T> &rows, i64 row, T *gram, T *out) {
    const i64 channels = rows.how.channels, nx = rows.nx;
    const int coupling = rows.how.coupling;
    const auto field = [&](i64 c, int d) { return out + rows.at(c, d, row); };
    for (i64 c = 0; c < channels; ++c)
        for (int i = 0; i < D; ++i)
            for (int j = i; j < (coupling == coupling_nuclear ? D : i + 1); ++j) {
                const bool joint = coupling == coupling_frobenius;
                T *sum = gram + (joint ? 0 : packed<D>(i, j)) * nx;
                add_product_row(field(c, i), field(c, j), sum, c == 0 && (!joint || i == 0), nx);
            }
    if (coupling == coupling_nuclear) {
        nuclear_projection_row<D>(rows.limit(row), gram, nx);
        for (i64 c = 0; c < channels; ++c) {
            T *j[3] = {};
            for (int d = 0; d < D; ++d)
                j[d] = field(c, d);
            transform_row<D>(gram, j, nx);
        }
        return;
    }
    for (int d = 0; d < (coupling == coupling_separate ? D : 1); ++d)
        shortening_row(rows.limit(row), gram + packed<D>(d, d) * nx, nx);
    for (i64 c = 0; c < channels; ++c)
        for (int d = 0; d < D; ++d)
            scale_row(gram + (coupling == coupling_separate ? packed<D>(d, d) : 0) * nx,
                      field(c, d), nx);
}

// --- the objectives ------------------------------------------------------------------------------

// length = |J| of every voxel of a row; scratch: D + packed_size<D> rows.
template <int D, class T>
void lengths(const Rows<T> &rows, const T *u, const std::array<double, 3> &inverse, i64 row,
             double *scratch, double *length) {
    const i64 nx = rows.nx;
    double *gram = scratch + D * nx;
    for (i64 c = 0; c < rows.how.channels; ++c) {
        const T *here = u + rows.at(c, row);
        for (int d = 0; d < D; ++d) {
            double *to = scratch + d * nx;
            const i64 ahead = d == D - 1 ? 1 : rows.to_next(d, row) * nx;
            const i64 count = d == D - 1 ? nx - 1 : ahead ? nx : 0;
            difference_row(here, here + ahead, inverse[d], to, count);
            std::fill(to + count, to + nx, 0.0);
            if (rows.links(row))
                keep_linked_row(rows.links(row), d, to, nx);
        }
        for (int i = 0; i < D; ++i)
            for (int j = i; j < D; ++j)
                add_product_row(scratch + i * nx, scratch + j * nx, gram + packed<D>(i, j) * nx,
                                c == 0, nx);
    }
    length_row<D>(rows.how.coupling, gram, length, nx);
}

} // namespace

template <class T>
void fields_dual(const Fields<T> &fields, const Extrapolated<T> &u, const Extrapolated<T> &p,
                 const std::array<double, 3> &step, T *out) {
    const Rows<T> rows(fields);
    std::vector<T> scratch(max_workers() * packed_size<3> * rows.nx);
    with_dims(fields.dims, [&](auto dims) {
        parallel_for(rows.rows, rows.grain(), [&](i64 begin, i64 end, int worker) {
            T *gram = scratch.data() + worker * packed_size<3> * rows.nx;
            for (i64 row = begin; row < end; ++row) {
                for (i64 c = 0; c < fields.channels; ++c)
                    for (int d = 0; d < dims(); ++d)
                        ascend(rows, u, p, step, c, d, row, out);
                project_row<dims()>(rows, row, gram, out);
            }
        });
    });
}

template <class T>
void fields_primal(const Fields<T> &fields, const T *f, const T *u, double take,
                   const Extrapolated<T> &p, const std::array<double, 3> &weight,
                   const Bounds<T> &bounds, T *out) {
    const Rows<T> rows(fields);
    const Limits<T> limits(bounds, rows.nx, rows.voxels);
    std::vector<T> scratch(max_workers() * rows.nx);
    parallel_for(rows.rows, rows.grain(), [&](i64 begin, i64 end, int worker) {
        T *sum = scratch.data() + worker * rows.nx;
        for (i64 row = begin; row < end; ++row)
            for (i64 c = 0; c < fields.channels; ++c) {
                const i64 at = rows.at(c, row);
                rows.divergence(p, c, row, weight, sum);
                descend_row(f + at, u + at, static_cast<T>(take), sum, limits.low(row),
                            limits.high(row), out + at, rows.nx);
            }
    });
}

template <class T>
std::array<double, 2> fields_objectives(const Fields<T> &fields, const T *f, const T *u,
                                        double weight, const std::array<double, 3> &inverse_spacing,
                                        const Bounds<T> &bounds, const T *p) {
    const Rows<T> rows(fields);
    const Limits<T> limits(bounds, rows.nx, rows.voxels);
    constexpr i64 parts = 3 + packed_size<3> + 3; // differences, Gram, length or divergence, P, D
    std::vector<double> scratch(max_workers() * parts * rows.nx);
    std::vector<std::array<double, 2>> sums(rows.rows);
    std::array<double, 3> weights{};
    for (int d = 0; d < fields.dims; ++d)
        weights[d] = weight * inverse_spacing[d];
    with_dims(fields.dims, [&](auto dims) {
        parallel_for(rows.rows, rows.grain(), [&](i64 begin, i64 end, int worker) {
            double *part = scratch.data() + worker * parts * rows.nx;
            double *line = part + (3 + packed_size<3>)*rows.nx;
            double *primal = line + rows.nx, *dual = primal + rows.nx;
            for (i64 row = begin; row < end; ++row) {
                lengths<dims()>(rows, u, inverse_spacing, row, part, line);
                for (i64 x = 0; x < rows.nx; ++x)
                    primal[x] = weight * static_cast<double>(rows.limit(row)[x]) * line[x];
                std::fill_n(dual, rows.nx, 0.0);
                for (i64 c = 0; c < fields.channels; ++c) {
                    rows.divergence(Extrapolated<T>{p, p, 0}, c, row, weights, line);
                    shares_row(f + rows.at(c, row), u + rows.at(c, row), line, limits.low(row),
                               limits.high(row), primal, dual, rows.nx);
                }
                for (i64 x = 0; x < rows.nx; ++x) {
                    sums[row][0] += primal[x];
                    sums[row][1] += dual[x];
                }
            }
        });
    });
    std::array<double, 2> total{};
    for (const auto &sum : sums)
        for (int k = 0; k < 2; ++k)
            total[k] += sum[k];
    return total;
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void fields_dual(const Fields<T> &, const Extrapolated<T> &, const Extrapolated<T> &, \
                              const std::array<double, 3> &, T *);                                 \
    template void fields_primal(const Fields<T> &, const T *, const T *, double,                   \
                                const Extrapolated<T> &, const std::array<double, 3> &,            \
                                const Bounds<T> &, T *);                                           \
    template std::array<double, 2> fields_objectives(const Fields<T> &, const T *, const T *,      \
                                                     double, const std::array<double, 3> &,        \
                                                     const Bounds<T> &, const T *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad::tv
