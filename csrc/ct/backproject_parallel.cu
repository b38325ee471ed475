// CUDA twin of backproject_parallel.cpp. A thread owns four pixels of one column of the image, so
// that a view's three coefficients, which the block stages in shared memory, serve four updates;
// neighbouring threads read neighbouring samples.
#include "base/portable.hpp"

namespace pyrad {
namespace {

constexpr int block_x = 32, block_y = 8, rows_per_thread = 4, staged_views = 128;

template <class T>
__device__ void add_views(const T *filtered, const double *views, i64 count, i64 slices,
                          i64 columns, T *out, i64 ny, i64 nx) {
    __shared__ T per_x[staged_views], per_y[staged_views], first[staged_views];
    const i64 x = static_cast<i64>(blockIdx.x) * block_x + threadIdx.x;
    const i64 y0 = (static_cast<i64>(blockIdx.y) * block_y + threadIdx.y) * rows_per_thread;
    const i64 slice = blockIdx.z;
    const int rank = threadIdx.y * block_x + threadIdx.x;
    // coordinates count from the block's corner: short numbers keep float exact
    const i64 corner_x = static_cast<i64>(blockIdx.x) * block_x;
    const i64 corner_y = static_cast<i64>(blockIdx.y) * block_y * rows_per_thread;
    const T dx = static_cast<T>(x - corner_x), dy = static_cast<T>(y0 - corner_y);
    T sum[rows_per_thread] = {};
    for (i64 v0 = 0; v0 < count; v0 += staged_views) {
        const int staged = static_cast<int>(min_of<i64>(staged_views, count - v0));
        __syncthreads();
        for (int i = rank; i < staged; i += block_x * block_y) {
            const double *view = views + 3 * (v0 + i);
            per_x[i] = static_cast<T>(view[0]);
            per_y[i] = static_cast<T>(view[1]);
            first[i] = static_cast<T>(view[0] * corner_x + view[1] * corner_y + view[2]);
        }
        __syncthreads();
        for (int i = 0; i < staged; ++i) {
            const T *row = filtered + ((v0 + i) * slices + slice) * columns;
            T u = first[i] + per_x[i] * dx + per_y[i] * dy;
            for (int r = 0; r < rows_per_thread; ++r, u += per_y[i]) {
                if (!(u > T(-1) && u < static_cast<T>(columns)))
                    continue;
                const T low = floor(u);
                const i64 c = static_cast<i64>(low);
                const T left = c >= 0 ? __ldg(row + c) : T(0);
                const T right = c + 1 < columns ? __ldg(row + c + 1) : T(0);
                sum[r] += left + (u - low) * (right - left);
            }
        }
    }
    for (int r = 0; r < rows_per_thread; ++r)
        if (x < nx && y0 + r < ny)
            out[(slice * ny + y0 + r) * nx + x] = sum[r];
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(backproject_parallel_f32)
(const float *filtered, const double *views, long long count, long long slices, long long columns,
 float *out, long long ny, long long nx) {
    pyrad::add_views(filtered, views, count, slices, columns, out, ny, nx);
}

PYRAD_KERNEL(backproject_parallel_f64)
(const double *filtered, const double *views, long long count, long long slices, long long columns,
 double *out, long long ny, long long nx) {
    pyrad::add_views(filtered, views, count, slices, columns, out, ny, nx);
}
