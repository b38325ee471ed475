// CUDA twin of backproject_fan.cpp. A thread owns four pixels of one column of the image; columns
// and weights come from the quotients of block_columns_math.hpp, whose coefficients the block
// stages in shared memory, many views at a time. Neighbouring threads read neighbouring samples.
#include "base/portable.hpp"
#include "ct/block_columns_math.hpp"

namespace pyrad {
namespace {

constexpr int block_x = 32, block_y = 8, rows_per_thread = 4, staged_views = 64;
constexpr int tile_y = block_y * rows_per_thread;

template <class T, int Kind>
__device__ void add_views(const T *filtered, const double *views, i64 count, i64 columns,
                          const DetectorLine &line, T origin2, T *out, i64 ny, i64 nx) {
    __shared__ BlockColumns<T> staged[staged_views];
    const i64 corner_x = static_cast<i64>(blockIdx.x) * block_x;
    const i64 corner_y = static_cast<i64>(blockIdx.y) * tile_y;
    const int rank = threadIdx.y * block_x + threadIdx.x;
    const T i = static_cast<T>(threadIdx.x), magnify = static_cast<T>(line.magnify);
    const u32 width = static_cast<u32>(columns);
    T sum[rows_per_thread] = {};
    for (i64 v0 = 0; v0 < count; v0 += staged_views) {
        const int some = static_cast<int>(min_of<i64>(staged_views, count - v0));
        __syncthreads();
        for (int k = rank; k < some; k += block_x * block_y)
            staged[k] = block_columns<T>(views + 6 * (v0 + k), line, static_cast<double>(corner_x),
                                         static_cast<double>(corner_y), 0.5 * (block_x - 1),
                                         0.5 * (tile_y - 1));
        __syncthreads();
        for (int k = 0; k < some; ++k) {
            const BlockColumns<T> c = staged[k];
            const T *row = filtered + (v0 + k) * columns;
#pragma unroll
            for (int r = 0; r < rows_per_thread; ++r) {
                const T j = static_cast<T>(threadIdx.y + r * block_y);
                const PixelColumn<T> at = pixel_column<T, Kind>(c, i, j, magnify);
                const T low = floor(at.column);
                if (!(low > T(-1e8) && low < T(1e8)))
                    continue;
                const int first = c.base + static_cast<int>(low);
                const T left = static_cast<u32>(first) < width ? __ldg(row + first) : T(0);
                const T right = static_cast<u32>(first + 1) < width ? __ldg(row + first + 1) : T(0);
                T weight = c.weight * at.inverse * at.inverse;
                if (Kind == 2)
                    weight /= T(1) + at.z * at.z;
                sum[r] += weight * (left + (at.column - low) * (right - left));
            }
        }
    }
    const i64 x = corner_x + threadIdx.x;
    for (int r = 0; r < rows_per_thread; ++r) {
        const i64 y = corner_y + threadIdx.y + r * block_y;
        if (x < nx && y < ny)
            out[y * nx + x] = origin2 * sum[r];
    }
}

template <class T>
__device__ void backproject(const T *filtered, const double *views, i64 count, i64 columns,
                            double centre, double magnify, double source_origin, int curved, T *out,
                            i64 ny, i64 nx) {
    const DetectorLine line{centre, magnify, curved};
    const T origin2 = static_cast<T>(source_origin * source_origin);
    if (curved)
        add_views<T, 2>(filtered, views, count, columns, line, origin2, out, ny, nx);
    else
        add_views<T, 1>(filtered, views, count, columns, line, origin2, out, ny, nx);
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(backproject_fan_f32)
(const float *filtered, const double *views, long long count, long long columns, double centre,
 double magnify, double source_origin, int curved, float *out, long long ny, long long nx) {
    pyrad::backproject(filtered, views, count, columns, centre, magnify, source_origin, curved, out,
                       ny, nx);
}

PYRAD_KERNEL(backproject_fan_f64)
(const double *filtered, const double *views, long long count, long long columns, double centre,
 double magnify, double source_origin, int curved, double *out, long long ny, long long nx) {
    pyrad::backproject(filtered, views, count, columns, centre, magnify, source_origin, curved, out,
                       ny, nx);
}
