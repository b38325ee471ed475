// CUDA twin of vector.cpp. inner_product: one partial sum per block, added by the caller; the cut
// into blocks depends on the size alone, so the bits repeat.
#include "base/portable.hpp"

namespace {

constexpr int threads = 256;

template <class T>
__device__ void inner_product(const T *a, const T *b, long long n, double *partial) {
    __shared__ double sums[threads];
    const long long step = static_cast<long long>(gridDim.x) * threads;
    double sum = 0;
    for (long long i = static_cast<long long>(blockIdx.x) * threads + threadIdx.x; i < n; i += step)
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    sums[threadIdx.x] = sum;
    for (int half = threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sums[0];
}

template <class T>
__device__ void axpby(double alpha, const T *x, double beta, T *out, long long n) {
    const T a = static_cast<T>(alpha), b = static_cast<T>(beta);
    const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
    for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < n;
         i += step)
        out[i] = a * x[i] + b * out[i];
}

} // namespace

PYRAD_KERNEL(inner_product_f32)(const float *a, const float *b, long long n, double *partial) {
    inner_product(a, b, n, partial);
}

PYRAD_KERNEL(inner_product_f64)(const double *a, const double *b, long long n, double *partial) {
    inner_product(a, b, n, partial);
}

PYRAD_KERNEL(axpby_f32)(double alpha, const float *x, double beta, float *out, long long n) {
    axpby(alpha, x, beta, out, n);
}

PYRAD_KERNEL(axpby_f64)(double alpha, const double *x, double beta, double *out, long long n) {
    axpby(alpha, x, beta, out, n);
}
