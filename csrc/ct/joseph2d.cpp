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
#include "ct/joseph2d_math.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile = 32;       // rays that advance together
constexpr i64 line_block = 16; // image lines per task of the adjoint
constexpr i64 margin = 2;      // zeros around a line of the image

// Consecutive detector pixels of one view whose rays share the dominant axis.
struct Run {
    i64 view, first, count;
};

// Start (shifted by one, so that the coordinate -1 becomes 0), slope and weight of every ray.
template <class T> struct Rays {
    i64 columns;
    std::vector<T> start, slope, weight;
    std::vector<Run> runs[2]; // [0]: along columns (flat rays), [1]: along rows (steep rays)

    Rays(View<const double, 2> views, View<const double, 2> pixels, double pitch_x, double pitch_y)
        : columns(pixels.shape[0]) {
        const i64 size = checked_product({views.shape[0], columns});
        start.resize(size);
        slope.resize(size);
        weight.resize(size);
        for (i64 v = 0; v < views.shape[0]; ++v) {
            const double *n = &views(v, 0);
            const View2D view{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]};
            for (i64 c = 0; c < columns; ++c) {
                const Ray2D ray = ray2d(view, pixels(c, 0), pixels(c, 1), pitch_x, pitch_y);
                const i64 at = v * columns + c;
                start[at] = static_cast<T>(ray.start + 1);
                slope[at] = static_cast<T>(ray.slope);
                weight[at] = static_cast<T>(ray.weight);
                auto &same = runs[ray.steep];
                if (c > 0 && !same.empty() && same.back().view == v &&
                    same.back().first + same.back().count == c)
                    ++same.back().count;
                else
                    same.push_back({v, c, 1});
            }
        }
    }
};

// Lines of the image with one zero before and `margin` zeros behind each, and their number.
template <class T> struct Lines {
    i64 count, length, stride;
    std::vector<T> data;

    Lines(i64 count, i64 length)
        : count(count), length(length), stride(length + 1 + margin),
          data(checked_product({count, stride})) {}
    T *line(i64 k) { return data.data() + k * stride; }
    const T *line(i64 k) const { return data.data() + k * stride; }
};

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

template <class T>
PYRAD_CLONES void sum_lines(const T *lines, i64 stride, Span span, T length, const T *start,
                            const T *slope, T *sums) {
    T sum[tile] = {};
    for (i64 k = span.begin; k < span.end; ++k) {
        const T *line = lines + k * stride, row = static_cast<T>(k);
        for (i64 l = 0; l < tile; ++l) {
            const T at = std::min(std::max(start[l] + row * slope[l], T(0)), length);
            const int whole = static_cast<int>(at);
            sum[l] += line[whole] + (at - whole) * (line[whole + 1] - line[whole]);
        }
    }
    for (i64 l = 0; l < tile; ++l)
        sums[l] = sum[l];
}

template <class T>
void project_run(const Lines<T> &lines, const Rays<T> &rays, const Run &run, T *projection) {
    const i64 base = run.view * rays.columns;
    for (i64 c = run.first; c < run.first + run.count; c += tile) {
        const i64 width = std::min(tile, run.first + run.count - c);
        T start[tile] = {}, slope[tile] = {}, sums[tile];
        std::copy_n(&rays.start[base + c], width, start);
        std::copy_n(&rays.slope[base + c], width, slope);
        const Span span = lines_met(start, slope, width, lines.length, lines.count);
        sum_lines(lines.data.data(), lines.stride, span, static_cast<T>(lines.length + 1), start,
                  slope, sums);
        for (i64 l = 0; l < width; ++l)
            projection[c + l] = rays.weight[base + c + l] * sums[l];
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
        T start[tile] = {}, slope[tile] = {}, given[tile] = {}, near[tile], far[tile];
        int whole[tile];
        std::copy_n(&rays.start[base + c], width, start);
        std::copy_n(&rays.slope[base + c], width, slope);
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

} // namespace

template <class T>
void project2d(View<const T, 3> image, View<const double, 2> views, View<const double, 2> pixels,
               double pitch_x, double pitch_y, View<T, 3> projections) {
    const i64 ny = image.shape[1], nx = image.shape[2];
    const Rays<T> rays(views, pixels, pitch_x, pitch_y);
    Lines<T> rows(ny, nx), columns(nx, ny);
    for (i64 slice = 0; slice < image.shape[0]; ++slice) {
        parallel_for(ny, line_block, [&](i64 begin, i64 end, int) {
            for (i64 y = begin; y < end; ++y) {
                std::copy_n(&image(slice, y, 0), nx, rows.line(y) + 1);
                for (i64 x = 0; x < nx; ++x)
                    columns.line(x)[y + 1] = image(slice, y, x);
            }
        });
        for (int steep : {0, 1}) {
            const auto &runs = rays.runs[steep];
            const Lines<T> &lines = steep ? rows : columns;
            parallel_for(static_cast<i64>(runs.size()), 1, [&](i64 begin, i64 end, int) {
                for (i64 r = begin; r < end; ++r)
                    project_run(lines, rays, runs[r], &projections(runs[r].view, slice, 0));
            });
        }
    }
}

template <class T>
void backproject2d(View<const T, 3> projections, View<const double, 2> views,
                   View<const double, 2> pixels, double pitch_x, double pitch_y, View<T, 3> image) {
    const i64 ny = image.shape[1], nx = image.shape[2];
    const Rays<T> rays(views, pixels, pitch_x, pitch_y);
    Lines<T> rows(ny, nx), columns(nx, ny);
    for (i64 slice = 0; slice < image.shape[0]; ++slice) {
        for (int steep : {0, 1}) {
            Lines<T> &lines = steep ? rows : columns;
            std::fill(lines.data.begin(), lines.data.end(), T(0));
            parallel_for(lines.count, line_block, [&](i64 begin, i64 end, int) {
                for (const Run &run : rays.runs[steep]) {
                    spread_run(lines, rays, run, &projections(run.view, slice, 0), begin, end);
                    poll();
                }
            });
        }
        parallel_for(ny, line_block, [&](i64 begin, i64 end, int) {
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
