// CUDA twin of joseph3d.cpp, with the rays of joseph3d_math.hpp.
//
// Projection: one thread per ray; the lanes of a warp are detector rows and read a copy of the
// volume whose fastest axis is z, so that neighbours read neighbouring samples. Rays along z read
// the volume itself. Backprojection: one thread per column of voxels along z gathers from every
// ray that passes within one voxel, the transposed loop of the same weights; no atomics, and the
// views are added in order.
#include "base/portable.hpp"
#include "ct/joseph3d_math.hpp"

namespace pyrad {
namespace {

constexpr int voxels = 8; // along z per thread of the backprojection
constexpr int path_numbers = 9;
constexpr int tile_rows = 32, tile_columns = 8; // rays of a block of the projection

__device__ Scan3D load_scan(const double *n, int divergent) {
    return {n[0], n[1], {n[2], n[3], n[4]}, divergent != 0};
}

// Planes, lines and samples of the array that a ray of this axis runs through.
template <class T> struct Layout {
    const T *data;
    i64 plane_stride, line_stride;
    int planes, lines, length;
};

template <class T>
__device__ Layout<T> layout_of(int axis, const T *volume, const T *upright, i64 nz, i64 ny,
                               i64 nx) {
    const int z = static_cast<int>(nz), y = static_cast<int>(ny), x = static_cast<int>(nx);
    if (axis == 0)
        return {upright, nz, nx * nz, x, y, z};
    if (axis == 1)
        return {upright, nx * nz, nz, y, x, z};
    return {volume, ny * nx, nx, z, y, x};
}

template <class T> __device__ T sample_line(const T *line, int first, int length, T part) {
    const T low = first >= 0 ? __ldg(line + first) : T(0);
    const T high = first + 1 < length ? __ldg(line + first + 1) : T(0);
    return low + part * (high - low);
}

template <class T> __device__ T sum_ray(const Layout<T> &in, const Ray3D &ray) {
    PlaneRange range = in_front(ray.from, ray.to, in.planes);
    range = planes_met(ray.a + 1, ray.a_slope, static_cast<double>(in.lines), range);
    range = planes_met(ray.b + 1, ray.b_slope, static_cast<double>(in.length), range);
    const T a0 = static_cast<T>(ray.a + 1), a1 = static_cast<T>(ray.a_slope);
    const T b0 = static_cast<T>(ray.b + 1), b1 = static_cast<T>(ray.b_slope);
    const T a_end = static_cast<T>(in.lines + 1), b_end = static_cast<T>(in.length + 1);
    const int end = static_cast<int>(range.end);
    const T *plane = in.data + range.begin * in.plane_stride;
    T sum = T(0);
    for (int k = static_cast<int>(range.begin); k < end; ++k, plane += in.plane_stride) {
        const T a = a0 + static_cast<T>(k) * a1, b = b0 + static_cast<T>(k) * b1;
        if (!(a > T(0) && a < a_end && b > T(0) && b < b_end))
            continue;
        const int line = static_cast<int>(a), first = static_cast<int>(b) - 1;
        const T a_part = a - static_cast<T>(line), b_part = b - static_cast<T>(first + 1);
        const T *p = plane + (line - 1) * in.line_stride;
        const T near = line > 0 ? sample_line(p, first, in.length, b_part) : T(0);
        const T far =
            line < in.lines ? sample_line(p + in.line_stride, first, in.length, b_part) : T(0);
        sum += near + a_part * (far - near);
    }
    return sum;
}

// A block computes 32 rows x 8 columns and turns them in shared memory, so that they are written
// along the columns.
template <class T>
__device__ void project(const T *volume, const T *upright, i64 nz, i64 ny, i64 nx,
                        const double *views, const double *columns, const double *scan_numbers,
                        int divergent, i64 rows, i64 count, T *projections, T *tile) {
    const i64 v = blockIdx.z;
    const i64 first_row = static_cast<i64>(blockIdx.x) * tile_rows;
    const i64 first_column = static_cast<i64>(blockIdx.y) * tile_columns;
    const i64 r = first_row + threadIdx.x, c = first_column + threadIdx.y;
    const Scan3D scan = load_scan(scan_numbers, divergent);
    if (r < rows && c < count) {
        const View3D view = load_view3d(views + view3d_numbers * v);
        const double w = scan.first_row + static_cast<double>(r) * scan.row_pitch;
        const Ray3D ray = ray3d(view, scan, columns[2 * c], columns[2 * c + 1], w);
        const Layout<T> in = layout_of(ray.axis, volume, upright, nz, ny, nx);
        tile[threadIdx.y * (tile_rows + 1) + threadIdx.x] =
            static_cast<T>(ray.weight) * sum_ray(in, ray);
    }
    __syncthreads();
    const int flat = static_cast<int>(threadIdx.y) * tile_rows + static_cast<int>(threadIdx.x);
    const int column = flat % tile_columns, row = flat / tile_columns;
    if (first_row + row < rows && first_column + column < count)
        projections[(v * rows + first_row + row) * count + first_column + column] +=
            tile[column * (tile_rows + 1) + row];
}

template <class T>
__device__ void weigh(const T *projections, const double *views, const double *columns,
                      const double *scan_numbers, int divergent, i64 rows, i64 count, T *out) {
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 r = blockIdx.y, v = blockIdx.z;
    if (c >= count)
        return;
    const Scan3D scan = load_scan(scan_numbers, divergent);
    const double w = scan.first_row + static_cast<double>(r) * scan.row_pitch;
    const Ray3D ray =
        ray3d(load_view3d(views + view3d_numbers * v), scan, columns[2 * c], columns[2 * c + 1], w);
    const i64 at = (v * rows + r) * count + c;
    out[at] = static_cast<T>(ray.weight) * projections[at];
}

__device__ void store_path(const Path3D &path, double *out) {
    const double numbers[path_numbers] = {static_cast<double>(path.axis),
                                          path.start,
                                          path.slope,
                                          path.base,
                                          path.base_slope,
                                          path.step,
                                          path.step_slope,
                                          path.from,
                                          path.to};
    for (int i = 0; i < path_numbers; ++i)
        out[i] = numbers[i];
}

// One view as the backprojection sees it. `inverse` turns a point relative to `origin` into
// (a, b, w) times a distance (divergent rays) or into (anything, b, w).
struct Detector {
    View3D view;
    Scan3D scan;
    const double *inverse, *columns, *paths; // paths of this view
    i64 rows, count;
    bool curved;
};

struct Place {
    double position, w; // b / a and the row's w
    bool ahead;         // in front of the source
};

__device__ Place locate(const Detector &on, double x, double y, double z) {
    const double p[3] = {x - on.view.origin[0], y - on.view.origin[1], z - on.view.origin[2]};
    double q[3];
    for (int i = 0; i < 3; ++i)
        q[i] =
            on.inverse[3 * i] * p[0] + on.inverse[3 * i + 1] * p[1] + on.inverse[3 * i + 2] * p[2];
    if (!on.scan.divergent)
        return {q[1], q[2], true};
    const double far = on.curved ? sqrt(q[0] * q[0] + q[1] * q[1]) : q[0];
    return {q[1] / q[0], q[2] / far, q[0] > 0};
}

// Columns and rows that rays through the neighbourhood of a voxel can have.
struct Window {
    i64 column, column_end, row, row_end;
};

struct Extent {
    double low, high;
    bool ahead;
};
__device__ void widen(Extent &extent, double value) {
    extent.low = min_of(extent.low, value);
    extent.high = max_of(extent.high, value);
}

// Columns are evenly spaced in b on a flat detector, in the angle on a curved one.
__device__ double column_scale(const Detector &on, double position) {
    return on.curved ? atan(position) : position;
}

__device__ void columns_within(const Detector &on, const Extent &at, Window &window) {
    window.column = 0;
    window.column_end = on.count;
    if (!at.ahead || on.count < 2)
        return;
    const double first = column_scale(on, on.columns[1] / on.columns[0]);
    const double step = column_scale(on, on.columns[3] / on.columns[2]) - first;
    // rays at the rim weigh nothing either way
    const double low = (column_scale(on, at.low) - first) / step - 1e-6;
    const double high = (column_scale(on, at.high) - first) / step + 1e-6;
    const double n = static_cast<double>(on.count);
    window.column = static_cast<i64>(ceil(clamp(low, 0.0, n)));
    window.column_end = static_cast<i64>(floor(clamp(high, -1.0, n - 1))) + 1;
}

// Of all rays that cross one of the three planes through the voxel within one voxel of it.
__device__ Window window_of(const Detector &on, double x, double y, double z) {
    Extent across = {beyond, -beyond, true}, up = {beyond, -beyond, true};
    for (int corner = 0; corner < 12; ++corner) {
        const double s = corner & 1 ? 1 : -1, t = corner & 2 ? 1 : -1;
        const int axis = corner / 4;
        const Place at = locate(on, x + (axis == 0 ? 0 : s),
                                y + (axis == 0   ? s
                                     : axis == 1 ? 0
                                                 : t),
                                z + (axis == 2 ? 0 : t));
        across.ahead = across.ahead && at.ahead;
        widen(across, at.position);
        widen(up, at.w);
    }
    Window window = {0, on.count, 0, on.rows};
    if (!across.ahead)
        return window;
    columns_within(on, across, window);
    const double one = (up.low - on.scan.first_row) / on.scan.row_pitch;
    const double other = (up.high - on.scan.first_row) / on.scan.row_pitch;
    const double n = static_cast<double>(on.rows);
    window.row = static_cast<i64>(ceil(clamp(min_of(one, other) - 1e-6, 0.0, n)));
    window.row_end = static_cast<i64>(floor(clamp(max_of(one, other) + 1e-6, -1.0, n - 1))) + 1;
    return window;
}

// Any view, one voxel: every ray of the window is weighed.
template <class T>
__device__ T gather_rays(const Detector &on, const T *given, i64 x, i64 y, i64 z) {
    const double voxel[3] = {static_cast<double>(x), static_cast<double>(y),
                             static_cast<double>(z)};
    const Window window = window_of(on, voxel[0], voxel[1], voxel[2]);
    T sum = T(0);
    for (i64 r = window.row; r < window.row_end; ++r)
        for (i64 c = window.column; c < window.column_end; ++c) {
            const double w = on.scan.first_row + static_cast<double>(r) * on.scan.row_pitch;
            const Ray3D ray = ray3d(on.view, on.scan, on.columns[2 * c], on.columns[2 * c + 1], w);
            const double k = voxel[ray.axis];
            if (!(k > ray.from && k < ray.to))
                continue;
            const T a = static_cast<T>(ray.a + 1) + static_cast<T>(k) * static_cast<T>(ray.a_slope);
            const T b = static_cast<T>(ray.b + 1) + static_cast<T>(k) * static_cast<T>(ray.b_slope);
            const T da = a - static_cast<T>(voxel[crossed_a(ray.axis)] + 1);
            const T db = b - static_cast<T>(voxel[crossed_b(ray.axis)] + 1);
            const T near = T(1) - (da < T(0) ? -da : da), close = T(1) - (db < T(0) ? -db : db);
            if (near > T(0) && close > T(0))
                sum += near * close * __ldg(given + r * on.count + c);
        }
    return sum;
}

// A view whose rows lie along z: the columns are found once for all voxels of the thread, and
// their rows lie at even distances along z.
template <class T>
__device__ void gather_columns(const Detector &on, const T *given, i64 x, i64 y, i64 z, T *sums) {
    Extent across = {beyond, -beyond, true};
    for (int side = 0; side < 4; ++side) {
        const double s = side & 1 ? 1 : -1;
        const Place at = locate(on, static_cast<double>(x) + (side < 2 ? s : 0),
                                static_cast<double>(y) + (side < 2 ? 0 : s), 0);
        across.ahead = across.ahead && at.ahead;
        widen(across, at.position);
    }
    Window window = {0, 0, 0, 0};
    columns_within(on, across, window);
    const T last = static_cast<T>(on.rows - 1);
    for (i64 c = window.column; c < window.column_end; ++c) {
        const double *path = on.paths + path_numbers * c;
        const bool steep = path[0] != 0;
        const double k = static_cast<double>(steep ? y : x);
        const T at = static_cast<T>(path[1]) + static_cast<T>(k) * static_cast<T>(path[2]);
        const T distance = at - static_cast<T>((steep ? x : y) + 1);
        const T share = T(1) - (distance < T(0) ? -distance : distance);
        if (!(share > T(0) && k > path[7] && k < path[8]))
            continue;
        const T base = static_cast<T>(path[3] + k * path[4]);
        const T step = static_cast<T>(path[5] + k * path[6]);
        const T inverse = T(1) / step, reach = (inverse < T(0) ? -inverse : inverse) + T(1e-3);
        const T *column = given + c;
#pragma unroll
        for (int i = 0; i < voxels; ++i) {
            const T position = static_cast<T>(z + i + 1), centre = (position - base) * inverse;
            const T from = max_of(centre - reach, T(0)), to = min_of(centre + reach, last);
            T sum = T(0);
            for (T r = ceil(from); r <= to; r += T(1)) {
                const T off = base + r * step - position;
                const T weight = T(1) - (off < T(0) ? -off : off);
                sum += max_of(weight, T(0)) * __ldg(column + static_cast<i64>(r) * on.count);
            }
            sums[i] += share * sum;
        }
    }
}

template <class T>
__device__ void backproject(const T *given, const double *views, const double *inverses,
                            const int *upright, const double *paths, const double *columns,
                            const double *scan_numbers, int divergent, int curved, i64 count_views,
                            i64 rows, i64 count, i64 nz, i64 ny, i64 nx, T *volume) {
    const i64 x = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 y = static_cast<i64>(blockIdx.y) * blockDim.y + threadIdx.y;
    const i64 z = static_cast<i64>(blockIdx.z) * voxels;
    if (x >= nx || y >= ny)
        return;
    T sums[voxels];
    for (int i = 0; i < voxels; ++i)
        sums[i] = T(0);
    for (i64 v = 0; v < count_views; ++v) {
        const Detector on = {load_view3d(views + view3d_numbers * v),
                             load_scan(scan_numbers, divergent),
                             inverses + 9 * v,
                             columns,
                             paths + path_numbers * count * v,
                             rows,
                             count,
                             curved != 0};
        const T *projection = given + v * rows * count;
        if (upright[v])
            gather_columns(on, projection, x, y, z, sums);
        else
            for (int i = 0; i < voxels && z + i < nz; ++i)
                sums[i] += gather_rays(on, projection, x, y, z + i);
    }
    for (int i = 0; i < voxels; ++i)
        if (z + i < nz)
            volume[((z + i) * ny + y) * nx + x] += sums[i];
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(project3d_f32)
(const float *volume, const float *upright, long long nz, long long ny, long long nx,
 const double *views, const double *columns, const double *scan, int divergent, long long rows,
 long long count, float *projections) {
    __shared__ float tile[pyrad::tile_columns * (pyrad::tile_rows + 1)];
    pyrad::project(volume, upright, nz, ny, nx, views, columns, scan, divergent, rows, count,
                   projections, tile);
}

PYRAD_KERNEL(project3d_f64)
(const double *volume, const double *upright, long long nz, long long ny, long long nx,
 const double *views, const double *columns, const double *scan, int divergent, long long rows,
 long long count, double *projections) {
    __shared__ double tile[pyrad::tile_columns * (pyrad::tile_rows + 1)];
    pyrad::project(volume, upright, nz, ny, nx, views, columns, scan, divergent, rows, count,
                   projections, tile);
}

PYRAD_KERNEL(weigh3d_f32)
(const float *projections, const double *views, const double *columns, const double *scan,
 int divergent, long long rows, long long count, float *out) {
    pyrad::weigh(projections, views, columns, scan, divergent, rows, count, out);
}

PYRAD_KERNEL(weigh3d_f64)
(const double *projections, const double *views, const double *columns, const double *scan,
 int divergent, long long rows, long long count, double *out) {
    pyrad::weigh(projections, views, columns, scan, divergent, rows, count, out);
}

// (views, columns, 9): the path of every detector column.
PYRAD_KERNEL(paths3d)
(const double *views, const double *columns, const double *scan, int divergent, long long count,
 double *paths) {
    using namespace pyrad;
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x, v = blockIdx.y;
    if (c < count)
        store_path(path3d(load_view3d(views + view3d_numbers * v), load_scan(scan, divergent),
                          columns[2 * c], columns[2 * c + 1]),
                   paths + path_numbers * (v * count + c));
}

PYRAD_KERNEL(backproject3d_f32)
(const float *given, const double *views, const double *inverses, const int *upright,
 const double *paths, const double *columns, const double *scan, int divergent, int curved,
 long long count_views, long long rows, long long count, long long nz, long long ny, long long nx,
 float *volume) {
    pyrad::backproject(given, views, inverses, upright, paths, columns, scan, divergent, curved,
                       count_views, rows, count, nz, ny, nx, volume);
}

PYRAD_KERNEL(backproject3d_f64)
(const double *given, const double *views, const double *inverses, const int *upright,
 const double *paths, const double *columns, const double *scan, int divergent, int curved,
 long long count_views, long long rows, long long count, long long nz, long long ny, long long nx,
 double *volume) {
    pyrad::backproject(given, views, inverses, upright, paths, columns, scan, divergent, curved,
                       count_views, rows, count, nz, ny, nx, volume);
}
