// CUDA twin of backproject_parallel.cpp. A thread owns four pixels of one column of the image in
// up to four slices, so that a view's coefficients, which the block stages in shared memory, serve
// 16 updates and a pixel's column and fraction serve four. Columns count from a whole number close
// to the block's corner: short numbers keep float exact. Neighbouring threads read neighbouring
// samples.
#include "base/portable.hpp"

namespace pyrad {
namespace {

constexpr int block_x = 32, block_y = 8, rows_per_thread = 4, staged_views = 128;
constexpr int tile_y = block_y * rows_per_thread, slices_per_thread = 4;

template <class T> struct StagedView {
    T per_x, per_y, first;
    int base;
};

template <class T> __device__ StagedView<T> stage(const double *view, i64 x, i64 y) {
    const double u = view[0] * x + view[1] * y + view[2], base = floor(clamp(u, -1e8, 1e8));
    return {static_cast<T>(view[0]), static_cast<T>(view[1]), static_cast<T>(u - base),
            static_cast<int>(base)};
}

template <class T, int Slices>
__device__ void add_views(const T *filtered, const double *views, i64 count, i64 slices,
                          i64 columns, i64 slice, T *out, i64 ny, i64 nx) {
    __shared__ StagedView<T> staged[staged_views];
    const i64 corner_x = static_cast<i64>(blockIdx.x) * block_x;
    const i64 corner_y = static_cast<i64>(blockIdx.y) * tile_y;
    const int rank = threadIdx.y * block_x + threadIdx.x;
    const T i = static_cast<T>(threadIdx.x);
    const u32 width = static_cast<u32>(columns);
    T sum[rows_per_thread][Slices] = {};
    for (i64 v0 = 0; v0 < count; v0 += staged_views) {
        const int some = static_cast<int>(min_of<i64>(staged_views, count - v0));
        __syncthreads();
        for (int k = rank; k < some; k += block_x * block_y)
            staged[k] = stage<T>(views + 3 * (v0 + k), corner_x, corner_y);
        __syncthreads();
        for (int k = 0; k < some; ++k) {
            const StagedView<T> view = staged[k];
            const T *row = filtered + ((v0 + k) * slices + slice) * columns;
            const T start = view.first + view.per_x * i;
#pragma unroll
            for (int r = 0; r < rows_per_thread; ++r) {
                const T u = start + view.per_y * static_cast<T>(threadIdx.y + r * block_y);
                const T low = floor(u), part = u - low;
                const int first = view.base + static_cast<int>(low);
                const bool has_left = static_cast<u32>(first) < width;
                const bool has_right = static_cast<u32>(first + 1) < width;
#pragma unroll
                for (int s = 0; s < Slices; ++s) {
                    const T *at = row + s * columns + first;
                    const T left = has_left ? __ldg(at) : T(0);
                    const T right = has_right ? __ldg(at + 1) : T(0);
                    sum[r][s] += left + part * (right - left);
                }
            }
        }
    }
    const i64 x = corner_x + threadIdx.x;
    for (int r = 0; r < rows_per_thread; ++r)
        for (int s = 0; s < Slices; ++s) {
            const i64 y = corner_y + threadIdx.y + r * block_y;
            if (x < nx && y < ny)
                out[((slice + s) * ny + y) * nx + x] = sum[r][s];
        }
}

template <class T>
__device__ void backproject(const T *filtered, const double *views, i64 count, i64 slices,
                            i64 columns, T *out, i64 ny, i64 nx) {
    const i64 slice = static_cast<i64>(blockIdx.z) * slices_per_thread;
    if (slice + slices_per_thread <= slices) {
        add_views<T, slices_per_thread>(filtered, views, count, slices, columns, slice, out, ny,
                                        nx);
        return;
    }
    for (i64 s = slice; s < slices; ++s)
        add_views<T, 1>(filtered, views, count, slices, columns, s, out, ny, nx);
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(backproject_parallel_f32)
(const float *filtered, const double *views, long long count, long long slices, long long columns,
 float *out, long long ny, long long nx) {
    pyrad::backproject(filtered, views, count, slices, columns, out, ny, nx);
}

PYRAD_KERNEL(backproject_parallel_f64)
(const double *filtered, const double *views, long long count, long long slices, long long columns,
 double *out, long long ny, long long nx) {
    pyrad::backproject(filtered, views, count, slices, columns, out, ny, nx);
}
