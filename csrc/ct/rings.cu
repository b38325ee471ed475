// CUDA twin of rings.cpp on lines (detector pixels) of views that lie side by side in memory.
// rank_lines: one block sorts one line in shared memory (bitonic, by value and then by view).
// median_lines: one thread walks along a stretch of columns at one rank and keeps its window
// sorted in shared memory, interleaved by thread. unrank_lines: one thread per value.
#include "base/portable.hpp"

namespace pyrad {
namespace {

template <class T> __device__ bool comes_after(T a, int i, T b, int j) {
    return b < a || (!(a < b) && j < i);
}

// `padded` is the power of two at or above `views`; the spare entries sort to the end.
template <class T>
__device__ void rank_lines(const T *x, i64 views, int padded, T high, T *ranked, int *order,
                           T *values) {
    int *const from = reinterpret_cast<int *>(values + padded);
    const i64 line = blockIdx.x;
    for (int i = threadIdx.x; i < padded; i += blockDim.x) {
        values[i] = i < views ? x[line * views + i] + T(0) : high;
        from[i] = i;
    }
    for (int span = 2; span <= padded; span *= 2) {
        for (int step = span / 2; step > 0; step /= 2) {
            __syncthreads();
            for (int k = threadIdx.x; k < padded / 2; k += blockDim.x) {
                const int i = 2 * k - (k & (step - 1)), j = i + step;
                const bool ascending = (i & span) == 0;
                if (comes_after(values[i], from[i], values[j], from[j]) == ascending) {
                    const T value = values[i];
                    values[i] = values[j];
                    values[j] = value;
                    const int view = from[i];
                    from[i] = from[j];
                    from[j] = view;
                }
            }
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < views; i += blockDim.x) {
        ranked[line * views + i] = values[i];
        order[line * views + i] = from[i];
    }
}

template <class T>
__device__ void median_lines(const T *x, i64 columns, i64 ranks, int size, i64 stretch, T *out,
                             T *windows) {
    const i64 rank = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (rank >= ranks)
        return;
    const i64 row = blockIdx.z * columns * ranks, half = size / 2, n = blockDim.x;
    const i64 begin = blockIdx.y * stretch, end = min_of<i64>(columns, begin + stretch);
    T *const window = windows + threadIdx.x;
    const T *const from = x + row + rank;
    for (int i = 0; i < size; ++i)
        window[i * n] = from[max_of<i64>(0, begin - half - 1) * ranks];
    for (i64 c = begin - 2 * half; c < end; ++c) {
        // the first steps replace the copies of one column by the columns of the window
        const i64 leaves = c <= begin ? begin - half - 1 : c - half - 1;
        const T gone = from[max_of<i64>(0, leaves) * ranks];
        const T come = from[clamp<i64>(c + half, 0, columns - 1) * ranks];
        T before = window[0] < gone ? window[0] : window[n];
        T left = before;
        window[0] = min_of(come, before);
        for (int i = 1; i < size - 1; ++i) {
            const T here = window[i * n];
            before = here < gone ? here : window[(i + 1) * n];
            window[i * n] = min_of(max_of(left, come), before);
            left = before;
        }
        window[(size - 1) * n] = max_of(left, come);
        if (c >= begin)
            out[row + c * ranks + rank] = window[half * n];
    }
}

template <class T>
__device__ void unrank_lines(const T *ranked, const int *order, i64 views, i64 size, T *out) {
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step)
        out[i - i % views + order[i]] = ranked[i];
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(rank_lines_f32)
(const float *x, long long views, int padded, float high, float *ranked, int *order) {
    PYRAD_DYNAMIC_SHARED(float, values);
    pyrad::rank_lines(x, views, padded, high, ranked, order, values);
}

PYRAD_KERNEL(rank_lines_f64)
(const double *x, long long views, int padded, double high, double *ranked, int *order) {
    PYRAD_DYNAMIC_SHARED(double, values);
    pyrad::rank_lines(x, views, padded, high, ranked, order, values);
}

PYRAD_KERNEL(median_lines_f32)
(const float *x, long long columns, long long ranks, int size, long long stretch, float *out) {
    PYRAD_DYNAMIC_SHARED(float, windows);
    pyrad::median_lines(x, columns, ranks, size, stretch, out, windows);
}

PYRAD_KERNEL(median_lines_f64)
(const double *x, long long columns, long long ranks, int size, long long stretch, double *out) {
    PYRAD_DYNAMIC_SHARED(double, windows);
    pyrad::median_lines(x, columns, ranks, size, stretch, out, windows);
}

PYRAD_KERNEL(unrank_lines_f32)
(const float *ranked, const int *order, long long views, long long size, float *out) {
    pyrad::unrank_lines(ranked, order, views, size, out);
}

PYRAD_KERNEL(unrank_lines_f64)
(const double *ranked, const int *order, long long views, long long size, double *out) {
    pyrad::unrank_lines(ranked, order, views, size, out);
}
