// CUDA twin of soften.cpp.
#include "prox/soften_math.hpp"

namespace {

using namespace pyrad;

template <class Body> __device__ void for_each(i64 n, Body &&body) {
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step)
        body(i);
}

template <class T>
__device__ void soften_complex(const Complex<T> *x, i64 n, T threshold, Complex<T> *out) {
    for_each(n, [&](i64 i) { out[i] = shrink_factor(norm2(x[i]), threshold) * x[i]; });
}

template <class T> __device__ void soften_real(const T *x, i64 n, T threshold, T *out) {
    for_each(n, [&](i64 i) { out[i] = softened(x[i], threshold); });
}

} // namespace

PYRAD_KERNEL(soften_f32)(const float *x, pyrad::i64 n, float threshold, float *out) {
    soften_real(x, n, threshold, out);
}

PYRAD_KERNEL(soften_f64)(const double *x, pyrad::i64 n, double threshold, double *out) {
    soften_real(x, n, threshold, out);
}

PYRAD_KERNEL(soften_c64)(const pyrad::Complex<float> *x, pyrad::i64 n, float threshold,
                         pyrad::Complex<float> *out) {
    soften_complex(x, n, threshold, out);
}

PYRAD_KERNEL(soften_c128)(const pyrad::Complex<double> *x, pyrad::i64 n, double threshold,
                          pyrad::Complex<double> *out) {
    soften_complex(x, n, threshold, out);
}
