// CUDA twin of backproject_cone.cpp; see backproject_cone_device.hpp.
#include "base/portable.hpp"
#include "ct/backproject_cone_device.hpp"

namespace pyrad {
namespace {

template <class T, int Rays, int Z>
__device__ void add_views(const ConeDetector<T> &detector, const double *views, i64 count, int add,
                          T *out, i64 nz, i64 ny, i64 nx) {
    const int lane = threadIdx.x;
    const i64 x = min_of<i64>(static_cast<i64>(blockIdx.x) * warps + threadIdx.y, nx - 1);
    const i64 y = blockIdx.y, z = static_cast<i64>(blockIdx.z) * Z * lanes;
    const T bottom = static_cast<T>(detector.rows);
    T sum[Z] = {};
    for (i64 v = 0; v < count; v += lanes) {
        const ConeView<T> mine =
            cone_view<T, Rays>(detector, views, min_of<i64>(v + lane, count - 1), x, y, z);
        const int width = static_cast<int>(min_of<i64>(lanes, count - v));
        for (int i = 0; i < width; ++i) {
            const ConeView<T> view = from_lane(mine, i);
            if (view.at < 0) // the same for all lanes
                continue;
            const T *column = detector.filtered + view.at;
#pragma unroll
            for (int j = 0; j < Z; ++j) {
                const T row = view.first + view.rise * static_cast<T>(lane + j * lanes);
                sum[j] += cone_sample(column, detector.stride, view.low, view.high,
                                      clamp(row, T(-1), bottom));
            }
        }
    }
    write_columns(sum, add, out, nz, ny, nx);
}

template <class T, int Rays>
__device__ void backproject(const ConeDetector<T> &detector, const double *views, i64 count,
                            int slices, int add, T *out, i64 nz, i64 ny, i64 nx) {
    if (slices == 2)
        add_views<T, Rays, 2>(detector, views, count, add, out, nz, ny, nx);
    else
        add_views<T, Rays, 8>(detector, views, count, add, out, nz, ny, nx);
}

template <class T>
__device__ void backproject(const T *filtered, i64 count, i64 columns, i64 stride, int rows,
                            const double *views, int rays, double centre_u, double magnify_u,
                            double centre_v, double magnify_v, double source_origin, double climb,
                            double step_z, int slices, int add, T *out, i64 nz, i64 ny, i64 nx) {
    const ConeDetector<T> detector{filtered,
                                   columns,
                                   stride,
                                   rows,
                                   {static_cast<T>(centre_u), static_cast<T>(magnify_u),
                                    static_cast<T>(centre_v), static_cast<T>(magnify_v),
                                    static_cast<T>(source_origin), static_cast<T>(climb)},
                                   step_z};
    if (rays == flat)
        backproject<T, flat>(detector, views, count, slices, add, out, nz, ny, nx);
    else if (rays == curved)
        backproject<T, curved>(detector, views, count, slices, add, out, nz, ny, nx);
    else if (rays == rebinned_flat)
        backproject<T, rebinned_flat>(detector, views, count, slices, add, out, nz, ny, nx);
    else
        backproject<T, rebinned_curved>(detector, views, count, slices, add, out, nz, ny, nx);
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(backproject_cone_f32)
(const float *filtered, long long count, long long columns, long long stride, int rows,
 const double *views, int rays, double centre_u, double magnify_u, double centre_v,
 double magnify_v, double source_origin, double climb, double step_z, int slices, int add,
 float *out, long long nz, long long ny, long long nx) {
    pyrad::backproject(filtered, count, columns, stride, rows, views, rays, centre_u, magnify_u,
                       centre_v, magnify_v, source_origin, climb, step_z, slices, add, out, nz, ny,
                       nx);
}

PYRAD_KERNEL(backproject_cone_f64)
(const double *filtered, long long count, long long columns, long long stride, int rows,
 const double *views, int rays, double centre_u, double magnify_u, double centre_v,
 double magnify_v, double source_origin, double climb, double step_z, int slices, int add,
 double *out, long long nz, long long ny, long long nx) {
    pyrad::backproject(filtered, count, columns, stride, rows, views, rays, centre_u, magnify_u,
                       centre_v, magnify_v, source_origin, climb, step_z, slices, add, out, nz, ny,
                       nx);
}
