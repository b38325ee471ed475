// CUDA twin of steps.cpp.
#include "base/steps_math.hpp"

namespace pyrad::steps {
namespace {

template <class Body> __device__ void for_each(long long n, Body &&body) {
    const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
    for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < n;
         i += step)
        body(i);
}

template <class T>
__device__ void step_all(T step, const T *scale, const T *update, T low, T *x, long long n) {
    for_each(n, [&](long long i) { x[i] = scaled_step(x[i], step, scale[i], update[i], low); });
}

template <class T>
__device__ void momentum_all(const T *gradient, const T *scale, T factor, Momentum<T> take,
                             const T *start, T *sum, T *z, T *x, long long n) {
    for_each(n, [&](long long i) {
        x[i] = take(gradient[i], factor * scale[i], start[i], sum[i], z[i]);
    });
}

} // namespace
} // namespace pyrad::steps

PYRAD_KERNEL(scaled_step_f32)(float step, const float *scale, const float *update, float low,
                              float *x, long long n) {
    pyrad::steps::step_all(step, scale, update, low, x, n);
}

PYRAD_KERNEL(scaled_step_f64)(double step, const double *scale, const double *update, double low,
                              double *x, long long n) {
    pyrad::steps::step_all(step, scale, update, low, x, n);
}

PYRAD_KERNEL(momentum_step_f32)(const float *gradient, const float *scale, float factor,
                                float weight, float mix, float low, const float *start, float *sum,
                                float *z, float *x, long long n) {
    pyrad::steps::momentum_all(gradient, scale, factor, {weight, mix, low}, start, sum, z, x, n);
}

PYRAD_KERNEL(momentum_step_f64)(const double *gradient, const double *scale, double factor,
                                double weight, double mix, double low, const double *start,
                                double *sum, double *z, double *x, long long n) {
    pyrad::steps::momentum_all(gradient, scale, factor, {weight, mix, low}, start, sum, z, x, n);
}
