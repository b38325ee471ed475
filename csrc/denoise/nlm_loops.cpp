// Portable loops of non-local means; double precision and processors without AVX2 take these.
#include "denoise/nlm_loops.hpp"

#include "base/simd.hpp"

#define PYRAD_ALWAYS_INLINE inline __attribute__((always_inline))

namespace pyrad::nlm {
namespace {

// out[i] = x[i] + x[i + stride] + ... (count terms, odd).
template <class T>
PYRAD_ALWAYS_INLINE void sum_terms(const T *__restrict x, i64 stride, i64 count, T *__restrict out,
                                   i64 n) {
    if (count == 3) {
        for (i64 i = 0; i < n; ++i)
            out[i] = x[i] + x[i + stride] + x[i + 2 * stride];
        return;
    }
    for (i64 i = 0; i < n; ++i)
        out[i] = x[i];
    for (i64 k = 1; k < count; k += 2)
        for (i64 i = 0; i < n; ++i)
            out[i] += x[i + k * stride] + x[i + (k + 1) * stride];
}

constexpr i64 chunk = 256; // elements of a row at a time, so that sums in between stay in L1

// `square` holds one chunk and what the radius adds.
template <class T>
PYRAD_ALWAYS_INLINE void square_chunk(const T *__restrict a, const T *__restrict b, T *square,
                                      i64 n) {
    for (i64 i = 0; i < n; ++i)
        square[i] = (b[i] - a[i]) * (b[i] - a[i]);
}

template <class T> PYRAD_CLONES_V3 void squares(const Squares<T> &job) {
    constexpr i64 most = 16; // radius that a chunk with its margin has room for
    T square[chunk + 2 * most];
    for (i64 row = 0; row < job.rows; ++row)
        for (i64 first = 0; first < job.n; first += chunk) {
            const i64 n = job.n - first < chunk ? job.n - first : chunk;
            const T *a = job.a + row * job.stride + first, *b = job.b + row * job.stride + first;
            T *out = job.out + row * job.out_stride + first;
            if (job.radius <= most) {
                square_chunk(a - job.radius, b - job.radius, square, n + 2 * job.radius);
                sum_terms(square, 1, 2 * job.radius + 1, out, n);
                continue;
            }
            square_chunk(a, b, out, n);
            for (i64 k = 1; k <= job.radius; ++k) {
                square_chunk(a - k, b - k, square, n);
                for (i64 i = 0; i < n; ++i)
                    out[i] += square[i];
                square_chunk(a + k, b + k, square, n);
                for (i64 i = 0; i < n; ++i)
                    out[i] += square[i];
            }
        }
}

template <class T>
PYRAD_ALWAYS_INLINE void weigh_chunk(const Weighing<T> &job, i64 row, i64 first, i64 n) {
    T own[chunk], sum[chunk];
    sum_terms(job.squares + row * job.stride + first, job.stride, 2 * job.radius + 1, own, n);
    for (i64 i = 0; i < n; ++i)
        sum[i] = own[i];
    for (i64 k = 0; k < job.others_count; ++k) {
        const T *__restrict other = job.others[k] + row * job.n + first;
        for (i64 i = 0; i < n; ++i)
            sum[i] += other[i];
    }
    if (job.plane)
        for (i64 i = 0; i < n; ++i)
            job.plane[row * job.n + first + i] = own[i];
    if (!job.weights)
        return;
    T *__restrict weights = job.weights + row * job.weights_stride + first;
    const Strength<T> strength = job.strength;
    if (job.variance) {
        const i64 at = row * job.variance_stride + first;
        const T *__restrict v = job.variance + at, *__restrict u = job.partner_variance + at;
        for (i64 i = 0; i < n; ++i)
            weights[i] = weight(sum[i], strength, v[i], u[i]);
    } else {
        for (i64 i = 0; i < n; ++i)
            weights[i] = weight(sum[i], strength);
    }
}

template <class T> PYRAD_CLONES_V3 void weigh(const Weighing<T> &job) {
    for (i64 row = 0; row < job.rows; ++row)
        for (i64 first = 0; first < job.n; first += chunk)
            weigh_chunk(job, row, first, job.n - first < chunk ? job.n - first : chunk);
}

template <class T>
PYRAD_ALWAYS_INLINE void spread_chunk(const Spreading<T> &job, i64 row, i64 first, i64 n) {
    constexpr T side = T(spread_side);
    T sum[chunk] = {}, rows[chunk + 2] = {};
    if (job.weights) {
        const T *__restrict w = job.weights + row * job.stride + first - 1;
        for (i64 i = 0; i < n + 2; ++i)
            rows[i] = w[i];
        if (job.along_y)
            for (i64 i = 0; i < n + 2; ++i)
                rows[i] += side * (w[i - job.stride] + w[i + job.stride]);
        for (i64 i = 0; i < n; ++i)
            sum[i] = rows[i + 1];
        if (job.along_x)
            for (i64 i = 0; i < n; ++i)
                sum[i] += side * (rows[i] + rows[i + 2]);
    }
    const i64 at = row * job.n + first;
    T *__restrict out = job.out ? job.out + row * job.out_stride + first : nullptr;
    if (out)
        for (i64 i = 0; i < n; ++i)
            out[i] =
                job.along_z ? job.centre[at + i] + side * (job.before[at + i] + sum[i]) : sum[i];
    if (job.along_z)
        for (i64 i = 0; i < n; ++i)
            job.plane[at + i] = sum[i];
}

template <class T> PYRAD_CLONES_V3 void spread(const Spreading<T> &job) {
    for (i64 row = 0; row < job.rows; ++row)
        for (i64 first = 0; first < job.n; first += chunk)
            spread_chunk(job, row, first, job.n - first < chunk ? job.n - first : chunk);
}

template <class T>
PYRAD_ALWAYS_INLINE void add_weighted(const T *w, const T *value, const T *partner,
                                      T *__restrict numerator, T *__restrict denominator, i64 n) {
    for (i64 i = 0; i < n; ++i) {
        numerator[i] += w[i] * (partner[i] - value[i]);
        denominator[i] += w[i];
    }
}

template <class T> PYRAD_CLONES_V3 void add(const Adding<T> &job) {
    for (i64 k = 0; k < job.count; ++k)
        add_weighted(job.weights + k * job.weights_step, job.value, job.partner + job.first + k,
                     job.numerator, job.denominator, job.n);
    const i64 n = job.end - job.begin;
    for (i64 k = 0; k < job.count; ++k) {
        const i64 dx = job.first + k;
        add_weighted(job.weights + k * job.weights_step + job.begin - dx, job.partner + job.begin,
                     job.value + job.begin - dx, job.partner_numerator + job.begin,
                     job.partner_denominator + job.begin, n);
    }
}

template <class T> bool never(const Squares<T> &, const Weighing<T> &) { return false; }

} // namespace

template <class T> Loops<T> portable_loops() {
    return {&squares<T>, &weigh<T>, &never<T>, &spread<T>, &add<T>};
}

template Loops<float> portable_loops();
template Loops<double> portable_loops();

} // namespace pyrad::nlm
