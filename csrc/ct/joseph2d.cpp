// Line integrals by Joseph's method (IEEE Trans. Med. Imaging 1, 1982, doi
// 10.1109/TMI.1982.4307572): a ray is cut at every image row if it is closer to the y axis, at
// every column otherwise, and the image is interpolated linearly at the cuts:
//
//     p = weight * sum_k lerp(image line k, start + k * slope)
//
// Rays closer to the x axis read a transposed copy of the image, so that both kinds run along
// lines in memory. The adjoint hands the same two weights per cut back to the image; it is
// parallel over blocks of lines, every line sums its views in order: same bits for any threads.
#include "ct/joseph2d.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/joseph2d_gather.hpp"
#include "ct/joseph2d_rays.hpp"
#include "ct/joseph2d_tiles.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace pyrad {
namespace {

using joseph::line_tile;
using joseph::Lines;
using joseph::Rays;
using joseph::Run;
constexpr i64 tile = joseph::ray_tile;
constexpr i64 block_lines = 64; // of the image, which stay in L1 while the views of a task pass
constexpr i64 views_per_task = 8;

// Lines that any of the rays start[l] + k * slope[l], l < width, meets within (0, length + 1).
struct Span {
    i64 begin, end;
};
template <class T>
Span lines_met(const T *start, const T *slope, i64 width, i64 length, i64 count) {
    double low = static_cast<double>(count), high = 0;
    for (i64 l = 0; l < width; ++l) {
        if (slope[l] == T(0)) {
            if (start[l] > T(0) && start[l] < T(length + 1))
                return {0, count};
            continue;
        }
        const double at0 = (0 - static_cast<double>(start[l])) / slope[l];
        const double at1 = (static_cast<double>(length + 1) - start[l]) / slope[l];
        low = std::min(low, std::min(at0, at1));
        high = std::max(high, std::max(at0, at1));
    }
    const double n = static_cast<double>(count);
    return {static_cast<i64>(std::clamp(std::floor(low), 0.0, n)),
            static_cast<i64>(std::clamp(std::ceil(high) + 1, 0.0, n))};
}

// The portable loop, and the oracle of the permuting one.
template <class T>
PYRAD_CLONES void sum_lines(const T *lines, i64 stride, i64 begin, i64 end, i64 length,
                            const T *start, const T *slope, T *sums) {
    const T most = static_cast<T>(length + 1);
    T sum[tile] = {};
    for (i64 k = begin; k < end; ++k) {
        const T *line = lines + k * stride, row = static_cast<T>(k);
        for (i64 l = 0; l < tile; ++l) {
            const T at = std::min(std::max(start[l] + row * slope[l], T(0)), most);
            const int whole = static_cast<int>(at);
            sum[l] += line[whole] + (at - whole) * (line[whole + 1] - line[whole]);
        }
    }
    for (i64 l = 0; l < tile; ++l)
        sums[l] += sum[l];
}

template <class T>
using LineKernel = void (*)(const T *, i64, i64, i64, i64, const T *, const T *, T *);

// Copies a tile of rays; spare lanes repeat the last ray.
template <class T> void take_rays(const Rays<T> &rays, i64 first, i64 width, T *start, T *slope) {
    for (i64 l = 0; l < tile; ++l) {
        start[l] = rays.start[first + std::min(l, width - 1)];
        slope[l] = rays.slope[first + std::min(l, width - 1)];
    }
}

// A tile of rays of one view on its way through the lines.
template <class T> struct RayTile {
    i64 first, width; // rays in the table; the width may be short
    Span span;
    LineKernel<T> kernel;
    T start[tile], slope[tile], sums[tile];

    RayTile(const Rays<T> &rays, const Lines<T> &lines, i64 first, i64 width)
        : first(first), width(width), kernel(&sum_lines<T>), sums{} {
        take_rays(rays, first, width, start, slope);
        span = lines_met(start, slope, width, lines.length, lines.count);
        if constexpr (sizeof(T) == 4)
            if (auto permuting = joseph::permuting_line_kernel(span.begin, span.end, start, slope))
                kernel = permuting;
    }
    void advance(const Lines<T> &lines, i64 begin, i64 end) {
        begin = std::max(begin, span.begin);
        end = std::min(end, span.end);
        if (begin < end)
            kernel(lines.line(0), lines.stride, begin, end, lines.length, start, slope, sums);
    }
};

// Runs of neighbouring views, tile by tile: their rays cross the same part of a block of lines.
template <class T>
void project_runs(const Lines<T> &lines, const Rays<T> &rays, const Run *begin, const Run *end,
                  View<T, 3> projections, i64 slice) {
    i64 longest = 0;
    for (const Run *run = begin; run < end; ++run)
        longest = std::max(longest, run->count);
    std::vector<RayTile<T>> tiles;
    tiles.reserve(end - begin);
    for (i64 c = 0; c < longest; c += tile) {
        tiles.clear();
        for (const Run *run = begin; run < end; ++run)
            if (c < run->count)
                tiles.emplace_back(rays, lines, run->view * rays.columns + run->first + c,
                                   std::min(tile, run->count - c));
        for (i64 k = 0; k < lines.count; k += block_lines)
            for (RayTile<T> &rays_of_view : tiles)
                rays_of_view.advance(lines, k, k + block_lines);
        for (const RayTile<T> &done : tiles)
            for (i64 l = 0; l < done.width; ++l) {
                const i64 at = done.first + l;
                projections(at / rays.columns, slice, at % rays.columns) =
                    rays.weight[at] * done.sums[l];
            }
    }
}

// Position and the two shares of every ray of a tile at one line.
template <class T>
PYRAD_CLONES void shares(i64 k, T length, const T *start, const T *slope, const T *given,
                         int *whole, T *near, T *far) {
    const T row = static_cast<T>(k);
    for (i64 l = 0; l < tile; ++l) {
        const T at = std::min(std::max(start[l] + row * slope[l], T(0)), length);
        whole[l] = static_cast<int>(at);
        far[l] = (at - whole[l]) * given[l];
        near[l] = given[l] - far[l];
    }
}

// Adds the rays of a run to lines [begin, end).
template <class T>
void spread_run(Lines<T> &lines, const Rays<T> &rays, const Run &run, const T *projection,
                i64 begin, i64 end) {
    const i64 base = run.view * rays.columns;
    for (i64 c = run.first; c < run.first + run.count; c += tile) {
        const i64 width = std::min(tile, run.first + run.count - c);
        T start[tile], slope[tile], given[tile] = {}, near[tile], far[tile];
        int whole[tile];
        take_rays(rays, base + c, width, start, slope);
        for (i64 l = 0; l < width; ++l)
            given[l] = rays.weight[base + c + l] * projection[c + l];
        const Span span = lines_met(start, slope, width, lines.length, lines.count);
        for (i64 k = std::max(begin, span.begin); k < std::min(end, span.end); ++k) {
            shares(k, static_cast<T>(lines.length + 1), start, slope, given, whole, near, far);
            T *line = lines.line(k);
            for (i64 l = 0; l < width; ++l) {
                line[whole[l]] += near[l];
                line[whole[l] + 1] += far[l];
            }
        }
    }
}

template <class T>
void scatter(const Rays<T> &rays, bool steep, View<const T, 3> projections, i64 slice,
             Lines<T> &lines) {
    std::fill(lines.data.begin(), lines.data.end(), T(0));
    parallel_for(lines.count, line_tile, [&](i64 begin, i64 end, int) {
        for (const Run &run : rays.runs[steep]) {
            spread_run(lines, rays, run, &projections(run.view, slice, 0), begin, end);
            poll();
        }
    });
}

// Sums the views into the lines, by gathering where that is possible.
template <class T>
void back(const Rays<T> &rays, bool steep, [[maybe_unused]] joseph::Gather *gather,
          View<const T, 3> projections, i64 slice, Lines<T> &lines) {
    if constexpr (sizeof(T) == 4)
        if (gather)
            return gather->run(rays, projections, slice, lines);
    scatter(rays, steep, projections, slice, lines);
}

template <class T>
std::unique_ptr<joseph::Gather> gather_of(const Rays<T> &rays, bool steep,
                                          View<const double, 2> views, View<const double, 2> pixels,
                                          double pitch_x, double pitch_y) {
    if constexpr (sizeof(T) == 4)
        return joseph::make_gather(rays, steep, views, pixels, pitch_x, pitch_y);
    return nullptr;
}

} // namespace

