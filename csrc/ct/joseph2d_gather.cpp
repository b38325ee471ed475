// See joseph2d_gather.hpp. The kernels for tiles that fit the registers stand in joseph2d_x86.cpp;
// here are their tables and, for tiles close to the source of a fan, a plain loop.
#include "ct/joseph2d_gather.hpp"

#include "base/pool.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad::joseph {
namespace {

// Weighted rows of one slice between zeros.
struct Given {
    i64 stride;
    std::vector<float> data;

    Given(i64 rows, i64 columns)
        : stride(columns + 2 * sample_pad), data(checked_product({rows, stride})) {}
    float *row(i64 i) { return data.data() + i * stride + sample_pad; }
    void weigh(i64 i, const Rays<float> &rays, const Run &run, const float *projection) {
        const float *weight = &rays.weight[run.view * rays.columns];
        for (i64 c = run.first; c < run.first + run.count; ++c)
            row(i)[c] = weight[c] * projection[c];
    }
};

// Cuts the lines into tiles and hands each to fill(line, pixel, tile).
template <class Fill> void fill_tiles(Lines<float> &lines, Fill &&fill) {
    parallel_for(lines.count, tile_rows, [&](i64 begin, i64 end, int) {
        for (i64 pixel = 0; pixel < lines.length; pixel += tile_columns) {
            alignas(64) float tile[tile_rows * tile_columns] = {};
            fill(begin, pixel, tile);
            const i64 width = std::min(tile_columns, lines.length - pixel);
            for (i64 k = begin; k < end; ++k)
                std::copy_n(tile + (k - begin) * tile_columns, width, lines.line(k) + 1 + pixel);
            poll();
        }
    });
}

// --- parallel rays ------------------------------------------------------------------------------

class ParallelGather final : public Gather {
  public:
    ParallelGather(const Rays<float> &rays, const std::vector<Run> &runs,
                   View<const double, 2> views, View<const double, 2> pixels, double pitch_x,
                   double pitch_y)
        : runs_(runs), given_(static_cast<i64>(runs.size()), rays.columns) {
        const i64 last = rays.columns - 1;
        for (const Run &run : runs_) {
            const View2D view = view_at(views, run.view);
            const Ray2D a = ray2d(view, pixels(0, 0), pixels(0, 1), pitch_x, pitch_y);
            const Ray2D b = ray2d(view, pixels(last, 0), pixels(last, 1), pitch_x, pitch_y);
            first_.push_back(a.start + 1);
            slope_.push_back(a.slope);
            inverse_.push_back(last / (b.start - a.start));
        }
        for (auto *table : {&first_, &slope_, &inverse_})
            table->resize(runs_.size() + ParallelViews::spare, 1.0);
        views_ = {static_cast<i64>(runs_.size()),
                  rays.columns,
                  given_.stride,
                  given_.row(0),
                  first_.data(),
                  slope_.data(),
                  inverse_.data()};
        for (i64 v = 0; v < views_.views; ++v) {
            const ParallelKernel kernel = permuting_parallel_kernel(views_, v);
            usable_ = usable_ && kernel;
            if (parts_.empty() || parts_.back().kernel != kernel)
                parts_.push_back({v, v, kernel});
            parts_.back().end = v + 1;
        }
    }

    bool usable() const { return usable_; }

    void run(const Rays<float> &rays, View<const float, 3> projections, i64 slice,
             Lines<float> &lines) override {
        parallel_for(views_.views, 16, [&](i64 begin, i64 end, int) {
            for (i64 i = begin; i < end; ++i)
                given_.weigh(i, rays, runs_[i], &projections(runs_[i].view, slice, 0));
        });
        fill_tiles(lines, [&](i64 line, i64 pixel, float *tile) {
            for (const Part &part : parts_)
                part.kernel(views_, part.begin, part.end, line, pixel, tile);
        });
    }

