// Tables of joseph2d.cpp: the rays of a scan and padded lines of the image.
//
// Positions along a line of the image are counted so that 0 lies one sample before the line and
// 1 .. length are its samples; `line_margin` zeros lie on both sides.
#pragma once

#include "base/view.hpp"
#include "ct/joseph2d_math.hpp"

#include <vector>

namespace pyrad::joseph {

constexpr i64 ray_tile = 32;    // rays that advance together in the projection
constexpr i64 line_margin = 40; // zeros before position 0 and behind position length + 1
constexpr i64 line_tile = 16;   // lines of a task

// Consecutive detector pixels of one view whose rays share the dominant axis.
struct Run {
    i64 view, first, count;
};

inline View2D view_at(View<const double, 2> views, i64 v) {
    const double *n = &views(v, 0);
    return {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]};
}

// Start, slope and weight of every ray: at line k it crosses at start + k * slope.
template <class T> struct Rays {
    i64 views, columns;
    std::vector<T> start, slope, weight;
    std::vector<Run> runs[2]; // [0]: along columns (flat rays), [1]: along rows (steep rays)

    Rays(View<const double, 2> table, View<const double, 2> pixels, double pitch_x, double pitch_y)
        : views(table.shape[0]), columns(pixels.shape[0]) {
        const i64 size = checked_product({views, columns});
        start.resize(size);
        slope.resize(size);
        weight.resize(size);
        for (i64 v = 0; v < views; ++v) {
            const View2D view = view_at(table, v);
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

} // namespace pyrad::joseph
