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
#include "ct/joseph2d_tiles.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

using joseph::line_margin;
using joseph::line_tile;
using joseph::pixel_tile;
constexpr i64 tile = joseph::ray_tile;

// Consecutive detector pixels of one view whose rays share the dominant axis.
struct Run {
    i64 view, first, count;
};

View2D view_at(View<const double, 2> views, i64 v) {
    const double *n = &views(v, 0);
    return {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]};
}

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
            const View2D view = view_at(views, v);
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

// Lines of the image between zeros; line(k) is position 0, the samples are 1 .. length.
template <class T> struct Lines {
    i64 count, length, stride;
    std::vector<T> data;

    Lines(i64 count, i64 length)
        : count(count), length(length), stride(length + 2 + 2 * line_margin),
          data(checked_product({count, stride})) {}
    T *line(i64 k) { return data.data() + k * stride + line_margin; }
    const T *line(i64 k) const { return data.data() + k * stride + line_margin; }
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

// The portable loop, and the oracle of the permuting one.
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

// Copies a tile of rays; spare lanes repeat the last ray.
template <class T> void take_rays(const Rays<T> &rays, i64 first, i64 width, T *start, T *slope) {
    for (i64 l = 0; l < tile; ++l) {
        start[l] = rays.start[first + std::min(l, width - 1)];
        slope[l] = rays.slope[first + std::min(l, width - 1)];
    }
}

template <class T>
void project_run(const Lines<T> &lines, const Rays<T> &rays, const Run &run, T *projection) {
    const i64 base = run.view * rays.columns;
    for (i64 c = run.first; c < run.first + run.count; c += tile) {
        const i64 width = std::min(tile, run.first + run.count - c);
        T start[tile], slope[tile], sums[tile];
        take_rays(rays, base + c, width, start, slope);
        const Span span = lines_met(start, slope, width, lines.length, lines.count);
        bool done = false;
        if constexpr (sizeof(T) == 4)
            done = joseph::sum_lines_permuting(lines.line(0), lines.stride, span.begin, span.end,
                                               lines.length, start, slope, sums);
        if (!done)
            sum_lines(lines.line(0), lines.stride, span, static_cast<T>(lines.length + 1), start,
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

// The views of a parallel scan that advance along one axis, laid out for the permuting adjoint.
struct ParallelRows {
    std::vector<i64> view;
    std::vector<float> start, given, slope;
    std::vector<double> first, inverse;
    i64 columns, stride;

    ParallelRows(const Rays<float> &rays, bool steep, View<const double, 2> views,
                 View<const double, 2> pixels, double pitch_x, double pitch_y)
        : columns(rays.columns), stride(columns + 2 * line_margin) {
        for (const Run &run : rays.runs[steep]) {
            const i64 v = run.view;
            const auto ray = [&](i64 c) {
                return ray2d(view_at(views, v), pixels(c, 0), pixels(c, 1), pitch_x, pitch_y);
            };
            view.push_back(v);
            slope.push_back(rays.slope[v * columns]);
            first.push_back(ray(0).start + 1);
            inverse.push_back((columns - 1) / (ray(columns - 1).start - ray(0).start));
        }
        start.resize(checked_product({static_cast<i64>(view.size()), stride}));
        given.resize(start.size());
        for (size_t i = 0; i < view.size(); ++i)
            std::copy_n(&rays.start[view[i] * columns], columns, &start[i * stride + line_margin]);
    }

    void weigh(const Rays<float> &rays, View<const float, 3> projections, i64 slice) {
        parallel_for(static_cast<i64>(view.size()), 16, [&](i64 begin, i64 end, int) {
            for (i64 i = begin; i < end; ++i) {
                const float *weight = &rays.weight[view[i] * columns];
                const float *row = &projections(view[i], slice, 0);
                float *out = &given[i * stride + line_margin];
                for (i64 c = 0; c < columns; ++c)
                    out[c] = weight[c] * row[c];
            }
        });
    }

    joseph::ParallelViews table() const {
        return {
            static_cast<i64>(view.size()), columns,      stride,       start.data() + line_margin,
            given.data() + line_margin,    slope.data(), first.data(), inverse.data()};
    }
};

// Fills all lines with the sums over the views, 16 lines by 64 pixels at a time.
void gather(const joseph::ParallelViews &views, Lines<float> &lines) {
    parallel_for(lines.count, line_tile, [&](i64 begin, i64 end, int) {
        for (i64 pixel = 0; pixel < lines.length; pixel += pixel_tile) {
            alignas(64) float sums[line_tile * pixel_tile] = {};
            joseph::add_views_permuting(views, begin, pixel, sums);
            const i64 width = std::min(pixel_tile, lines.length - pixel);
            for (i64 k = begin; k < end; ++k)
                std::copy_n(sums + (k - begin) * pixel_tile, width, lines.line(k) + 1 + pixel);
            poll();
        }
    });
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

// Parallel rays at even distances: what the permuting adjoint takes.
bool evenly_parallel(View<const double, 2> views, View<const double, 2> pixels) {
    const i64 columns = pixels.shape[0];
    if (columns < 2)
        return false;
    for (i64 v = 0; v < views.shape[0]; ++v)
        if (views(v, 6) != 0 || views(v, 7) != 0)
            return false;
    const double pitch = (pixels(columns - 1, 1) - pixels(0, 1)) / (columns - 1);
    for (i64 c = 0; c < columns; ++c)
        if (pixels(c, 0) != 1 || std::abs(pixels(c, 1) - pixels(0, 1) - c * pitch) > 1e-6 * pitch)
            return false;
    return true;
}

// The permuting adjoint of both axes, or nothing where it cannot serve.
template <class T> struct Gathering {
    Gathering(const Rays<T> &, View<const double, 2>, View<const double, 2>, double, double) {}
    bool run(const Rays<T> &, bool, View<const T, 3>, i64, Lines<T> &) { return false; }
};
template <> struct Gathering<float> {
    std::vector<ParallelRows> rows; // [steep]
    bool usable[2] = {false, false};

    Gathering(const Rays<float> &rays, View<const double, 2> views, View<const double, 2> pixels,
              double pitch_x, double pitch_y) {
        if (!evenly_parallel(views, pixels))
            return;
        for (int steep : {0, 1}) {
            rows.emplace_back(rays, steep, views, pixels, pitch_x, pitch_y);
            usable[steep] = joseph::can_permute(rows[steep].table());
        }
    }
    bool run(const Rays<float> &rays, bool steep, View<const float, 3> projections, i64 slice,
             Lines<float> &lines) {
        if (!usable[steep])
            return false;
        rows[steep].weigh(rays, projections, slice);
        gather(rows[steep].table(), lines);
        return true;
    }
};

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
            parallel_for(static_cast<i64>(runs.size()), 4, [&](i64 begin, i64 end, int) {
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
    Gathering<T> gathering(rays, views, pixels, pitch_x, pitch_y);
    Lines<T> rows(ny, nx), columns(nx, ny);
    for (i64 slice = 0; slice < image.shape[0]; ++slice) {
        for (int steep : {0, 1}) {
            Lines<T> &lines = steep ? rows : columns;
            if (!gathering.run(rays, steep, projections, slice, lines))
                scatter(rays, steep, projections, slice, lines);
        }
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
