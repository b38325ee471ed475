#include "mr/conjugate_gradients.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile = 1 << 14;
constexpr int lanes = 32;

template <class T> PYRAD_CLONES double curvature_in(const T *p, T weight, i64 n, T *q) {
    double sums[lanes] = {}, total = 0;
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int l = 0; l < lanes; ++l) {
            q[i + l] += weight * p[i + l];
            sums[l] += static_cast<double>(p[i + l]) * static_cast<double>(q[i + l]);
        }
    for (; i < n; ++i) {
        q[i] += weight * p[i];
        total += static_cast<double>(p[i]) * static_cast<double>(q[i]);
    }
    for (double sum : sums)
        total += sum;
    return total;
}

template <class T> PYRAD_CLONES double step_in(const T *p, const T *q, T alpha, i64 n, T *x, T *r) {
    double sums[lanes] = {}, total = 0;
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int l = 0; l < lanes; ++l) {
            x[i + l] += alpha * p[i + l];
            r[i + l] -= alpha * q[i + l];
            sums[l] += static_cast<double>(r[i + l]) * static_cast<double>(r[i + l]);
        }
    for (; i < n; ++i) {
        x[i] += alpha * p[i];
        r[i] -= alpha * q[i];
        total += static_cast<double>(r[i]) * static_cast<double>(r[i]);
    }
    for (double sum : sums)
        total += sum;
    return total;
}

template <class T> PYRAD_CLONES void turn_in(const T *r, T beta, i64 n, T *p) {
    for (i64 i = 0; i < n; ++i)
        p[i] = r[i] + beta * p[i];
}

// body(batch, first element, count) -> partial sum; sums of one system are added in order.
template <class Body> void sum_tiles(i64 batch, i64 n, double *state, int slot, Body &&body) {
    const i64 tiles = (n + tile - 1) / tile;
    std::vector<double> sums(batch * tiles);
    parallel_for(batch * tiles, 1, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i) {
            const i64 first = i % tiles * tile;
            sums[i] = body(i / tiles, i / tiles * n + first, std::min(tile, n - first));
        }
    });
    for (i64 b = 0; b < batch; ++b) {
        double total = 0;
        for (i64 t = 0; t < tiles; ++t)
            total += sums[b * tiles + t];
        state[3 * b + slot] = total;
    }
}

} // namespace

template <class T>
void cg_curvature(const T *p, double regularization, i64 batch, i64 n, T *q, double *state) {
    sum_tiles(batch, n, state, 1, [&](i64, i64 first, i64 count) {
        return curvature_in(p + first, static_cast<T>(regularization), count, q + first);
    });
}

template <class T>
void cg_step(const T *p, const T *q, i64 batch, i64 n, T *x, T *r, double *state) {
    sum_tiles(batch, n, state, 2, [&](i64 b, i64 first, i64 count) {
        const double rr = state[3 * b], pq = state[3 * b + 1];
        const T alpha = static_cast<T>(rr > 0 && pq > 0 ? rr / pq : 0.0);
        return step_in(p + first, q + first, alpha, count, x + first, r + first);
    });
}

template <class T> void cg_turn(const T *r, i64 batch, i64 n, T *p, double *state) {
    const i64 tiles = (n + tile - 1) / tile;
    parallel_for(batch * tiles, 1, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i) {
            const i64 b = i / tiles, first = b * n + i % tiles * tile;
            const double rr = state[3 * b];
            const T beta = static_cast<T>(rr > 0 ? state[3 * b + 2] / rr : 0.0);
            turn_in(r + first, beta, std::min(tile, n - i % tiles * tile), p + first);
        }
    });
    for (i64 b = 0; b < batch; ++b)
        state[3 * b] = state[3 * b + 2];
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void cg_curvature(const T *, double, i64, i64, T *, double *);                        \
    template void cg_step(const T *, const T *, i64, i64, T *, T *, double *);                     \
    template void cg_turn(const T *, i64, i64, T *, double *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)

} // namespace pyrad