  private:
    struct Part {
        i64 begin, end;
        ParallelKernel kernel;
    };
    const std::vector<Run> &runs_;
    Given given_;
    std::vector<double> first_, slope_, inverse_;
    ParallelViews views_;
    std::vector<Part> parts_;
    bool usable_ = true;
};

// Parallel rays at even distances.
bool evenly_parallel(View<const double, 2> views, View<const double, 2> pixels) {
    const i64 columns = pixels.shape[0];
    for (i64 v = 0; v < views.shape[0]; ++v)
        if (views(v, 6) != 0 || views(v, 7) != 0)
            return false;
    const double pitch = (pixels(columns - 1, 1) - pixels(0, 1)) / (columns - 1);
    for (i64 c = 0; c < columns; ++c)
        if (pixels(c, 0) != 1 || std::abs(pixels(c, 1) - pixels(0, 1) - c * pitch) > 1e-6 * pitch)
            return false;
    return pitch > 0;
}

// --- fan ----------------------------------------------------------------------------------------

// Detector of a fan: column = (t - first) / pitch, where t is b / a or atan2(b, a) of the pixel.
struct Detector {
    double first, pitch;
    bool curved, even;
};

Detector detector_of(View<const double, 2> views, View<const double, 2> pixels) {
    const i64 columns = pixels.shape[0];
    Detector found{0, 0, false, true};
    for (i64 v = 0; v < views.shape[0]; ++v)
        if (views(v, 2) != 0 || views(v, 3) != 0)
            found.even = false;
    for (i64 c = 0; c < columns; ++c)
        if (pixels(c, 0) != 1)
            found.curved = true;
    const auto coordinate = [&](i64 c) {
        return found.curved ? std::atan2(pixels(c, 1), pixels(c, 0)) : pixels(c, 1);
    };
    found.first = coordinate(0);
    found.pitch = (coordinate(columns - 1) - found.first) / (columns - 1);
    for (i64 c = 0; c < columns; ++c)
        if (!(std::abs(coordinate(c) - found.first - c * found.pitch) < 1e-5 * found.pitch))
            found.even = false;
    return found;
}

class FanGather final : public Gather {
  public:
    FanGather(const Rays<float> &rays, const std::vector<Run> &runs, bool steep,
              View<const double, 2> views, const Detector &detector)
        : runs_(runs) {
        for (const Run &run : runs_)
            if (view_.empty() || view_.back() != run.view)
                view_.push_back(run.view);
        const i64 count = static_cast<i64>(view_.size()), columns = rays.columns;
        start_ = std::make_unique<Given>(count, columns);
        slope_ = std::make_unique<Given>(count, columns);
        given_ = std::make_unique<Given>(count, columns);
        const i64 step = count + fan::Views::spare;
        coefficients_.resize(6 * step);
        for (i64 i = 0; i < count; ++i) {
            const i64 at = view_[i] * columns;
            std::copy_n(&rays.start[at], columns, start_->row(i));
            std::copy_n(&rays.slope[at], columns, slope_->row(i));
            set_view(view_at(views, view_[i]), steep, i, step);
        }
        const double *c = coefficients_.data();
        const fan::Views view{c, c + step, c + 2 * step, c + 3 * step, c + 4 * step, c + 5 * step};
        views_ = {{count, columns, view, -detector.first / detector.pitch, 1 / detector.pitch, 1,
                   detector.curved},
                  given_->stride,
                  start_->row(0),
                  slope_->row(0),
                  given_->row(0)};
        for (i64 i = 0, r = 0; i < count; ++i) {
            Reach reach{columns, 0};
            for (; r < static_cast<i64>(runs_.size()) && runs_[r].view == view_[i]; ++r) {
                row_of_run_.push_back(i);
                reach.first = std::min(reach.first, runs_[r].first);
                reach.last = std::max(reach.last, runs_[r].first + runs_[r].count - 1);
            }
            reach_.push_back(reach);
        }
    }

    void run(const Rays<float> &rays, View<const float, 3> projections, i64 slice,
             Lines<float> &lines) override {
        for (size_t r = 0; r < runs_.size(); ++r)
            given_->weigh(row_of_run_[r], rays, runs_[r], &projections(runs_[r].view, slice, 0));
        fill_tiles(lines, [&](i64 line, i64 pixel, float *tile) { add_all(line, pixel, tile); });
    }

  private:
    struct Reach {
        i64 first, last; // columns whose rays advance along this axis
    };

    // across and along (in the units of a and b) of the sample x of line y.
    void set_view(const View2D &n, bool steep, i64 i, i64 step) {
        const double area = n.ray_x * n.ray_step_y - n.ray_y * n.ray_step_x;
        const double ax = -n.ray_y / area, ay = n.ray_x / area;
        const double bx = n.ray_step_y / area, by = -n.ray_step_x / area;
        const double table[6] = {
            steep ? ax : ay, steep ? ay : ax, -(ax * n.origin_x + ay * n.origin_y),
            steep ? bx : by, steep ? by : bx, -(bx * n.origin_x + by * n.origin_y)};
        for (int k = 0; k < 6; ++k)
            coefficients_[k * step + i] = table[k];
    }

