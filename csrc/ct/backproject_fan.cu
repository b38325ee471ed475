// CUDA twin of backproject_fan.cpp: one thread per pixel, the coefficients of the views staged in
// shared memory, u and weight from fan_math.hpp.
#include "base/portable.hpp"
#include "ct/fan_math.hpp"

namespace pyrad {
namespace {

constexpr int block_x = 32, block_y = 8, staged_views = 64;

template <class T, bool Curved>
__device__ void add_views(const T *filtered, const double *views, i64 count, i64 columns, T centre,
                          T magnify, T source_origin, T *out, i64 ny, i64 nx) {
    __shared__ T staged[staged_views][6];
    const i64 x = static_cast<i64>(blockIdx.x) * block_x + threadIdx.x;
    const i64 y = static_cast<i64>(blockIdx.y) * block_y + threadIdx.y;
    const i64 corner_x = static_cast<i64>(blockIdx.x) * block_x;
    const i64 corner_y = static_cast<i64>(blockIdx.y) * block_y;
    const T dx = static_cast<T>(threadIdx.x), dy = static_cast<T>(threadIdx.y);
    const int rank = threadIdx.y * block_x + threadIdx.x;
    T sum = T(0);
    for (i64 v0 = 0; v0 < count; v0 += staged_views) {
        const int width = static_cast<int>(min_of<i64>(staged_views, count - v0));
        __syncthreads();
        for (int i = rank; i < 2 * width; i += block_x * block_y) {
            const double *n = views + 6 * v0 + 3 * i; // across and along in turn
            T *at = &staged[0][0] + 3 * i;
            at[0] = static_cast<T>(n[0]);
            at[1] = static_cast<T>(n[1]);
            at[2] = static_cast<T>(n[0] * corner_x + n[1] * corner_y + n[2]);
        }
        __syncthreads();
        for (int i = 0; i < width; ++i) {
            const T *n = staged[i];
            const FanSample<T> sample =
                fan_sample<T, Curved>(n[0] * dx + n[1] * dy + n[2], n[3] * dx + n[4] * dy + n[5],
                                      centre, magnify, source_origin);
            const T u = sample.column;
            if (!(u > T(-1) && u < static_cast<T>(columns)))
                continue;
            const T *row = filtered + (v0 + i) * columns;
            const T low = floor(u);
            const i64 c = static_cast<i64>(low);
            const T left = c >= 0 ? __ldg(row + c) : T(0);
            const T right = c + 1 < columns ? __ldg(row + c + 1) : T(0);
            sum += sample.weight * (left + (u - low) * (right - left));
        }
    }
    if (x < nx && y < ny)
        out[y * nx + x] = sum;
}

template <class T>
__device__ void backproject(const T *filtered, const double *views, i64 count, i64 columns,
                            double centre, double magnify, double source_origin, int curved, T *out,
                            i64 ny, i64 nx) {
    const T c = static_cast<T>(centre), m = static_cast<T>(magnify);
    const T s = static_cast<T>(source_origin);
    if (curved)
        add_views<T, true>(filtered, views, count, columns, c, m, s, out, ny, nx);
    else
        add_views<T, false>(filtered, views, count, columns, c, m, s, out, ny, nx);
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
