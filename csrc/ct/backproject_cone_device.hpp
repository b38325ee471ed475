// What the CUDA kernels of cone-beam backprojection share: a warp owns one voxel column (x, y) of
// 32 * Z slices, its lanes stand side by side in z, where projections transposed to
// [view][column][row] are contiguous, and keep Z sums each in registers while all views pass. Each
// lane works out where one of the next 32 views sees the column and hands it to the others.
#pragma once

#include "base/portable.hpp"
#include "ct/backproject_cone_math.hpp"

namespace pyrad {

constexpr int lanes = 32, warps = 8;
constexpr unsigned all_lanes = 0xffffffffu;
constexpr int row_pad = 32; // zeros before the first row of a column

template <class T> struct ConeDetector {
    const T *filtered; // (views, columns + 2, stride)
    i64 columns, stride;
    int rows;
    ConeShape<T> shape;
    double step_z;
};

// One view of one voxel column: element of row 0 of the left one of the two columns, or -1.
template <class T> struct ConeView {
    i64 at;
    T low, high, first, rise;
};

template <class T, int Rays>
__device__ ConeView<T> cone_view(const ConeDetector<T> &detector, const double *views, i64 view,
                                 i64 x, i64 y, i64 z) {
    const double *a = views + 7 * view;
    const T across = static_cast<T>(a[0] * x + a[1] * y + a[2]);
    const T along = static_cast<T>(a[3] * x + a[4] * y + a[5]);
    const ConePoint<T> point = cone_point<T, Rays>(across, along, detector.shape);
    const T height = static_cast<T>(a[6] + detector.step_z * z) - point.lift;
    const T first = detector.shape.centre_v + point.rise * height;
    const T rise = point.rise * static_cast<T>(detector.step_z);
    if (!(point.column > T(-1) && point.column < static_cast<T>(detector.columns)))
        return {-1, T(0), T(0), first, rise};
    const T whole = floor(point.column), part = point.column - whole;
    const i64 column = view * (detector.columns + 2) + static_cast<i64>(whole) + 1;
    return {column * detector.stride + row_pad, point.weight * (T(1) - part), point.weight * part,
            first, rise};
}

template <class T> __device__ ConeView<T> from_lane(const ConeView<T> &mine, int lane) {
    return {__shfl_sync(all_lanes, mine.at, lane), __shfl_sync(all_lanes, mine.low, lane),
            __shfl_sync(all_lanes, mine.high, lane), __shfl_sync(all_lanes, mine.first, lane),
            __shfl_sync(all_lanes, mine.rise, lane)};
}

// at = whole + part for at > -2^21; part may reach 1, where interpolation is continuous. Adding
// 1.5 * 2^23 leaves the rounded number in the low bits: no conversion, which runs at a quarter of
// the rate.
__device__ __forceinline__ int split(float at, float &part) {
    const float shifted = (at - 0.5f) + 12582912.0f;
    part = at - (shifted - 12582912.0f);
    return __float_as_int(shifted) - 0x4B400000;
}

__device__ __forceinline__ int split(double at, double &part) {
    const double whole = floor(at);
    part = at - whole;
    return static_cast<int>(whole);
}

// Between rows of the two columns next to a voxel column.
template <class T>
__device__ __forceinline__ T cone_sample(const T *column, i64 stride, T low, T high, T at) {
    T part;
    const int whole = split(at, part);
    const T *p = column + whole, *q = p + stride;
    const T a = low * __ldg(p) + high * __ldg(q);
    const T b = low * __ldg(p + 1) + high * __ldg(q + 1);
    return a + part * (b - a);
}

// Sums of the block's warps, which own neighbours in x, to out[z][y][x].
template <class T, int Z>
__device__ void write_columns(const T (&sum)[Z], int add, T *out, i64 nz, i64 ny, i64 nx) {
    __shared__ T tile[lanes][warps + 1];
    const i64 x0 = static_cast<i64>(blockIdx.x) * warps, y = blockIdx.y;
    const int rank = threadIdx.y * lanes + threadIdx.x;
    const int slice = rank / warps, column = rank % warps;
    for (int j = 0; j < Z; ++j) {
        __syncthreads();
        tile[threadIdx.x][threadIdx.y] = sum[j];
        __syncthreads();
        const i64 z = (static_cast<i64>(blockIdx.z) * Z + j) * lanes + slice, x = x0 + column;
        if (z < nz && x < nx) {
            T *at = out + (z * ny + y) * nx + x;
            *at = add ? *at + tile[slice][column] : tile[slice][column];
        }
    }
}

} // namespace pyrad
