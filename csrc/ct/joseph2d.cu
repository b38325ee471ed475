// CUDA twin of joseph2d.cpp, with the rays of joseph2d_math.hpp.
//
// `trace` makes the table of rays in double precision. Projection: one thread per ray and up to
// four slices; steep rays read the image, flat ones its transposed copy, so that neighbouring rays
// read neighbouring samples. Backprojection: a thread owns two pixels of up to four slices and
// gathers from every ray that passes within one sample of them: the column of a pixel and the
// columns per sample (block_columns_math.hpp) tell which these are. The weights are those of the
// projection; no atomics, and the views are added in order.
#include "base/portable.hpp"
#include "ct/block_columns_math.hpp"
#include "ct/joseph2d_math.hpp"

namespace pyrad {
namespace {

constexpr int slices_per_thread = 4;
constexpr int block_x = 32, block_y = 8, rows_per_thread = 2, staged_views = 64;
constexpr int tile_y = block_y * rows_per_thread;

// start + k * slope is the position at line k, 0 being one sample before the line.
template <class T> struct alignas(4 * sizeof(T)) TracedRay {
    T start, slope, weight, steep;
};

template <class T>
__device__ void trace(const double *views, i64 count, const double *pixels, i64 columns,
                      double pitch_x, double pitch_y, T *rays) {
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x, v = blockIdx.y;
    if (c >= columns || v >= count)
        return;
    const double *n = views + 8 * v;
    const View2D view{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]};
    const Ray2D ray = ray2d(view, pixels[2 * c], pixels[2 * c + 1], pitch_x, pitch_y);
    T *out = rays + 4 * (v * columns + c);
    out[0] = static_cast<T>(ray.start + 1);
    out[1] = static_cast<T>(ray.slope);
    out[2] = static_cast<T>(ray.weight);
    out[3] = static_cast<T>(ray.steep);
}

// Lines of which the ray meets [0, length + 1].
struct LineSpan {
    i64 begin, end;
};
template <class T> __device__ LineSpan lines_met(T start, T slope, i64 length, i64 lines) {
    const T far = static_cast<T>(length + 1), most = static_cast<T>(lines);
    if (slope == T(0))
        return {0, start > T(0) && start < far ? lines : 0};
    const T one = -start / slope, other = (far - start) / slope;
    const T low = clamp(floor(min_of(one, other)) - T(1), T(0), most);
    const T high = clamp(ceil(max_of(one, other)) + T(2), T(0), most);
    return {static_cast<i64>(low), static_cast<i64>(high)};
}

template <class T, int Slices>
__device__ void project(const T *image, const T *transposed, i64 slices, i64 ny, i64 nx,
                        const TracedRay<T> *rays, i64 columns, i64 slice, T *projections) {
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x, v = blockIdx.y;
    if (c >= columns)
        return;
    const TracedRay<T> ray = rays[v * columns + c];
    const bool steep = ray.steep != T(0);
    const i64 lines = steep ? ny : nx, length = steep ? nx : ny;
    const T end = static_cast<T>(length + 1);
    const LineSpan span = lines_met(ray.start, ray.slope, length, lines);
    const T *line = (steep ? image : transposed) + slice * ny * nx + span.begin * length - 1;
    T sum[Slices] = {};
    for (i64 k = span.begin; k < span.end; ++k, line += length) {
        const T at = ray.start + static_cast<T>(k) * ray.slope;
        if (!(at > T(0) && at < end))
            continue;
        const int whole = static_cast<int>(at);
        const T part = at - static_cast<T>(whole);
        const bool has_low = whole >= 1, has_high = whole < length;
#pragma unroll
        for (int s = 0; s < Slices; ++s) {
            const T *sample = line + s * ny * nx + whole;
            const T low = has_low ? __ldg(sample) : T(0);
            const T high = has_high ? __ldg(sample + 1) : T(0);
            sum[s] += low + part * (high - low);
        }
    }
    for (int s = 0; s < Slices; ++s)
        projections[(v * slices + slice + s) * columns + c] = ray.weight * sum[s];
}

template <class T>
__device__ void project_some(const T *image, const T *transposed, i64 slices, i64 ny, i64 nx,
                             const T *table, i64 columns, T *projections) {
    const auto *rays = reinterpret_cast<const TracedRay<T> *>(table);
    const i64 slice = static_cast<i64>(blockIdx.z) * slices_per_thread;
    if (slice + slices_per_thread <= slices) {
        project<T, slices_per_thread>(image, transposed, slices, ny, nx, rays, columns, slice,
                                      projections);
        return;
    }
    for (i64 s = slice; s < slices; ++s)
        project<T, 1>(image, transposed, slices, ny, nx, rays, columns, s, projections);
}

// Adds the rays of one view that pass within one sample of the pixel (x, y), at column u.
template <class T, int Slices>
__device__ void gather(const TracedRay<T> *rays, const T *row, i64 columns, int base, T u, T reach,
                       int x, int y, T *sum) {
    const T most = static_cast<T>(columns), from = ceil(u - reach), to = floor(u + reach);
    const T before = static_cast<T>(base);
    const int first = static_cast<int>(clamp(from + before, T(0), most));
    const int last = static_cast<int>(clamp(to + before, T(-1), most - T(1)));
    for (int c = first; c <= last; ++c) {
        const TracedRay<T> ray = rays[c];
        const bool steep = ray.steep != T(0);
        const T where = ray.start + static_cast<T>(steep ? y : x) * ray.slope;
        const T distance = where - static_cast<T>((steep ? x : y) + 1);
        const T share = T(1) - (distance < T(0) ? -distance : distance);
        if (!(share > T(0)))
            continue;
        const T weight = share * ray.weight;
#pragma unroll
        for (int s = 0; s < Slices; ++s)
            sum[s] += weight * __ldg(row + s * columns + c);
    }
}

template <class T, int Kind, int Slices>
__device__ void backproject(const T *projections, i64 slices, i64 ny, i64 nx, const double *views,
                            i64 count, const DetectorLine &line, const TracedRay<T> *rays,
                            i64 columns, i64 slice, T *image) {
    __shared__ BlockColumns<T> staged[staged_views];
    const i64 corner_x = static_cast<i64>(blockIdx.x) * block_x;
    const i64 corner_y = static_cast<i64>(blockIdx.y) * tile_y;
    const int rank = threadIdx.y * block_x + threadIdx.x;
    const int x = static_cast<int>(corner_x) + threadIdx.x;
    const int y = static_cast<int>(corner_y) + threadIdx.y;
    const T i = static_cast<T>(threadIdx.x), magnify = static_cast<T>(line.magnify);
    T sum[rows_per_thread][Slices] = {};
    for (i64 v0 = 0; v0 < count; v0 += staged_views) {
        const int some = static_cast<int>(min_of<i64>(staged_views, count - v0));
        __syncthreads();
        for (int k = rank; k < some; k += block_x * block_y)
            staged[k] = block_columns<T>(views + 6 * (v0 + k), line, static_cast<double>(corner_x),
                                         static_cast<double>(corner_y), 0.5 * (block_x - 1),
                                         0.5 * (tile_y - 1));
        __syncthreads();
        for (int k = 0; k < some; ++k) {
            const BlockColumns<T> c = staged[k];
            const T reach = c.reach + T(1e-3);
            const T *row = projections + ((v0 + k) * slices + slice) * columns;
#pragma unroll
            for (int r = 0; r < rows_per_thread; ++r) {
                const T j = static_cast<T>(threadIdx.y + r * block_y);
                const T u = pixel_column<T, Kind>(c, i, j, magnify).column;
                gather<T, Slices>(rays + (v0 + k) * columns, row, columns, c.base, u, reach, x,
                                  y + r * block_y, sum[r]);
            }
        }
    }
    for (int r = 0; r < rows_per_thread; ++r)
        for (int s = 0; s < Slices; ++s) {
            const i64 row = corner_y + threadIdx.y + r * block_y;
            if (x < nx && row < ny)
                image[((slice + s) * ny + row) * nx + x] = sum[r][s];
        }
}

template <class T, int Slices>
__device__ void backproject_kind(const T *projections, i64 slices, i64 ny, i64 nx,
                                 const double *views, i64 count, const DetectorLine &line,
                                 int parallel, const TracedRay<T> *rays, i64 columns, i64 slice,
                                 T *image) {
    if (parallel)
        backproject<T, 0, Slices>(projections, slices, ny, nx, views, count, line, rays, columns,
                                  slice, image);
    else if (line.curved)
        backproject<T, 2, Slices>(projections, slices, ny, nx, views, count, line, rays, columns,
                                  slice, image);
    else
        backproject<T, 1, Slices>(projections, slices, ny, nx, views, count, line, rays, columns,
                                  slice, image);
}

template <class T>
__device__ void backproject_some(const T *projections, i64 slices, i64 ny, i64 nx,
                                 const double *views, i64 count, double centre, double magnify,
                                 int curved, int parallel, const T *table, i64 columns, T *image) {
    const auto *rays = reinterpret_cast<const TracedRay<T> *>(table);
    const DetectorLine line{centre, magnify, curved};
    const i64 slice = static_cast<i64>(blockIdx.z) * slices_per_thread;
    if (slice + slices_per_thread <= slices) {
        backproject_kind<T, slices_per_thread>(projections, slices, ny, nx, views, count, line,
                                               parallel, rays, columns, slice, image);
        return;
    }
    for (i64 s = slice; s < slices; ++s)
        backproject_kind<T, 1>(projections, slices, ny, nx, views, count, line, parallel, rays,
                               columns, s, image);
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(trace2d_f32)
(const double *views, long long count, const double *pixels, long long columns, double pitch_x,
 double pitch_y, float *rays) {
    pyrad::trace(views, count, pixels, columns, pitch_x, pitch_y, rays);
}

PYRAD_KERNEL(project2d_f32)
(const float *image, const float *transposed, long long slices, long long ny, long long nx,
 const float *rays, long long columns, float *projections) {
    pyrad::project_some(image, transposed, slices, ny, nx, rays, columns, projections);
}

PYRAD_KERNEL(backproject2d_f32)
(const float *projections, long long slices, long long ny, long long nx, const double *views,
 long long count, double centre, double magnify, int curved, int parallel, const float *rays,
 long long columns, float *image) {
    pyrad::backproject_some(projections, slices, ny, nx, views, count, centre, magnify, curved,
                            parallel, rays, columns, image);
}

PYRAD_KERNEL(trace2d_f64)
(const double *views, long long count, const double *pixels, long long columns, double pitch_x,
 double pitch_y, double *rays) {
    pyrad::trace(views, count, pixels, columns, pitch_x, pitch_y, rays);
}

PYRAD_KERNEL(project2d_f64)
(const double *image, const double *transposed, long long slices, long long ny, long long nx,
 const double *rays, long long columns, double *projections) {
    pyrad::project_some(image, transposed, slices, ny, nx, rays, columns, projections);
}

PYRAD_KERNEL(backproject2d_f64)
(const double *projections, long long slices, long long ny, long long nx, const double *views,
 long long count, double centre, double magnify, int curved, int parallel, const double *rays,
 long long columns, double *image) {
    pyrad::backproject_some(projections, slices, ny, nx, views, count, centre, magnify, curved,
                            parallel, rays, columns, image);
}
