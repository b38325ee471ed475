// CUDA twin of finite.cpp: out[0] += count, out[1] = min(first index); out[1] starts at the size.
#include "base/portable.hpp"

namespace {

template <class T>
__device__ void count_nonfinite(const T *x, long long size, unsigned long long *out) {
    const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
    for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < size;
         i += step) {
        const T difference = x[i] - x[i]; // 0 for finite values, NaN for the others
        if (!(difference == T(0))) {
            atomicAdd(&out[0], 1ull);
            atomicMin(&out[1], static_cast<unsigned long long>(i));
        }
    }
}

} // namespace

PYRAD_KERNEL(count_nonfinite_f32)(const float *x, long long size, unsigned long long *out) {
    count_nonfinite(x, size, out);
}

PYRAD_KERNEL(count_nonfinite_f64)(const double *x, long long size, unsigned long long *out) {
    count_nonfinite(x, size, out);
}
