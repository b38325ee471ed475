// CUDA twin of bilateral.cpp: a thread owns a voxel, neighbouring threads read neighbouring samples
// for every place of the window.
#include "base/exp_math.hpp"

namespace pyrad {
namespace {

template <class T>
__device__ void filter(const T *guide, const T *values, const i64 *starts, i64 rows, i64 n,
                       const i64 *offsets, const T *exponents, i64 count, i64 centre, T scale,
                       T *out) {
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; at < rows * n;
         at += step) {
        const i64 start = starts[at / n] + at % n;
        const T *const g = guide + start, *const v = values + start;
        const T level = g[centre], value = v[centre];
        T numerator = 0, denominator = 0;
        for (i64 w = 0; w < count; ++w) {
            const T difference = g[offsets[w]] - level;
            const T scaled = difference * scale;
            const T e = exp_negative(scaled * scaled + exponents[w]);
            numerator += e * (v[offsets[w]] - value);
            denominator += e;
        }
        out[at] = value + numerator / denominator;
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(bilateral_f32)
(const float *guide, const float *values, const long long *starts, long long rows, long long n,
 const long long *offsets, const float *exponents, long long count, long long centre, float scale,
 float *out) {
    pyrad::filter(guide, values, starts, rows, n, offsets, exponents, count, centre, scale, out);
}

PYRAD_KERNEL(bilateral_f64)
(const double *guide, const double *values, const long long *starts, long long rows, long long n,
 const long long *offsets, const double *exponents, long long count, long long centre, double scale,
 double *out) {
    pyrad::filter(guide, values, starts, rows, n, offsets, exponents, count, centre, scale, out);
}
