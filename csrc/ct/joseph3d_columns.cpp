#include "ct/joseph3d_columns.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/joseph3d_path.hpp"
#include "ct/joseph3d_tiles.hpp"

#include <limits>

namespace pyrad::joseph {
namespace {

constexpr i64 plane_block = 16; // planes whose blended lines are kept at a time
constexpr i64 view_group = 8;   // views of a tile: they cross the same part of the volume
constexpr i64 sums_bytes = 256 << 10;

// A column at the planes of a block: line, position of row 0 and from row to row.
template <class T> struct Crossings {
    T line[plane_block], base[plane_block], step[plane_block];
};
template <class T>
PYRAD_CLONES void cross_planes(const Column<T> &column, i64 begin, i64 count, T line_end,
                               Crossings<T> &out) {
    for (i64 i = 0; i < count; ++i) {
        out.line[i] = std::min(std::max(column.line_at(begin + i), T(0)), line_end);
        out.base[i] = column.base_at(begin + i);
        out.step[i] = column.step_at(begin + i);
    }
}

// Two lines of a plane, and the share of the second one.
template <class T> struct Blend {
    const T *near, *far;
    T share;
};
template <class T>
PYRAD_CLONES void blend_lines(const Blend<T> *blends, i64 count, i64 from, i64 to, T *out,
                              i64 stride) {
    for (i64 i = 0; i < count; ++i, out += stride) {
        const T *near = blends[i].near, *far = blends[i].far;
        const T share = blends[i].share, rest = T(1) - share;
        for (i64 s = from; s < to; ++s)
            out[s] = rest * near[s] + share * far[s];
    }
}

// The portable loop, and the oracle of the permuting one.
template <class T>
PYRAD_CLONES void sum_rows(const T *lines, i64 stride, i64 length, i64 count, const T *base,
                           const T *step, i64 first, i64 last, T *sums) {
    const T end = static_cast<T>(length + 1);
    for (i64 k = 0; k < count; ++k) {
        const T *line = lines + k * stride;
        for (i64 r = first; r < last; ++r) {
            const T at = std::min(std::max(base[k] + static_cast<T>(r) * step[k], T(0)), end);
            const int whole = static_cast<int>(at);
            sums[r] += line[whole] + (at - whole) * (line[whole + 1] - line[whole]);
        }
    }
}

// Scratch of one worker of the projection.
template <class T> struct ForwardScratch {
    i64 line_stride, sums_stride;
    Aligned<T> lines, sums, weights;

    ForwardScratch(const Planes<T> &planes, i64 rows, i64 views)
        : line_stride(planes.line_stride + 2 * z_margin), sums_stride(round_up(rows, row_group)),
          lines(plane_block * line_stride), sums(views * column_group * sums_stride),
          weights(column_group * sums_stride) {
        std::fill_n(lines.get(), plane_block * line_stride, T(0));
    }
};

// One column through a block of planes.
template <class T>
void project_block(const Planes<T> &planes, const Column<T> &column, i64 begin, i64 end, i64 rows,
                   ForwardScratch<T> &scratch, T *sums) {
    RowRange range = rows_met(column, begin, end, planes.length, rows);
    if (range.first >= range.last)
        return;
    range = {range.first / row_group * row_group, round_up(range.last, row_group)};
    const i64 count = end - begin;
    Crossings<T> at;
    Blend<T> blends[plane_block];
    cross_planes(column, begin, count, static_cast<T>(planes.lines + 1), at);
    T low = std::numeric_limits<T>::max(), high = 0; // positions are linear in the plane
    for (const i64 i : {i64(0), count - 1}) {
        low = std::min(low, at.base[i] + static_cast<T>(range.first) * at.step[i]);
        high = std::max(high, at.base[i] + static_cast<T>(range.last) * at.step[i]);
    }
    for (i64 i = 0; i < count; ++i) {
        const i64 whole = static_cast<i64>(at.line[i]);
        const T *near = planes.line(begin + i, whole);
        blends[i] = {near, near + planes.line_stride, at.line[i] - static_cast<T>(whole)};
    }
    const T length = static_cast<T>(planes.length);
    const i64 from = static_cast<i64>(std::clamp(low - 2, T(0), length)) / 16 * 16;
    const i64 to = round_up(static_cast<i64>(std::clamp(high + 2, T(0), length)), 16);
    blend_lines(blends, count, from, to, scratch.lines.get() + z_margin, scratch.line_stride);
    const T *lines = scratch.lines.get() + z_margin - 1;
    bool done = false;
    if constexpr (sizeof(T) == 4)
        done = sum_rows_permuting(lines, scratch.line_stride, planes.length,
                                  {count, at.base, at.step}, range.first, range.last, sums);
    if (!done)
        sum_rows(lines, scratch.line_stride, planes.length, count, at.base, at.step, range.first,
                 range.last, sums);
}

// A tile's sums times the weights, turned back to the detector's order.
template <class T>
void write_columns(const RowView &rows, const std::vector<Column<T>> &taken,
                   View<const double, 2> columns, const Scan3D &scan, int axis, i64 v,
                   ForwardScratch<T> &scratch, const T *sums, View<T, 3> projections) {
    const i64 count = projections.shape[1], stride = scratch.sums_stride;
    T *weights = scratch.weights.get();
    for (size_t i = 0; i < taken.size(); ++i) {
        const i64 c = taken[i].index;
        weigh_rows(rows, columns(c, 0), columns(c, 1), scan, axis, count, weights + i * stride);
    }
    for (i64 r = 0; r < count; ++r) {
        T *out = &projections(v, rows.row(r, count), 0);
        for (size_t i = 0; i < taken.size(); ++i)
            out[taken[i].index] += weights[i * stride + r] * sums[i * stride + r];
    }
}

template <class T>
void project_tile(const Planes<T> &planes, const i64 *which, i64 views_here, i64 first, i64 last,
                  View<const double, 2> views, View<const double, 2> columns, const Scan3D &scan,
                  ForwardScratch<T> &scratch, View<T, 3> projections) {
    const i64 rows = projections.shape[1], stride = scratch.sums_stride;
    std::vector<RowView> turned;
    std::vector<std::vector<Column<T>>> taken;
    for (i64 i = 0; i < views_here; ++i) {
        turned.emplace_back(load_view3d(&views(which[i], 0)), scan, rows);
        taken.push_back(take_columns(turned.back(), columns, planes, first, last));
    }
    std::fill_n(scratch.sums.get(), views_here * column_group * stride, T(0));
    for (i64 k = 0; k < planes.count; k += plane_block) {
        for (i64 i = 0; i < views_here; ++i)
            for (size_t j = 0; j < taken[i].size(); ++j) {
                const Column<T> &column = taken[i][j];
                const i64 begin = std::max(k, column.begin);
                const i64 end = std::min(k + plane_block, column.end);
                if (begin < end)
                    project_block(planes, column, begin, end, rows, scratch,
                                  scratch.sums.get() +
                                      (i * column_group + static_cast<i64>(j)) * stride);
            }
        poll();
    }
    for (i64 i = 0; i < views_here; ++i)
        if (!taken[i].empty())
            write_columns(turned[i], taken[i], columns, scan, planes.axis, which[i], scratch,
                          scratch.sums.get() + i * column_group * stride, projections);
}

} // namespace

template <class T>
void project_columns(const Planes<T> &planes, const std::vector<i64> &which,
                     View<const double, 2> views, View<const double, 2> columns, const Scan3D &scan,
                     View<T, 3> projections) {
    const i64 rows = projections.shape[1], count = static_cast<i64>(which.size());
    const i64 per_view = column_group * round_up(rows, row_group) * static_cast<i64>(sizeof(T));
    const i64 together = std::clamp(sums_bytes / per_view, i64(1), view_group);
    const i64 groups = (columns.shape[0] + column_group - 1) / column_group;
    std::vector<std::unique_ptr<ForwardScratch<T>>> scratch(max_workers());
    parallel_for(
        (count + together - 1) / together * groups, 1, [&](i64 begin, i64 end, int worker) {
            if (!scratch[worker])
                scratch[worker] = std::make_unique<ForwardScratch<T>>(planes, rows, together);
            for (i64 tile = begin; tile < end; ++tile) {
                const i64 v = tile / groups * together, c = tile % groups * column_group;
                project_tile(planes, which.data() + v, std::min(together, count - v), c,
                             std::min(columns.shape[0], c + column_group), views, columns, scan,
                             *scratch[worker], projections);
            }
        });
}

#define PYRAD_INSTANCE(T)                                                                          \
    template void project_columns(const Planes<T> &, const std::vector<i64> &,                     \
                                  View<const double, 2>, View<const double, 2>, const Scan3D &,    \
                                  View<T, 3>);
PYRAD_INSTANCE(float)
PYRAD_INSTANCE(double)

} // namespace pyrad::joseph
