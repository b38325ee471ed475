// CUDA twin of footprint3d.cpp, with the footprints of footprint_math.hpp. No atomics: both
// directions gather, in one order.
//
// Projection: a warp owns one detector column of one view and 32 x rows_per_lane of its rows. It
// walks along the strip of the volume seen by that column: each lane weighs the voxels of another
// line, then all lanes add the column of voxels of each, which lies z-fastest, to their rows.
// Adjoint: a thread owns (x, y) and 16 slices, whose sums stay in registers through all views;
// rows are visited once, on the running edges of the voxels. It reads projections already divided
// by the cosine of the elevation (elevate).
#include "base/portable.hpp"
#include "ct/footprint_math.hpp"

namespace pyrad {
namespace {

constexpr int rows_per_lane = 8, slices_per_thread = 16, columns_at_once = 4;
constexpr int view_numbers = 14;

struct Grid3D {
    i64 nz, ny, nx;
    double pitch_x, pitch_y;
};
struct Detector3D {
    i64 views, rows, columns;
    double arc;
};

// Where the voxels at (x, y) lie along the rows: voxel i spans [edge + i step, edge + (i + 1)
// step].
struct Axis {
    double edge, step;
};

__device__ Axis axis_at(const double *view, double arc, i64 x, i64 y) {
    const double px = static_cast<double>(x), py = static_cast<double>(y);
    double depth = view[3] * px + view[4] * py + view[5];
    if (arc > 0) {
        const double across = view[0] * px + view[1] * py + view[2];
        depth = sqrt(depth * depth + across * across);
    }
    const double step = view[12] / depth;
    return {view[10] + 0.5 - (view[11] + 0.5) * step, step};
}

template <class T> __device__ T elevation(const double *reach, const double *view, i64 k, i64 r) {
    const double tangent = reach[k] * (static_cast<double>(r) - view[10]);
    return static_cast<T>(sqrt(1 + tangent * tangent));
}

// What a lane has found out about one pixel of its line.
template <class T> struct Found {
    T weight; // 0: nothing
    double edge, step;
    i64 at;
};

template <class T>
__device__ Found<T> weigh(const double *numbers, const Grid3D &grid, const Detector3D &det, i64 k,
                          i64 x, i64 y) {
    const FootprintView view = footprint_view(numbers);
    const Shadow<T> shadow =
        footprint_shadow<T>(view, det.arc, grid.pitch_x, grid.pitch_y, det.columns, x, y);
    if (!(shadow.first <= k && k <= shadow.last))
        return {T(0), 0.0, 1.0, 0};
    const TrapezoidArea<T> area(shadow.at);
    const T s = static_cast<T>(k - shadow.first);
    const Axis axis = axis_at(numbers, det.arc, x, y);
    return {shadow.chord * max_of(area(s + T(1)) - area(s), T(0)), axis.edge, axis.step,
            (y * grid.nx + x) * grid.nz};
}

// Sum of voxels times their overlap with the row, in rows.
template <class T> __device__ T row_of(const T *voxels, i64 nz, double edge, double step, i64 r) {
    const double length = 1 / step, begin = (static_cast<double>(r) - edge) * length;
    if (begin >= static_cast<double>(nz) || begin + length <= 0)
        return T(0);
    const double whole = floor(begin);
    const T part = static_cast<T>(begin - whole), end = part + static_cast<T>(length);
    const i64 first = static_cast<i64>(whole);
    T sum = T(0);
    for (i64 i = 0; static_cast<T>(i) < end; ++i) {
        const T overlap = min_of(end, static_cast<T>(i + 1)) - max_of(part, static_cast<T>(i));
        if (first + i >= 0 && first + i < nz)
            sum += overlap * __ldg(voxels + first + i);
    }
    return static_cast<T>(step) * sum;
}

template <class T>
__device__ void project(const T *volume, const Grid3D &grid, const double *views,
                        const double *reach, i64 reach_step, const Detector3D &det,
                        T *projections) {
    const int lane = threadIdx.x;
    const i64 k = static_cast<i64>(blockIdx.x) * blockDim.y + threadIdx.y, v = blockIdx.y;
    const i64 first_row = static_cast<i64>(blockIdx.z) * 32 * rows_per_lane;
    if (k >= det.columns)
        return; // the whole warp
    const double *numbers = views + v * view_numbers;
    const FootprintView view = footprint_view(numbers);
    const FootprintRay left = footprint_ray(view, det.arc, static_cast<double>(k) - 0.5);
    const FootprintRay right = footprint_ray(view, det.arc, static_cast<double>(k) + 0.5);
    const bool steep = fabs(left.p + right.p) >= fabs(left.q + right.q);
    const i64 lines = steep ? grid.ny : grid.nx, length = steep ? grid.nx : grid.ny;
    T sum[rows_per_lane] = {};
    for (i64 group = 0; group < lines; group += 32) {
        const i64 line = group + lane;
        FootprintSpan span{0, 0};
        if (line < lines)
            span = footprint_span(left, right, steep, line, length);
        i64 most = span.end - span.begin;
        for (int step = 16; step > 0; step /= 2)
            most = max_of(most, __shfl_xor_sync(0xffffffffu, most, step));
        for (i64 i = 0; i < most; ++i) {
            Found<T> found{T(0), 0.0, 1.0, 0};
            const i64 at = span.begin + i;
            if (at < span.end)
                found = weigh<T>(numbers, grid, det, k, steep ? at : line, steep ? line : at);
            for (int from = 0; from < 32; ++from) {
                const T weight = __shfl_sync(0xffffffffu, found.weight, from);
                const double edge = __shfl_sync(0xffffffffu, found.edge, from);
                const double step = __shfl_sync(0xffffffffu, found.step, from);
                const i64 column = __shfl_sync(0xffffffffu, found.at, from);
                if (weight == T(0))
                    continue;
                for (int n = 0; n < rows_per_lane; ++n)
                    sum[n] += weight * row_of(volume + column, grid.nz, edge, step,
                                              first_row + lane + 32 * n);
            }
        }
    }
    const double *reach_here = reach + v * reach_step;
    for (int n = 0; n < rows_per_lane; ++n) {
        const i64 r = first_row + lane + 32 * n;
        if (r >= det.rows)
            continue;
        const i64 there = numbers[13] != 0 ? det.rows - 1 - r : r;
        projections[(v * det.rows + there) * det.columns + k] =
            sum[n] * elevation<T>(reach_here, numbers, k, r);
    }
}

// Projections over the cosine of the elevation, rows counted upwards.
template <class T>
__device__ void elevate(const T *projections, const double *views, const double *reach,
                        i64 reach_step, i64 rows, i64 columns, T *out) {
    const i64 k = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 r = blockIdx.y, v = blockIdx.z;
    if (k >= columns)
        return;
    const double *numbers = views + v * view_numbers;
    const i64 there = numbers[13] != 0 ? rows - 1 - r : r;
    out[(v * rows + r) * columns + k] = elevation<T>(reach + v * reach_step, numbers, k, r) *
                                        projections[(v * rows + there) * columns + k];
}

// Adds to sum[i] the overlaps of voxel first + i with the rows of columns_at_once columns.
template <class T>
__device__ void add_rows(const T *projection, i64 rows, i64 columns, i64 first_column,
                         const T (&weight)[columns_at_once], const Axis &axis, i64 first,
                         T (&sum)[slices_per_thread]) {
    const double start = axis.edge + static_cast<double>(first) * axis.step;
    const double whole = floor(start);
    i64 row = static_cast<i64>(whole); // the lower edge of row `row` is position `below`
    T below = T(0), edge = static_cast<T>(start - whole);
    const T step = static_cast<T>(axis.step);
    const auto mix = [&](i64 r) {
        if (r < 0 || r >= rows)
            return T(0);
        const T *from = projection + r * columns;
        T value = T(0);
        for (int j = 0; j < columns_at_once; ++j)
            if (weight[j] != T(0))
                value += weight[j] * __ldg(from + first_column + j);
        return value;
    };
    T here = mix(row);
    for (int i = 0; i < slices_per_thread; ++i) {
        const T end = static_cast<T>(start - whole) + static_cast<T>(i + 1) * step;
        T total = T(0);
        while (below + T(1) < end) {
            total += here * (below + T(1) - max_of(edge, below));
            below += T(1);
            here = mix(++row);
        }
        sum[i] += total + here * (end - max_of(edge, below));
        edge = end;
    }
}

template <class T>
__device__ void backproject(const T *elevated, const Grid3D &grid, const double *views,
                            const Detector3D &det, bool add, T *volume) {
    const i64 x = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 y = static_cast<i64>(blockIdx.y) * blockDim.y + threadIdx.y;
    const i64 first = static_cast<i64>(blockIdx.z) * slices_per_thread;
    if (x >= grid.nx || y >= grid.ny)
        return;
    T sum[slices_per_thread] = {};
    for (i64 v = 0; v < det.views; ++v) {
        const double *numbers = views + v * view_numbers;
        const Shadow<T> shadow = footprint_shadow<T>(footprint_view(numbers), det.arc, grid.pitch_x,
                                                     grid.pitch_y, det.columns, x, y);
        if (shadow.first > shadow.last)
            continue;
        const Axis axis = axis_at(numbers, det.arc, x, y);
        const double low = axis.edge + static_cast<double>(first) * axis.step;
        if (low >= static_cast<double>(det.rows) || low + slices_per_thread * axis.step <= 0)
            continue;
        const T *projection = elevated + v * det.rows * det.columns;
        const TrapezoidArea<T> area(shadow.at);
        T left = area(T(0));
        for (i64 k = shadow.first; k <= shadow.last; k += columns_at_once) {
            T weight[columns_at_once];
            for (int j = 0; j < columns_at_once; ++j) {
                const T right = area(static_cast<T>(k + j - shadow.first + 1));
                weight[j] = k + j <= shadow.last ? shadow.chord * max_of(right - left, T(0)) : T(0);
                left = right;
            }
            add_rows(projection, det.rows, det.columns, k, weight, axis, first, sum);
        }
    }
    for (int i = 0; i < slices_per_thread; ++i)
        if (first + i < grid.nz) {
            T *to = volume + ((first + i) * grid.ny + y) * grid.nx + x;
            *to = add ? *to + sum[i] : sum[i];
        }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(project_footprint3d_f32)
(const float *volume, long long nz, long long ny, long long nx, const double *views,
 const double *reach, long long reach_step, double arc, double pitch_x, double pitch_y,
 long long count, long long rows, long long columns, float *projections) {
    pyrad::project(volume, {nz, ny, nx, pitch_x, pitch_y}, views, reach, reach_step,
                   {count, rows, columns, arc}, projections);
}

PYRAD_KERNEL(elevate_footprint3d_f32)
(const float *projections, const double *views, const double *reach, long long reach_step,
 long long rows, long long columns, float *out) {
    pyrad::elevate(projections, views, reach, reach_step, rows, columns, out);
}

PYRAD_KERNEL(backproject_footprint3d_f32)
(const float *elevated, long long nz, long long ny, long long nx, const double *views, double arc,
 double pitch_x, double pitch_y, long long count, long long rows, long long columns, int add,
 float *volume) {
    pyrad::backproject(elevated, {nz, ny, nx, pitch_x, pitch_y}, views, {count, rows, columns, arc},
                       add != 0, volume);
}

PYRAD_KERNEL(project_footprint3d_f64)
(const double *volume, long long nz, long long ny, long long nx, const double *views,
 const double *reach, long long reach_step, double arc, double pitch_x, double pitch_y,
 long long count, long long rows, long long columns, double *projections) {
    pyrad::project(volume, {nz, ny, nx, pitch_x, pitch_y}, views, reach, reach_step,
                   {count, rows, columns, arc}, projections);
}

PYRAD_KERNEL(elevate_footprint3d_f64)
(const double *projections, const double *views, const double *reach, long long reach_step,
 long long rows, long long columns, double *out) {
    pyrad::elevate(projections, views, reach, reach_step, rows, columns, out);
}

PYRAD_KERNEL(backproject_footprint3d_f64)
(const double *elevated, long long nz, long long ny, long long nx, const double *views, double arc,
 double pitch_x, double pitch_y, long long count, long long rows, long long columns, int add,
 double *volume) {
    pyrad::backproject(elevated, {nz, ny, nx, pitch_x, pitch_y}, views, {count, rows, columns, arc},
                       add != 0, volume);
}