template <class T>
void project2d(View<const T, 3> image, View<const double, 2> views, View<const double, 2> pixels,
               double pitch_x, double pitch_y, View<T, 3> projections) {
    const i64 ny = image.shape[1], nx = image.shape[2];
    const Rays<T> rays(views, pixels, pitch_x, pitch_y);
    Lines<T> rows(ny, nx), columns(nx, ny);
    for (i64 slice = 0; slice < image.shape[0]; ++slice) {
        parallel_for(ny, line_tile, [&](i64 begin, i64 end, int) {
            for (i64 y = begin; y < end; ++y) {
                std::copy_n(&image(slice, y, 0), nx, rows.line(y) + 1);
                for (i64 x = 0; x < nx; ++x)
                    columns.line(x)[y + 1] = image(slice, y, x);
            }
        });
        for (int steep : {0, 1}) {
            const auto &runs = rays.runs[steep];
            const Lines<T> &lines = steep ? rows : columns;
            parallel_for(static_cast<i64>(runs.size()), views_per_task,
                         [&](i64 begin, i64 end, int) {
                             project_runs(lines, rays, runs.data() + begin, runs.data() + end,
                                          projections, slice);
                         });
        }
    }
}

template <class T>
void backproject2d(View<const T, 3> projections, View<const double, 2> views,
                   View<const double, 2> pixels, double pitch_x, double pitch_y, View<T, 3> image) {
    const i64 ny = image.shape[1], nx = image.shape[2];
    const Rays<T> rays(views, pixels, pitch_x, pitch_y);
    std::unique_ptr<joseph::Gather> gathers[2];
    for (int steep : {0, 1})
        gathers[steep] = gather_of(rays, steep, views, pixels, pitch_x, pitch_y);
    Lines<T> rows(ny, nx), columns(nx, ny);
    for (i64 slice = 0; slice < image.shape[0]; ++slice) {
        for (int steep : {0, 1})
            back(rays, steep, gathers[steep].get(), projections, slice, steep ? rows : columns);
        parallel_for(ny, line_tile, [&](i64 begin, i64 end, int) {
            for (i64 y = begin; y < end; ++y)
                for (i64 x = 0; x < nx; ++x)
                    image(slice, y, x) = rows.line(y)[x + 1] + columns.line(x)[y + 1];
        });
    }
}

template void project2d(View<const float, 3>, View<const double, 2>, View<const double, 2>, double,
                        double, View<float, 3>);
template void project2d(View<const double, 3>, View<const double, 2>, View<const double, 2>, double,
                        double, View<double, 3>);
template void backproject2d(View<const float, 3>, View<const double, 2>, View<const double, 2>,
                            double, double, View<float, 3>);
template void backproject2d(View<const double, 3>, View<const double, 2>, View<const double, 2>,
                            double, double, View<double, 3>);

} // namespace pyrad
