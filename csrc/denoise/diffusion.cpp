// Each flux between two rows is used by both: fluxes along y are kept for the next row, fluxes
// along z for the next plane of the tile. Rows end in copies of their outermost samples and planes
// stand in for those beyond the faces, where differences and so fluxes are zero.
#include "denoise/diffusion.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

#define PYRAD_ALWAYS_INLINE inline __attribute__((always_inline))

namespace pyrad::diffusion {
namespace {

constexpr i64 tile_planes = 8, tile_rows = 64;

// Two neighbouring rows, and the rows next to each of them along another axis.
template <class T> struct Pair {
    const T *a, *b;
    const T *pa, *ma, *pb, *mb; // across
    const T *qa, *na, *qb, *nb; // across, the other axis
    T inverse, quarter, quarter2;
};

template <bool Reciprocal, bool Curvature, class T>
PYRAD_ALWAYS_INLINE void flux_loop(const Pair<T> &rows, const Scale<T> scale, T *__restrict out,
                                   i64 n) {
#pragma GCC ivdep
    for (i64 i = 0; i < n; ++i)
        out[i] = flux<Reciprocal, Curvature>(
            (rows.b[i] - rows.a[i]) * rows.inverse,
            half_gradient(rows.pa[i], rows.ma[i], rows.pb[i], rows.mb[i], rows.quarter),
            half_gradient(rows.qa[i], rows.na[i], rows.qb[i], rows.nb[i], rows.quarter2), scale);
}

template <class T>
PYRAD_CLONES void flux_row(const Pair<T> rows, const Step<T> step, T *out, i64 n) {
    const Scale<T> scale(step.kappa);
    if (step.reciprocal)
        step.curvature ? flux_loop<true, true>(rows, scale, out, n)
                       : flux_loop<true, false>(rows, scale, out, n);
    else
        step.curvature ? flux_loop<false, true>(rows, scale, out, n)
                       : flux_loop<false, false>(rows, scale, out, n);
}

// A row, its neighbours, and the fluxes before and after it along z, y, x.
template <class T> struct Update {
    const T *here, *before[2], *after[2];
    const T *low[3], *high[3];
};

template <class T>
PYRAD_CLONES void update_row(const Update<T> rows, const Step<T> step, T *__restrict out, i64 n) {
    const T iz = step.inverse[0], iy = step.inverse[1], ix = step.inverse[2];
#pragma GCC ivdep
    for (i64 i = 0; i < n; ++i)
        out[i] = (rows.high[0][i] - rows.low[0][i]) * iz + (rows.high[1][i] - rows.low[1][i]) * iy +
                 (rows.high[2][i] - rows.low[2][i]) * ix;
    const T *const u = rows.here;
    if (!step.curvature) {
#pragma GCC ivdep
        for (i64 i = 0; i < n; ++i)
            out[i] = u[i] + step.tau * out[i];
        return;
    }
    const T inverse_kappa = T(1) / step.kappa;
    const T sz = iz * inverse_kappa, sy = iy * inverse_kappa, sx = ix * inverse_kappa;
#pragma GCC ivdep
    for (i64 i = 0; i < n; ++i) {
        const T speed = out[i];
        const T squares =
            upwind(speed, (u[i] - u[i - 1]) * sx, (u[i + 1] - u[i]) * sx) +
            upwind(speed, (u[i] - rows.before[1][i]) * sy, (rows.after[1][i] - u[i]) * sy) +
            upwind(speed, (u[i] - rows.before[0][i]) * sz, (rows.after[0][i] - u[i]) * sz);
        out[i] = u[i] + step.tau * step.kappa * (speed * std::sqrt(squares));
    }
}

// Rows of an image by clamped plane and row numbers; the first sample of the image, not the margin.
template <class T> struct Rows {
    const T *data;
    i64 nz, ny, stride;
    const T *operator()(i64 z, i64 y) const {
        return data +
               (std::clamp<i64>(z, 0, nz - 1) * ny + std::clamp<i64>(y, 0, ny - 1)) * stride + 1;
    }
};

template <class T> class Tile {
  public:
    Tile(const Rows<T> &rows, const Step<T> &step, i64 n)
        : rows_(rows), step_(step), n_(n), along_z_(2 * tile_rows * n), along_y_(2 * n),
          along_x_(n + 1) {}

    void run(i64 z0, i64 z1, i64 y0, i64 y1, View<T, 3> out) {
        for (i64 y = y0; y < y1; ++y)
            flux_z(z0 - 1, y, fluxes_z(z0 - 1, y - y0));
        const i64 margin = out.shape[2] == n_ ? 0 : 1;
        for (i64 z = z0; z < z1; ++z) {
            flux_y(z, y0 - 1, fluxes_y(y0 - 1));
            for (i64 y = y0; y < y1; ++y) {
                flux_z(z, y, fluxes_z(z, y - y0));
                flux_y(z, y, fluxes_y(y));
                flux_x(z, y);
                T *const row = out.data + (z * rows_.ny + y) * out.shape[2] + margin;
                update_row<T>({rows_(z, y),
                               {rows_(z - 1, y), rows_(z, y - 1)},
                               {rows_(z + 1, y), rows_(z, y + 1)},
                               {fluxes_z(z - 1, y - y0), fluxes_y(y - 1), along_x_.data()},
                               {fluxes_z(z, y - y0), fluxes_y(y), along_x_.data() + 1}},
                              step_, row, n_);
                if (margin) {
                    row[-1] = row[0];
                    row[n_] = row[n_ - 1];
                }
            }
        }
    }

  private:
    T *fluxes_z(i64 z, i64 row) { return along_z_.data() + ((z & 1) * tile_rows + row) * n_; }
    T *fluxes_y(i64 y) { return along_y_.data() + (y & 1) * n_; }
    T quarter(int axis) const { return T(0.25) * step_.inverse[axis]; }

    // Between planes z and z + 1.
    void flux_z(i64 z, i64 y, T *out) {
        const T *const a = rows_(z, y), *const b = rows_(z + 1, y);
        flux_row<T>({a, b, a + 1, a - 1, b + 1, b - 1, rows_(z, y + 1), rows_(z, y - 1),
                     rows_(z + 1, y + 1), rows_(z + 1, y - 1), step_.inverse[0], quarter(2),
                     quarter(1)},
                    step_, out, n_);
    }
    // Between rows y and y + 1.
    void flux_y(i64 z, i64 y, T *out) {
        const T *const a = rows_(z, y), *const b = rows_(z, y + 1);
        flux_row<T>({a, b, a + 1, a - 1, b + 1, b - 1, rows_(z + 1, y), rows_(z - 1, y),
                     rows_(z + 1, y + 1), rows_(z - 1, y + 1), step_.inverse[1], quarter(2),
                     quarter(0)},
                    step_, out, n_);
    }
    // Element i lies before sample i.
    void flux_x(i64 z, i64 y) {
        const T *const b = rows_(z, y);
        const T *const p = rows_(z, y + 1), *const m = rows_(z, y - 1);
        const T *const q = rows_(z + 1, y), *const n = rows_(z - 1, y);
        flux_row<T>({b - 1, b, p - 1, m - 1, p, m, q - 1, n - 1, q, n, step_.inverse[2], quarter(1),
                     quarter(0)},
                    step_, along_x_.data(), n_ + 1);
    }

    Rows<T> rows_;
    Step<T> step_;
    i64 n_;
    std::vector<T> along_z_, along_y_, along_x_;
};

template <class T>
PYRAD_CLONES double squares_of_row(const Update<T> rows, const Step<T> step, i64 n) {
    constexpr i64 lanes = 16;
    double sums[lanes] = {};
    const T iz = T(0.5) * step.inverse[0], iy = T(0.5) * step.inverse[1];
    const T ix = T(0.5) * step.inverse[2];
    const T *const u = rows.here;
    const auto add = [&](i64 i, double &sum) {
        const double z = (rows.after[0][i] - rows.before[0][i]) * iz;
        const double y = (rows.after[1][i] - rows.before[1][i]) * iy,
                     x = (u[i + 1] - u[i - 1]) * ix;
        sum += z * z + y * y + x * x;
    };
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (i64 k = 0; k < lanes; ++k)
            add(i + k, sums[k]);
    for (; i < n; ++i)
        add(i, sums[0]);
    double sum = 0;
    for (double part : sums)
        sum += part;
    return sum;
}

template <class T> Rows<T> rows_of(View<const T, 3> u) {
    return {u.data, u.shape[0], u.shape[1], u.shape[2]};
}

} // namespace

template <class T> void diffuse(View<const T, 3> u, const Step<T> &step, View<T, 3> out) {
    const Rows<T> rows = rows_of(u);
    const i64 down = (rows.nz + tile_planes - 1) / tile_planes;
    const i64 across = (rows.ny + tile_rows - 1) / tile_rows;
    parallel_for(down * across, 1, [&](i64 begin, i64 end, int) {
        Tile<T> tile(rows, step, rows.stride - 2);
        for (i64 k = begin; k < end; ++k) {
            poll();
            const i64 z = k / across * tile_planes, y = k % across * tile_rows;
            tile.run(z, std::min(z + tile_planes, rows.nz), y, std::min(y + tile_rows, rows.ny),
                     out);
        }
    });
}

template <class T> double squared_gradient(View<const T, 3> u, const Step<T> &step) {
    const Rows<T> rows = rows_of(u);
    std::vector<double> sums(rows.nz * rows.ny);
    parallel_for(rows.nz * rows.ny, 64, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            const i64 z = r / rows.ny, y = r % rows.ny;
            sums[r] = squares_of_row<T>({rows(z, y),
                                         {rows(z - 1, y), rows(z, y - 1)},
                                         {rows(z + 1, y), rows(z, y + 1)},
                                         {},
                                         {}},
                                        step, rows.stride - 2);
        }
    });
    double sum = 0;
    for (double row : sums)
        sum += row;
    return sum;
}

template void diffuse(View<const float, 3>, const Step<float> &, View<float, 3>);
template void diffuse(View<const double, 3>, const Step<double> &, View<double, 3>);
template double squared_gradient(View<const float, 3>, const Step<float> &);
template double squared_gradient(View<const double, 3>, const Step<double> &);

} // namespace pyrad::diffusion
