// CUDA twin of footprint2d.cpp, with the footprints of footprint_math.hpp.
//
// Both directions gather, so that no atomics are needed and the order of the sums is fixed: a
// thread of the projection owns a detector cell and walks along its strip of the image, one of the
// adjoint owns a pixel and walks through the views.
#include "base/portable.hpp"
#include "ct/footprint_math.hpp"

namespace pyrad {
namespace {

struct Image2D {
    i64 slices, ny, nx;
    double pitch_x, pitch_y;
};

// Share of column k in the footprint.
template <class T> __device__ T share(const Shadow<T> &shadow, i64 k) {
    const TrapezoidArea<T> area(shadow.at);
    const T s = static_cast<T>(k - shadow.first);
    return shadow.chord * max_of(area(s + T(1)) - area(s), T(0));
}

template <class T>
__device__ void project(const T *image, const Image2D &size, const double *views, i64 count,
                        double arc, i64 columns, T *projections) {
    const i64 k = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 v = blockIdx.y, slice = blockIdx.z;
    if (k >= columns)
        return;
    const FootprintView view = footprint_view(views + v * footprint_view_size);
    const FootprintRay left = footprint_ray(view, arc, static_cast<double>(k) - 0.5);
    const FootprintRay right = footprint_ray(view, arc, static_cast<double>(k) + 0.5);
    const bool steep = fabs(left.p + right.p) >= fabs(left.q + right.q);
    const i64 lines = steep ? size.ny : size.nx, length = steep ? size.nx : size.ny;
    const T *from = image + slice * size.ny * size.nx;
    T sum = T(0);
    for (i64 line = 0; line < lines; ++line) {
        const FootprintSpan span = footprint_span(left, right, steep, line, length);
        for (i64 i = span.begin; i < span.end; ++i) {
            const i64 x = steep ? i : line, y = steep ? line : i;
            const Shadow<T> shadow =
                footprint_shadow<T>(view, arc, size.pitch_x, size.pitch_y, columns, x, y);
            if (shadow.first <= k && k <= shadow.last)
                sum += share(shadow, k) * __ldg(from + y * size.nx + x);
        }
    }
    projections[(v * size.slices + slice) * columns + k] = sum;
}

template <class T>
__device__ void backproject(const T *projections, const Image2D &size, const double *views,
                            i64 count, double arc, i64 columns, T *image) {
    const i64 x = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 y = static_cast<i64>(blockIdx.y) * blockDim.y + threadIdx.y;
    const i64 slice = blockIdx.z;
    if (x >= size.nx || y >= size.ny)
        return;
    T sum = T(0);
    for (i64 v = 0; v < count; ++v) {
        const FootprintView view = footprint_view(views + v * footprint_view_size);
        const Shadow<T> shadow =
            footprint_shadow<T>(view, arc, size.pitch_x, size.pitch_y, columns, x, y);
        const T *row = projections + (v * size.slices + slice) * columns;
        const TrapezoidArea<T> area(shadow.at);
        T left = area(T(0)), part = T(0);
        for (i64 k = shadow.first; k <= shadow.last; ++k) {
            const T right = area(static_cast<T>(k - shadow.first + 1));
            part += max_of(right - left, T(0)) * __ldg(row + k);
            left = right;
        }
        sum += shadow.chord * part;
    }
    image[(slice * size.ny + y) * size.nx + x] = sum;
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(project_footprint2d_f32)
(const float *image, long long slices, long long ny, long long nx, const double *views,
 long long count, double arc, double pitch_x, double pitch_y, long long columns,
 float *projections) {
    pyrad::project(image, {slices, ny, nx, pitch_x, pitch_y}, views, count, arc, columns,
                   projections);
}

PYRAD_KERNEL(backproject_footprint2d_f32)
(const float *projections, long long slices, long long ny, long long nx, const double *views,
 long long count, double arc, double pitch_x, double pitch_y, long long columns, float *image) {
    pyrad::backproject(projections, {slices, ny, nx, pitch_x, pitch_y}, views, count, arc, columns,
                       image);
}

PYRAD_KERNEL(project_footprint2d_f64)
(const double *image, long long slices, long long ny, long long nx, const double *views,
 long long count, double arc, double pitch_x, double pitch_y, long long columns,
 double *projections) {
    pyrad::project(image, {slices, ny, nx, pitch_x, pitch_y}, views, count, arc, columns,
                   projections);
}

PYRAD_KERNEL(backproject_footprint2d_f64)
(const double *projections, long long slices, long long ny, long long nx, const double *views,
 long long count, double arc, double pitch_x, double pitch_y, long long columns, double *image) {
    pyrad::backproject(projections, {slices, ny, nx, pitch_x, pitch_y}, views, count, arc, columns,
                       image);
}
