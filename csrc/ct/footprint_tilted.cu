// CUDA twin of footprint_tilted.cpp, with the shadows of footprint_tilted_math.hpp. A thread owns a
// voxel. The adjoint gathers; the projection adds with atomics, so the order of its sums, and with
// it their rounding, is not fixed.
#include "base/portable.hpp"
#include "ct/footprint_tilted_math.hpp"

namespace pyrad {
namespace {

struct Sizes {
    i64 nz, ny, nx, views, rows, columns;
};

struct Voxel {
    i64 x, y, z;
    __device__ bool within(const Sizes &n) const { return x < n.nx && y < n.ny && z < n.nz; }
    __device__ i64 at(const Sizes &n) const { return (z * n.ny + y) * n.nx + x; }
};

__device__ Voxel own_voxel() {
    return {static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x,
            static_cast<i64>(blockIdx.y) * blockDim.y + threadIdx.y, static_cast<i64>(blockIdx.z)};
}

// Cells of one detector axis under a profile, and the area to the left of their edges.
template <class T> struct Extent {
    TiltedProfile<T> profile;
    i64 first, last;
    T shift; // of the first cell's left edge from the centre

    __device__ Extent(const T (&width)[3], double centre, i64 length)
        : profile(tilted_profile(width[0], width[1], width[2])) {
        const double at = centre + 0.5, end = static_cast<double>(profile.end);
        const double begin = floor(at - end), stop = floor(at + end);
        const double cells = static_cast<double>(length);
        first = 0;
        last = -1;
        shift = T(0);
        if (!(stop >= 0 && begin < cells))
            return;
        first = static_cast<i64>(max_of(begin, 0.0));
        last = static_cast<i64>(min_of(stop, cells - 1));
        shift = static_cast<T>(static_cast<double>(first) - at);
    }
    __device__ T left(i64 cell) const {
        return tilted_area(profile, shift + static_cast<T>(cell - first));
    }
};

// Calls body(cell of the view, weight) for the cells that a voxel meets.
template <class T, class Body>
__device__ void each_cell(const TiltedView &view, const Voxel &voxel, const Sizes &n, Body body) {
    const TiltedShadow<T> shadow =
        tilted_shadow<T>(view, static_cast<double>(voxel.x), static_cast<double>(voxel.y),
                         static_cast<double>(voxel.z));
    if (!(shadow.mass > T(0)))
        return;
    const Extent<T> columns(shadow.column_width, shadow.column, n.columns);
    const Extent<T> rows(shadow.row_width, shadow.row, n.rows);
    if (columns.first > columns.last)
        return;
    T below = rows.left(rows.first);
    for (i64 r = rows.first; r <= rows.last; ++r) {
        const T above = rows.left(r + 1);
        const T share = shadow.mass * max_of(above - below, T(0));
        below = above;
        T left = columns.left(columns.first);
        for (i64 k = columns.first; k <= columns.last; ++k) {
            const T right = columns.left(k + 1);
            body(r * n.columns + k, share * max_of(right - left, T(0)));
            left = right;
        }
    }
}

template <class T>
__device__ void project(const T *volume, const double *views, const Sizes &n, T *projections) {
    const Voxel voxel = own_voxel();
    if (!voxel.within(n))
        return;
    const T value = volume[voxel.at(n)];
    if (value == T(0))
        return;
    for (i64 v = 0; v < n.views; ++v) {
        T *to = projections + v * n.rows * n.columns;
        each_cell<T>(tilted_view(views + v * tilted_view_size), voxel, n,
                     [&](i64 at, T weight) { atomicAdd(to + at, weight * value); });
    }
}

template <class T>
__device__ void backproject(const T *projections, const double *views, const Sizes &n, T *volume) {
    const Voxel voxel = own_voxel();
    if (!voxel.within(n))
        return;
    T sum = T(0);
    for (i64 v = 0; v < n.views; ++v) {
        const T *from = projections + v * n.rows * n.columns;
        each_cell<T>(tilted_view(views + v * tilted_view_size), voxel, n,
                     [&](i64 at, T weight) { sum += weight * __ldg(from + at); });
    }
    volume[voxel.at(n)] = sum;
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(project_footprint_tilted_f32)
(const float *volume, long long nz, long long ny, long long nx, const double *views,
 long long count, long long rows, long long columns, float *projections) {
    pyrad::project(volume, views, {nz, ny, nx, count, rows, columns}, projections);
}

PYRAD_KERNEL(backproject_footprint_tilted_f32)
(const float *projections, long long nz, long long ny, long long nx, const double *views,
 long long count, long long rows, long long columns, float *volume) {
    pyrad::backproject(projections, views, {nz, ny, nx, count, rows, columns}, volume);
}

PYRAD_KERNEL(project_footprint_tilted_f64)
(const double *volume, long long nz, long long ny, long long nx, const double *views,
 long long count, long long rows, long long columns, double *projections) {
    pyrad::project(volume, views, {nz, ny, nx, count, rows, columns}, projections);
}

PYRAD_KERNEL(backproject_footprint_tilted_f64)
(const double *projections, long long nz, long long ny, long long nx, const double *views,
 long long count, long long rows, long long columns, double *volume) {
    pyrad::backproject(projections, views, {nz, ny, nx, count, rows, columns}, volume);
}
