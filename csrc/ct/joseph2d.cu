// CUDA twin of joseph2d.cpp, with the rays of joseph2d_math.hpp.
//
// Projection: one thread per ray; steep rays read the image, flat ones its transposed copy, so that
// neighbouring rays read neighbouring samples. Backprojection: one thread per pixel gathers from
// every ray that passes within one pixel, the transposed loop of the same weights; no atomics, and
// the views are added in order.
#include "base/portable.hpp"
#include "ct/joseph2d_math.hpp"

namespace pyrad {
namespace {

__device__ View2D load_view(const double *views, i64 v) {
    const double *n = views + 8 * v;
    return {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]};
}

template <class T>
__device__ void project(const T *image, const T *transposed, i64 slices, i64 ny, i64 nx,
                        const double *views, i64 count, const double *pixels, i64 columns,
                        double pitch_x, double pitch_y, T *projections) {
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 v = blockIdx.y, slice = blockIdx.z;
    if (c >= columns)
        return;
    const Ray2D ray =
        ray2d(load_view(views, v), pixels[2 * c], pixels[2 * c + 1], pitch_x, pitch_y);
    const i64 lines = ray.steep ? ny : nx, length = ray.steep ? nx : ny;
    const T *line = (ray.steep ? image : transposed) + slice * ny * nx;
    const T start = static_cast<T>(ray.start + 1), slope = static_cast<T>(ray.slope);
    const T end = static_cast<T>(length + 1);
    T sum = T(0);
    for (i64 k = 0; k < lines; ++k, line += length) {
        const T at = start + static_cast<T>(k) * slope; // 0 is one sample before the line
        if (!(at > T(0) && at < end))
            continue;
        const i64 whole = static_cast<i64>(at);
        const T low = whole >= 1 ? __ldg(line + whole - 1) : T(0);
        const T high = whole < length ? __ldg(line + whole) : T(0);
        sum += low + (at - static_cast<T>(whole)) * (high - low);
    }
    projections[(v * slices + slice) * columns + c] = static_cast<T>(ray.weight) * sum;
}

// (a, b) of the ray through the point, up to scale: solves O + b R + s (a P + b Q) = point.
// Returns b / a, which grows with the detector pixel.
__device__ double position_at(const View2D &view, double x, double y) {
    const double dx = x - view.origin_x, dy = y - view.origin_y;
    // with s free, cross((dx, dy) - b R, a P + b Q) = 0; either R or Q is zero
    const double across = dx * view.ray_y - dy * view.ray_x;
    const double turn = view.origin_step_x * view.ray_y - view.origin_step_y * view.ray_x -
                        (dx * view.ray_step_y - dy * view.ray_step_x);
    return across / turn;
}

// Index of the first pixel whose b / a is at least `position`; b / a is increasing.
__device__ i64 first_at_least(const double *pixels, i64 columns, double position) {
    i64 low = 0, high = columns;
    while (low < high) {
        const i64 middle = (low + high) / 2;
        if (pixels[2 * middle + 1] < position * pixels[2 * middle])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

template <class T>
__device__ void backproject(const T *projections, i64 slices, i64 ny, i64 nx, const double *views,
                            i64 count, const double *pixels, i64 columns, double pitch_x,
                            double pitch_y, T *image) {
    const i64 x = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 y = static_cast<i64>(blockIdx.y) * blockDim.y + threadIdx.y;
    const i64 slice = blockIdx.z;
    if (x >= nx || y >= ny)
        return;
    T sum = T(0);
    for (i64 v = 0; v < count; ++v) {
        const View2D view = load_view(views, v);
        double low = position_at(view, x - 1.0, static_cast<double>(y)), high = low;
        for (int side = 0; side < 3; ++side) {
            const double at = position_at(view, side == 0 ? x + 1.0 : static_cast<double>(x),
                                          side == 1   ? y - 1.0
                                          : side == 2 ? y + 1.0
                                                      : y);
            low = min_of(low, at);
            high = max_of(high, at);
        }
        const double slack = 1e-6 * (high - low); // rays at the rim weigh nothing either way
        const T *row = projections + (v * slices + slice) * columns;
        for (i64 c = first_at_least(pixels, columns, low - slack);
             c < columns && pixels[2 * c + 1] <= (high + slack) * pixels[2 * c]; ++c) {
            const Ray2D ray = ray2d(view, pixels[2 * c], pixels[2 * c + 1], pitch_x, pitch_y);
            const T line = static_cast<T>(ray.steep ? y : x);
            const T at = static_cast<T>(ray.start + 1) + line * static_cast<T>(ray.slope);
            const T distance = at - static_cast<T>((ray.steep ? x : y) + 1);
            const T share = T(1) - (distance < T(0) ? -distance : distance);
            if (share > T(0))
                sum += share * (static_cast<T>(ray.weight) * __ldg(row + c));
        }
    }
    image[(slice * ny + y) * nx + x] = sum;
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(project2d_f32)
(const float *image, const float *transposed, long long slices, long long ny, long long nx,
 const double *views, long long count, const double *pixels, long long columns, double pitch_x,
 double pitch_y, float *projections) {
    pyrad::project(image, transposed, slices, ny, nx, views, count, pixels, columns, pitch_x,
                   pitch_y, projections);
}

PYRAD_KERNEL(backproject2d_f32)
(const float *projections, long long slices, long long ny, long long nx, const double *views,
 long long count, const double *pixels, long long columns, double pitch_x, double pitch_y,
 float *image) {
    pyrad::backproject(projections, slices, ny, nx, views, count, pixels, columns, pitch_x, pitch_y,
                       image);
}

PYRAD_KERNEL(project2d_f64)
(const double *image, const double *transposed, long long slices, long long ny, long long nx,
 const double *views, long long count, const double *pixels, long long columns, double pitch_x,
 double pitch_y, double *projections) {
    pyrad::project(image, transposed, slices, ny, nx, views, count, pixels, columns, pitch_x,
                   pitch_y, projections);
}

PYRAD_KERNEL(backproject2d_f64)
(const double *projections, long long slices, long long ny, long long nx, const double *views,
 long long count, const double *pixels, long long columns, double pitch_x, double pitch_y,
 double *image) {
    pyrad::backproject(projections, slices, ny, nx, views, count, pixels, columns, pitch_x, pitch_y,
                       image);
}
