// CUDA twin of backproject_free.cpp: lanes stand side by side in z as in
// backproject_cone_device.hpp, each hands its view's matrix, applied to the column, to the others.
#include "base/portable.hpp"
#include "ct/backproject_cone_device.hpp"
#include "ct/backproject_free_math.hpp"

namespace pyrad {
namespace {

constexpr int slices_per_lane = 4;

// Numerators of column and row and their denominator: at the lowest slice, and per slice.
template <class T> struct Line {
    T start[3], step[3];
};

template <class T> __device__ Line<T> line_of(const double *matrix, i64 x, i64 y, i64 z) {
    Line<T> line;
    for (int c = 0; c < 3; ++c) {
        const double *m = matrix + 4 * c;
        line.start[c] = static_cast<T>(m[0] * x + m[1] * y + m[2] * z + m[3]);
        line.step[c] = static_cast<T>(m[2]);
    }
    return line;
}

template <class T> __device__ Line<T> from_lane(const Line<T> &mine, int lane) {
    Line<T> line;
    for (int c = 0; c < 3; ++c) {
        line.start[c] = __shfl_sync(all_lanes, mine.start[c], lane);
        line.step[c] = __shfl_sync(all_lanes, mine.step[c], lane);
    }
    return line;
}

template <class T>
__device__ T sample(const T *value, i64 stride, T columns, T rows, const Line<T> &line, T k) {
    const FreeSample<T> at =
        free_sample(line.start[0] + line.step[0] * k, line.start[1] + line.step[1] * k,
                    line.start[2] + line.step[2] * k);
    if (!(at.column > T(-1) && at.column < columns && at.row > T(-1) && at.row < rows))
        return T(0);
    T right, down;
    const int column = split(at.column, right), row = split(at.row, down);
    const T *p = value + column * stride + row, *q = p + stride;
    const T a = __ldg(p) + right * (__ldg(q) - __ldg(p));
    const T b = __ldg(p + 1) + right * (__ldg(q + 1) - __ldg(p + 1));
    return at.weight * (a + down * (b - a));
}

template <class T>
__device__ void backproject(const T *filtered, i64 count, i64 columns, i64 stride, int rows,
                            const double *matrices, int add, T *out, i64 nz, i64 ny, i64 nx) {
    const int lane = threadIdx.x;
    const i64 x = min_of<i64>(static_cast<i64>(blockIdx.x) * warps + threadIdx.y, nx - 1);
    const i64 y = blockIdx.y, z = static_cast<i64>(blockIdx.z) * slices_per_lane * lanes;
    T sum[slices_per_lane] = {};
    for (i64 v = 0; v < count; v += lanes) {
        const i64 own = min_of<i64>(v + lane, count - 1);
        const Line<T> mine = line_of<T>(matrices + matrix_size * own, x, y, z);
        const int width = static_cast<int>(min_of<i64>(lanes, count - v));
        for (int i = 0; i < width; ++i) {
            const Line<T> line = from_lane(mine, i);
            const T *value = filtered + ((v + i) * (columns + 2) + 1) * stride + row_pad;
#pragma unroll
            for (int j = 0; j < slices_per_lane; ++j)
                sum[j] += sample(value, stride, static_cast<T>(columns), static_cast<T>(rows), line,
                                 static_cast<T>(lane + j * lanes));
        }
    }
    write_columns(sum, add, out, nz, ny, nx);
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(backproject_free_f32)
(const float *filtered, long long count, long long columns, long long stride, int rows,
 const double *matrices, int add, float *out, long long nz, long long ny, long long nx) {
    pyrad::backproject(filtered, count, columns, stride, rows, matrices, add, out, nz, ny, nx);
}

PYRAD_KERNEL(backproject_free_f64)
(const double *filtered, long long count, long long columns, long long stride, int rows,
 const double *matrices, int add, double *out, long long nz, long long ny, long long nx) {
    pyrad::backproject(filtered, count, columns, stride, rows, matrices, add, out, nz, ny, nx);
}
