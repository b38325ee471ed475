// CUDA twin of sinogram_denoising.cpp: blocks stride over the lines of columns, one thread per
// reading; one partial sum per block, added by the caller, in an order that the size fixes.
#include "base/portable.hpp"
#include "ct/sinogram_denoising_math.hpp"

namespace pyrad {
namespace {

using pwls::Grid;

constexpr int threads = 256;

__device__ void block_sum(double mine, double *partial) {
    __shared__ double sums[threads];
    sums[threadIdx.x] = mine;
    for (int half = threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    if (threadIdx.x == 0)
        partial[static_cast<i64>(blockIdx.y) * gridDim.x + blockIdx.x] = sums[0];
}

template <class T>
__device__ void apply(const T *p, const T *weights, const Grid<T> &grid, T *out, double *partial) {
    const i64 c = static_cast<i64>(blockIdx.x) * threads + threadIdx.x;
    const i64 row_step = grid.columns, view_step = grid.rows * grid.columns;
    double sum = 0;
    for (i64 line = blockIdx.y; line < grid.views * grid.rows; line += gridDim.y) {
        if (c >= grid.columns)
            continue;
        const auto k = grid.at(line / grid.rows, line % grid.rows, c);
        const i64 i = line * row_step + c;
        const T here = p[i];
        T value = (weights[i] + k.sum()) * here;
        // a coupling of 0 has no neighbour to read
        if (k.view[0] > T(0))
            value -= k.view[0] * __ldg(p + i - view_step);
        if (k.view[1] > T(0))
            value -= k.view[1] * __ldg(p + i + view_step);
        if (k.row[0] > T(0))
            value -= k.row[0] * __ldg(p + i - row_step);
        if (k.row[1] > T(0))
            value -= k.row[1] * __ldg(p + i + row_step);
        if (k.column[0] > T(0))
            value -= k.column[0] * __ldg(p + i - 1);
        if (k.column[1] > T(0))
            value -= k.column[1] * __ldg(p + i + 1);
        out[i] = value;
        sum += static_cast<double>(here) * static_cast<double>(value);
    }
    block_sum(sum, partial);
}

template <class T>
__device__ void step(T alpha, const T *p, const T *q, const T *weights, const Grid<T> &grid, T *x,
                     T *r, double *partial) {
    const i64 c = static_cast<i64>(blockIdx.x) * threads + threadIdx.x;
    double sum = 0;
    for (i64 line = blockIdx.y; line < grid.views * grid.rows; line += gridDim.y) {
        if (c >= grid.columns)
            continue;
        const auto k = grid.at(line / grid.rows, line % grid.rows, c);
        const i64 i = line * grid.columns + c;
        x[i] += alpha * p[i];
        const T rest = r[i] - alpha * q[i];
        r[i] = rest;
        sum += static_cast<double>(rest) * static_cast<double>(rest / (weights[i] + k.sum()));
    }
    block_sum(sum, partial);
}

template <class T>
__device__ void direction(T beta, const T *r, const T *weights, const Grid<T> &grid, T *p) {
    const i64 c = static_cast<i64>(blockIdx.x) * threads + threadIdx.x;
    if (c >= grid.columns)
        return;
    for (i64 line = blockIdx.y; line < grid.views * grid.rows; line += gridDim.y) {
        const auto k = grid.at(line / grid.rows, line % grid.rows, c);
        const i64 i = line * grid.columns + c;
        p[i] = r[i] / (weights[i] + k.sum()) + beta * p[i];
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(pwls_apply_f32)
(const float *p, const float *weights, long long views, long long rows, long long columns,
 float view, float row, float column, float *out, double *partial) {
    pyrad::apply<float>(p, weights, {views, rows, columns, view, row, column}, out, partial);
}

PYRAD_KERNEL(pwls_apply_f64)
(const double *p, const double *weights, long long views, long long rows, long long columns,
 double view, double row, double column, double *out, double *partial) {
    pyrad::apply<double>(p, weights, {views, rows, columns, view, row, column}, out, partial);
}

PYRAD_KERNEL(pwls_step_f32)
(double alpha, const float *p, const float *q, const float *weights, long long views,
 long long rows, long long columns, float view, float row, float column, float *x, float *r,
 double *partial) {
    pyrad::step<float>(static_cast<float>(alpha), p, q, weights,
                       {views, rows, columns, view, row, column}, x, r, partial);
}

PYRAD_KERNEL(pwls_step_f64)
(double alpha, const double *p, const double *q, const double *weights, long long views,
 long long rows, long long columns, double view, double row, double column, double *x, double *r,
 double *partial) {
    pyrad::step<double>(alpha, p, q, weights, {views, rows, columns, view, row, column}, x, r,
                        partial);
}

PYRAD_KERNEL(pwls_direction_f32)
(double beta, const float *r, const float *weights, long long views, long long rows,
 long long columns, float view, float row, float column, float *p) {
    pyrad::direction<float>(static_cast<float>(beta), r, weights,
                            {views, rows, columns, view, row, column}, p);
}

PYRAD_KERNEL(pwls_direction_f64)
(double beta, const double *r, const double *weights, long long views, long long rows,
 long long columns, double view, double row, double column, double *p) {
    pyrad::direction<double>(beta, r, weights, {views, rows, columns, view, row, column}, p);
}
