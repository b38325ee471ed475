// CUDA twin of backproject_helix.cpp; see backproject_cone_device.hpp.
#include "base/portable.hpp"
#include "ct/backproject_cone_device.hpp"
#include "ct/helix_math.hpp"

namespace pyrad {
namespace {

template <class T>
__device__ void rebin(const T *x, i64 rows, i64 columns, const double *view_at,
                      const double *column_at, T *out, i64 out_columns) {
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 r = blockIdx.y, i = blockIdx.z;
    if (c >= out_columns)
        return;
    const double view = view_at[i * out_columns + c], column = column_at[c];
    const double view0 = floor(view), column0 = floor(column);
    const T down = static_cast<T>(view - view0), right = static_cast<T>(column - column0);
    const T *p = x + (static_cast<i64>(view0) * rows + r) * columns + static_cast<i64>(column0);
    const T *q = down > T(0) ? p + rows * columns : p;
    const int next = right > T(0) ? 1 : 0;
    const T a = p[0] + right * (p[next] - p[0]);
    const T b = q[0] + right * (q[next] - q[0]);
    out[(i * rows + r) * out_columns + c] = a + down * (b - a);
}

template <class T, int Rays, int Z>
__device__ void add_groups(const ConeDetector<T> &detector, const double *views, i64 count,
                           int partners, T outer, int add, T *out, i64 nz, i64 ny, i64 nx) {
    const int lane = threadIdx.x;
    const i64 x = min_of<i64>(static_cast<i64>(blockIdx.x) * warps + threadIdx.y, nx - 1);
    const i64 y = blockIdx.y, z = static_cast<i64>(blockIdx.z) * Z * lanes;
    const T edge = T(0.5) * static_cast<T>(detector.rows), middle = edge - T(0.5);
    const T last = static_cast<T>(detector.rows - 1);
    T total[Z] = {}, sum[Z] = {}, weights[Z] = {};
    int partner = 0;
    for (i64 v = 0; v < count; v += lanes) {
        ConeView<T> mine =
            cone_view<T, Rays>(detector, views, min_of<i64>(v + lane, count - 1), x, y, z);
        const T top = mine.first + mine.rise * static_cast<T>(Z * lanes - 1);
        if (mine.first > middle + edge || top < middle - edge)
            mine.at = -1;
        const int width = static_cast<int>(min_of<i64>(lanes, count - v));
        for (int i = 0; i < width; ++i) {
            const ConeView<T> view = from_lane(mine, i);
            if (view.at >= 0) { // the same for all lanes
                const T *column = detector.filtered + view.at;
#pragma unroll
                for (int j = 0; j < Z; ++j) {
                    const T row = view.first + view.rise * static_cast<T>(lane + j * lanes);
                    const T weight = pi_weight(row, middle, edge, outer);
                    sum[j] += weight * cone_sample(column, detector.stride, view.low, view.high,
                                                   clamp(row, T(0), last));
                    weights[j] += weight;
                }
            }
            if (++partner < partners)
                continue;
            partner = 0;
#pragma unroll
            for (int j = 0; j < Z; ++j) {
                total[j] += weights[j] > T(1e-6) ? sum[j] / weights[j] : T(0);
                sum[j] = weights[j] = T(0);
            }
        }
    }
    write_columns(total, add, out, nz, ny, nx);
}

template <class T, int Rays>
__device__ void backproject(const ConeDetector<T> &detector, const double *views, i64 count,
                            int partners, T outer, int slices, int add, T *out, i64 nz, i64 ny,
                            i64 nx) {
    if (slices == 2)
        add_groups<T, Rays, 2>(detector, views, count, partners, outer, add, out, nz, ny, nx);
    else
        add_groups<T, Rays, 8>(detector, views, count, partners, outer, add, out, nz, ny, nx);
}

template <class T>
__device__ void backproject(const T *filtered, i64 count, i64 columns, i64 stride, int rows,
                            const double *views, int rays, double centre_u, double magnify_u,
                            double centre_v, double magnify_v, double source_origin, double climb,
                            double step_z, int partners, double feather, int slices, int add,
                            T *out, i64 nz, i64 ny, i64 nx) {
    const ConeDetector<T> detector{filtered,
                                   columns,
                                   stride,
                                   rows,
                                   {static_cast<T>(centre_u), static_cast<T>(magnify_u),
                                    static_cast<T>(centre_v), static_cast<T>(magnify_v),
                                    static_cast<T>(source_origin), static_cast<T>(climb)},
                                   step_z};
    const T outer = static_cast<T>(1 / (0.5 * rows * feather));
    if (rays == rebinned_flat)
        backproject<T, rebinned_flat>(detector, views, count, partners, outer, slices, add, out, nz,
                                      ny, nx);
    else
        backproject<T, rebinned_curved>(detector, views, count, partners, outer, slices, add, out,
                                        nz, ny, nx);
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(rebin_rows_f32)
(const float *x, long long rows, long long columns, const double *view_at, const double *column_at,
 float *out, long long out_columns) {
    pyrad::rebin(x, rows, columns, view_at, column_at, out, out_columns);
}

PYRAD_KERNEL(rebin_rows_f64)
(const double *x, long long rows, long long columns, const double *view_at, const double *column_at,
 double *out, long long out_columns) {
    pyrad::rebin(x, rows, columns, view_at, column_at, out, out_columns);
}

PYRAD_KERNEL(backproject_helix_f32)
(const float *filtered, long long count, long long columns, long long stride, int rows,
 const double *views, int rays, double centre_u, double magnify_u, double centre_v,
 double magnify_v, double source_origin, double climb, double step_z, int partners, double feather,
 int slices, int add, float *out, long long nz, long long ny, long long nx) {
    pyrad::backproject(filtered, count, columns, stride, rows, views, rays, centre_u, magnify_u,
                       centre_v, magnify_v, source_origin, climb, step_z, partners, feather, slices,
                       add, out, nz, ny, nx);
}

PYRAD_KERNEL(backproject_helix_f64)
(const double *filtered, long long count, long long columns, long long stride, int rows,
 const double *views, int rays, double centre_u, double magnify_u, double centre_v,
 double magnify_v, double source_origin, double climb, double step_z, int partners, double feather,
 int slices, int add, double *out, long long nz, long long ny, long long nx) {
    pyrad::backproject(filtered, count, columns, stride, rows, views, rays, centre_u, magnify_u,
                       centre_v, magnify_v, source_origin, climb, step_z, partners, feather, slices,
                       add, out, nz, ny, nx);
}
