// CUDA twin of preprocess.cpp. normalize_counts: one thread per pixel keeps its dark and gain over
// several views. fill_rows: one thread per pixel looks for the good pixels beside its run.
#include "base/portable.hpp"
#include "ct/preprocess_math.hpp"

namespace pyrad {
namespace {

constexpr int views_per_thread = 8;

template <class In, class T>
__device__ void normalize_counts(const In *counts, const T *dark, const T *gain, const T *scale,
                                 i64 views, i64 pixels, T low, T floor, T high, T *out,
                                 unsigned long long *unusable) {
    const i64 p = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (p >= pixels)
        return;
    const T offset = dark[p], factor = gain[p];
    const i64 first = static_cast<i64>(blockIdx.y) * views_per_thread;
    const i64 end = min_of<i64>(views, first + views_per_thread);
    unsigned bad = 0;
    for (i64 v = first; v < end; ++v) {
        const auto t = transmission(static_cast<T>(counts[v * pixels + p]), offset, factor,
                                    scale[v], low, high);
        bad += static_cast<unsigned>(t.unusable);
        out[v * pixels + p] = -elementary::log_of(max_of(floor, t.value));
    }
    if (bad)
        atomicAdd(unusable, static_cast<unsigned long long>(bad));
}

template <class T>
__device__ void fill_rows(const T *x, const unsigned char *mask, i64 rows, i64 columns, T *out) {
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (c >= columns)
        return;
    for (i64 r = blockIdx.y; r < rows; r += gridDim.y) {
        const unsigned char *bad = mask + r * columns;
        const T *row = x + r * columns;
        i64 before = c, after = c;
        while (before >= 0 && bad[before])
            --before;
        while (after < columns && bad[after])
            ++after;
        T value = row[c];
        if (bad[c] && (before >= 0 || after < columns)) {
            const T left = before < 0 ? row[after] : row[before];
            const T right = after == columns ? left : row[after];
            const T step = (right - left) / static_cast<T>(after - before);
            value = left + step * static_cast<T>(c - before);
        }
        out[r * columns + c] = value;
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(normalize_counts_u16)
(const unsigned short *counts, const float *dark, const float *gain, const float *scale,
 long long views, long long pixels, float low, float floor, float high, float *out,
 unsigned long long *unusable) {
    pyrad::normalize_counts(counts, dark, gain, scale, views, pixels, low, floor, high, out,
                            unusable);
}

PYRAD_KERNEL(normalize_counts_f32)
(const float *counts, const float *dark, const float *gain, const float *scale, long long views,
 long long pixels, float low, float floor, float high, float *out, unsigned long long *unusable) {
    pyrad::normalize_counts(counts, dark, gain, scale, views, pixels, low, floor, high, out,
                            unusable);
}

PYRAD_KERNEL(normalize_counts_f64)
(const double *counts, const double *dark, const double *gain, const double *scale, long long views,
 long long pixels, double low, double floor, double high, double *out,
 unsigned long long *unusable) {
    pyrad::normalize_counts(counts, dark, gain, scale, views, pixels, low, floor, high, out,
                            unusable);
}

PYRAD_KERNEL(fill_rows_f32)
(const float *x, const unsigned char *mask, long long rows, long long columns, float *out) {
    pyrad::fill_rows(x, mask, rows, columns, out);
}

PYRAD_KERNEL(fill_rows_f64)
(const double *x, const unsigned char *mask, long long rows, long long columns, double *out) {
    pyrad::fill_rows(x, mask, rows, columns, out);
}