    // Whether any ray of the view along this axis can meet the tile.
    bool meets(i64 i, i64 line, i64 pixel) const {
        const fan::Views &n = views_.beam.view;
        if (reach_[i].first == 0 && reach_[i].last == views_.beam.columns - 1)
            return true;
        double low = 1e30, high = -1e30;
        for (const i64 x : {pixel - 1, pixel + tile_columns})
            for (const i64 y : {line, line + tile_rows - 1}) {
                const double across = n.across_x[i] * x + n.across_y[i] * y + n.across_0[i];
                const double along = n.along_x[i] * x + n.along_y[i] * y + n.along_0[i];
                if (!(along > 0))
                    return true;
                low = std::min(low, across / along);
                high = std::max(high, across / along);
            }
        const auto tangent = [&](i64 c) {
            const double t = (c - views_.beam.centre) / views_.beam.magnify;
            return views_.beam.curved ? std::tan(t) : t;
        };
        return high >= tangent(reach_[i].first) && low <= tangent(reach_[i].last);
    }

    // Views in order, in runs that take the same kernel.
    void add_all(i64 line, i64 pixel, float *tile) const {
        const i64 count = views_.beam.views;
        for (i64 v = 0; v < count;) {
            if (!meets(v, line, pixel)) {
                ++v;
                continue;
            }
            const FanKernel kernel = permuting_fan_kernel(views_, v, line, pixel);
            if (!kernel) {
                add_plain(v++, line, pixel, tile);
                continue;
            }
            i64 end = v + 1;
            while (end < count && meets(end, line, pixel) &&
                   permuting_fan_kernel(views_, end, line, pixel) == kernel)
                ++end;
            kernel(views_, v, end, line, pixel, tile);
            v = end;
        }
    }

    // Column of the point (x, y); false behind the source.
    bool column_at(i64 v, i64 x, i64 y, double &column) const {
        const fan::Beam &beam = views_.beam;
        const fan::Views &n = beam.view;
        const double across = n.across_x[v] * x + n.across_y[v] * y + n.across_0[v];
        const double along = n.along_x[v] * x + n.along_y[v] * y + n.along_0[v];
        const double ratio = across / along;
        column = beam.centre + beam.magnify * (beam.curved ? std::atan(ratio) : ratio);
        return along > 0;
    }

    // One view by the same formula: the rays between the columns of both neighbouring samples.
    void add_plain(i64 v, i64 line, i64 pixel, float *tile) const {
        const float *start = views_.start + v * views_.stride;
        const float *slope = views_.slope + v * views_.stride;
        const float *given = views_.given + v * views_.stride;
        const double first = static_cast<double>(reach_[v].first);
        const double last = static_cast<double>(reach_[v].last);
        for (i64 y = line; y < line + tile_rows; ++y)
            for (i64 x = pixel; x < pixel + tile_columns; ++x, ++tile) {
                double one, other;
                if (!column_at(v, x - 1, y, one) || !column_at(v, x + 1, y, other))
                    one = first, other = last;
                const double low = std::clamp(std::min(one, other) - 1e-3, first, last + 1);
                const double high = std::clamp(std::max(one, other) + 1e-3, first - 1, last);
                for (i64 c = static_cast<i64>(std::ceil(low)); c <= high; ++c) {
                    const float where = start[c] + static_cast<float>(y) * slope[c];
                    const float share = 1.0f - std::abs(where - static_cast<float>(x + 1));
                    *tile += std::max(share, 0.0f) * given[c];
                }
            }
    }

    const std::vector<Run> &runs_;
    std::vector<i64> view_, row_of_run_;
    std::vector<Reach> reach_;
    std::unique_ptr<Given> start_, slope_, given_;
    std::vector<double> coefficients_;
    FanViews views_;
};

} // namespace

std::unique_ptr<Gather> make_gather(const Rays<float> &rays, bool steep,
                                    View<const double, 2> views, View<const double, 2> pixels,
                                    double pitch_x, double pitch_y) {
    if (!can_permute() || rays.columns < 2)
        return nullptr;
    if (evenly_parallel(views, pixels)) {
        auto gather = std::make_unique<ParallelGather>(rays, rays.runs[steep], views, pixels,
                                                       pitch_x, pitch_y);
        return gather->usable() ? std::move(gather) : nullptr;
    }
    const Detector detector = detector_of(views, pixels);
    if (!detector.even)
        return nullptr;
    return std::make_unique<FanGather>(rays, rays.runs[steep], steep, views, detector);
}

} // namespace pyrad::joseph
