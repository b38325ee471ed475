// CUDA twin of transposed_filter.cpp around cuFFT: rows weighted into zero-padded ones before the
// transform, and filtered rows transposed to [view][column][row] with their margins after it.
#include "base/portable.hpp"

namespace pyrad {
namespace {

constexpr int tile = 32, tile_rows = 8, margin = 32;

template <class T>
__device__ void weigh(const T *x, i64 rows, i64 columns, const T *cosine, i64 cosine_views,
                      const T *rays, i64 ray_views, i64 before, T *out, i64 size) {
    const i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x, c = at - before;
    const i64 r = blockIdx.y, v = blockIdx.z;
    if (at >= size)
        return;
    T value = T(0);
    if (c >= 0 && c < columns) {
        const T w = cosine[((cosine_views > 1 ? v : 0) * rows + r) * columns + c];
        value = x[(v * rows + r) * columns + c] * (w * rays[(ray_views > 1 ? v : 0) * columns + c]);
    }
    out[(v * rows + r) * size + at] = value;
}

template <class T>
__device__ void transpose(const T *x, i64 rows, i64 size, const T *scale, T *out, i64 columns,
                          i64 stride) {
    __shared__ T staged[tile][tile + 1];
    const i64 c0 = static_cast<i64>(blockIdx.x) * tile, s0 = static_cast<i64>(blockIdx.y) * tile;
    const i64 v = blockIdx.z;
    const T factor = scale[v];
    for (int j = threadIdx.y; j < tile; j += tile_rows) {
        const i64 r = s0 + j - margin, c = c0 + threadIdx.x - 1;
        const bool inside = r >= 0 && r < rows && c >= 0 && c < columns - 2;
        staged[j][threadIdx.x] = inside ? factor * x[(v * rows + r) * size + c] : T(0);
    }
    __syncthreads();
    for (int j = threadIdx.y; j < tile; j += tile_rows) {
        const i64 c = c0 + j, s = s0 + threadIdx.x;
        if (c < columns && s < stride)
            out[(v * columns + c) * stride + s] = staged[threadIdx.x][j];
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(weigh_rows_f32)
(const float *x, long long rows, long long columns, const float *cosine, long long cosine_views,
 const float *rays, long long ray_views, long long before, float *out, long long size) {
    pyrad::weigh(x, rows, columns, cosine, cosine_views, rays, ray_views, before, out, size);
}

PYRAD_KERNEL(weigh_rows_f64)
(const double *x, long long rows, long long columns, const double *cosine, long long cosine_views,
 const double *rays, long long ray_views, long long before, double *out, long long size) {
    pyrad::weigh(x, rows, columns, cosine, cosine_views, rays, ray_views, before, out, size);
}

PYRAD_KERNEL(transpose_rows_f32)
(const float *x, long long rows, long long size, const float *scale, float *out, long long columns,
 long long stride) {
    pyrad::transpose(x, rows, size, scale, out, columns, stride);
}

PYRAD_KERNEL(transpose_rows_f64)
(const double *x, long long rows, long long size, const double *scale, double *out,
 long long columns, long long stride) {
    pyrad::transpose(x, rows, size, scale, out, columns, stride);
}
