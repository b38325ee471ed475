// CUDA twin of conjugate_gradients.cpp. Partial sums, one per block in the order of the blocks, are
// added by one block of `total`: the bits repeat, and the host is never asked, so that an iteration
// fits into a CUDA graph.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

constexpr int threads = 256;

// The block's sum, in thread 0.
__device__ double block_sum(double sum) {
    __shared__ double sums[threads];
    sums[threadIdx.x] = sum;
    for (int half = threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    __syncthreads();
    return sums[0];
}

// Blocks (parts, batch).
template <class T>
__device__ void curvature(const T *p, double regularization, i64 n, T *q, double *partial) {
    const T weight = static_cast<T>(regularization);
    const i64 begin = blockIdx.y * n, step = static_cast<i64>(gridDim.x) * threads;
    double sum = 0;
    for (i64 i = static_cast<i64>(blockIdx.x) * threads + threadIdx.x; i < n; i += step) {
        const T value = q[begin + i] + weight * p[begin + i];
        q[begin + i] = value;
        sum += static_cast<double>(p[begin + i]) * static_cast<double>(value);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

template <class T>
__device__ void step(const T *p, const T *q, const double *state, i64 n, T *x, T *r,
                     double *partial) {
    const double rr = state[3 * blockIdx.y], pq = state[3 * blockIdx.y + 1];
    const T alpha = static_cast<T>(rr > 0 && pq > 0 ? rr / pq : 0.0);
    const i64 begin = blockIdx.y * n, stride = static_cast<i64>(gridDim.x) * threads;
    double sum = 0;
    for (i64 i = static_cast<i64>(blockIdx.x) * threads + threadIdx.x; i < n; i += stride) {
        x[begin + i] += alpha * p[begin + i];
        const T value = r[begin + i] - alpha * q[begin + i];
        r[begin + i] = value;
        sum += static_cast<double>(value) * static_cast<double>(value);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

template <class T> __device__ void turn(const T *r, const double *state, i64 n, T *p) {
    const double rr = state[3 * blockIdx.y];
    const T beta = static_cast<T>(rr > 0 ? state[3 * blockIdx.y + 2] / rr : 0.0);
    const i64 begin = blockIdx.y * n, stride = static_cast<i64>(gridDim.x) * threads;
    for (i64 i = static_cast<i64>(blockIdx.x) * threads + threadIdx.x; i < n; i += stride)
        p[begin + i] = r[begin + i] + beta * p[begin + i];
}

} // namespace

PYRAD_KERNEL(curvature_f32)
(const float *p, double regularization, i64 n, float *q, double *partial) {
    curvature(p, regularization, n, q, partial);
}
PYRAD_KERNEL(curvature_f64)
(const double *p, double regularization, i64 n, double *q, double *partial) {
    curvature(p, regularization, n, q, partial);
}
PYRAD_KERNEL(step_f32)
(const float *p, const float *q, const double *state, i64 n, float *x, float *r, double *partial) {
    step(p, q, state, n, x, r, partial);
}
PYRAD_KERNEL(step_f64)
(const double *p, const double *q, const double *state, i64 n, double *x, double *r,
 double *partial) {
    step(p, q, state, n, x, r, partial);
}
PYRAD_KERNEL(turn_f32)(const float *r, const double *state, i64 n, float *p) {
    turn(r, state, n, p);
}
PYRAD_KERNEL(turn_f64)(const double *r, const double *state, i64 n, double *p) {
    turn(r, state, n, p);
}

// state[batch][slot] = sum of the parts; one block per system.
PYRAD_KERNEL(total)(const double *partial, int parts, int slot, double *state) {
    double sum = 0;
    for (int i = threadIdx.x; i < parts; i += threads)
        sum += partial[blockIdx.x * parts + i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        state[3 * blockIdx.x + slot] = sum;
}

// rr = new, after every block has turned.
PYRAD_KERNEL(carry)(int batch, double *state) {
    const int b = blockIdx.x * blockDim.x + threadIdx.x;
    if (b < batch)
        state[3 * b] = state[3 * b + 2];
}
