// CUDA twin of rank_filter.cpp: a thread owns a voxel. Medians of 9, 25 and 27 values are found in
// registers by forgetting the least and the greatest of the values so far, one more value at a
// time; every other window by counting the values below a trial value, bit by bit of the answer.
#include "base/portable.hpp"

#if defined(__CUDACC__)
#define PYRAD_UNROLL _Pragma("unroll")
#else
#define PYRAD_UNROLL
#endif

namespace pyrad {
namespace {

struct Window {
    const i64 *offsets;
    i64 count, width, rank;
};

template <class T> __device__ void order(T &a, T &b) {
    const T low = min_of(a, b);
    b = max_of(a, b);
    a = low;
}

// The value in the middle of the N (odd) behind `at`.
template <int N, class T> __device__ T middle(const T *at, const Window &window) {
    constexpr int kept = N / 2 + 2;
    T values[kept];
    const auto given = [&](int k) {
        return at[window.offsets[k / window.width] + k % window.width];
    };
    PYRAD_UNROLL
    for (int k = 0; k < kept; ++k)
        values[k] = given(k);
    PYRAD_UNROLL
    for (int round = 0; round < kept - 2; ++round) { // the least goes first, the greatest last
        PYRAD_UNROLL
        for (int k = round + 1; k < kept; ++k)
            order(values[round], values[k]);
        PYRAD_UNROLL
        for (int k = round + 1; k < kept - 1; ++k)
            order(values[k], values[kept - 1]);
        if (kept + round < N)
            values[kept - 1] = given(kept + round);
    }
    return values[kept - 2];
}

__device__ i32 bits_of(float x) { return __float_as_int(x); }
__device__ i64 bits_of(double x) { return __double_as_longlong(x); }
__device__ float value_of(i32 x) { return __int_as_float(x); }
__device__ double value_of(i64 x) { return __longlong_as_double(x); }

// Signed integers in the order of the values, and back.
template <class Key> __device__ Key flipped(Key bits) {
    constexpr int sign = 8 * sizeof(Key) - 1;
    return bits ^ ((bits >> sign) & static_cast<Key>(~(Key(1) << sign)));
}

// The greatest key with no more than `rank` values below it.
template <class T> __device__ T counted(const T *at, const Window &window) {
    using Key = decltype(bits_of(T()));
    constexpr int bits = 8 * sizeof(Key);
    Key found = static_cast<Key>(Key(1) << (bits - 1));
    for (int bit = bits - 1; bit >= 0; --bit) {
        const Key trial = bit == bits - 1 ? Key(0) : found + (Key(1) << bit);
        i64 below = 0;
        for (i64 w = 0; w < window.count; ++w)
            for (i64 k = 0; k < window.width; ++k)
                below += flipped(bits_of(at[window.offsets[w] + k])) < trial ? 1 : 0;
        found = below <= window.rank ? trial : found;
    }
    return value_of(flipped(found));
}

template <class T>
__device__ void filter(const T *padded, const i64 *starts, i64 rows, i64 n, const Window &window,
                       T *out) {
    const i64 size = window.count * window.width, step = static_cast<i64>(gridDim.x) * blockDim.x;
    const bool median = 2 * window.rank + 1 == size;
    for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < rows * n; i += step) {
        const T *const at = padded + starts[i / n] + i % n;
        out[i] = median && size == 27   ? middle<27>(at, window)
                 : median && size == 25 ? middle<25>(at, window)
                 : median && size == 9  ? middle<9>(at, window)
                                        : counted(at, window);
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(rank_filter_f32)
(const float *padded, const long long *starts, long long rows, long long n,
 const long long *offsets, long long count, long long width, long long rank, float *out) {
    pyrad::filter(padded, starts, rows, n, pyrad::Window{offsets, count, width, rank}, out);
}

PYRAD_KERNEL(rank_filter_f64)
(const double *padded, const long long *starts, long long rows, long long n,
 const long long *offsets, long long count, long long width, long long rank, double *out) {
    pyrad::filter(padded, starts, rows, n, pyrad::Window{offsets, count, width, rank}, out);
}
