// CUDA twin of convolve_axis.cpp: a thread owns a sample; neighbouring threads read neighbouring
// samples for every tap, whichever axis the taps run along.
#include "filters/boundary_math.hpp"

namespace pyrad {
namespace {

template <class T>
__device__ void convolve(const T *x, i64 outer, i64 n, i64 inner, const T *taps, int count,
                         int centre, int boundary, T *out) {
    const i64 total = outer * n * inner, step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; at < total; at += step) {
        const i64 i = at / inner % n;
        const T *const line = x + (at - i * inner);
        T sum = 0;
        if (i + centre < n && i + centre - count + 1 >= 0)
            for (int j = 0; j < count; ++j)
                sum += taps[j] * line[(i + centre - j) * inner];
        else
            for (int j = 0; j < count; ++j) {
                const i64 row = index_within(i + centre - j, n, static_cast<Boundary>(boundary));
                sum += row < 0 ? T(0) : taps[j] * line[row * inner];
            }
        out[at] = sum;
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(convolve_axis_f32)
(const float *x, long long outer, long long n, long long inner, const float *taps, int count,
 int centre, int boundary, float *out) {
    pyrad::convolve(x, outer, n, inner, taps, count, centre, boundary, out);
}

PYRAD_KERNEL(convolve_axis_f64)
(const double *x, long long outer, long long n, long long inner, const double *taps, int count,
 int centre, int boundary, double *out) {
    pyrad::convolve(x, outer, n, inner, taps, count, centre, boundary, out);
}
