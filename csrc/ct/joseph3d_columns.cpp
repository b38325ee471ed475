#include "ct/joseph3d_columns.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/joseph3d_tiles.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pyrad::joseph {
namespace {

constexpr i64 plane_block = 16;  // planes whose blended lines are kept at a time
constexpr i64 column_group = 16; // columns of a tile of the projection
constexpr i64 view_group = 8;    // views of such a tile: they cross the same part of the volume
constexpr i64 slab_planes = 4, slab_lines = 64; // tile of the volume in the adjoint
constexpr i64 chunk_bytes = 8 << 20;            // of transposed projections at a time
constexpr i64 sums_bytes = 256 << 10;

i64 round_up(i64 size, i64 step) { return (size + step - 1) / step * step; }

// One detector column of one view; rows count so that z grows with them.
template <class T> struct Column {
    i64 index;                                 // on the detector
    i64 begin, end;                            // planes where the column's rays may meet the volume
    T start, slope;                            // line at plane k: start + k * slope
    double base, base_slope, step, step_slope; // position of row 0, and from row to row

    T line_at(i64 k) const { return start + static_cast<T>(k) * slope; }
    T base_at(i64 k) const { return static_cast<T>(base + static_cast<double>(k) * base_slope); }
    T step_at(i64 k) const { return static_cast<T>(step + static_cast<double>(k) * step_slope); }
};

// One view with its rows turned so that z grows with them.
struct RowView {
    View3D view;
    Scan3D scan; // of the turned rows
    bool turned;

    RowView(const View3D &view, const Scan3D &given, i64 rows)
        : view(view), scan(given),
          turned((view.origin_v[2] + view.ray_v[2]) * given.row_pitch < 0) {
        if (turned) {
            scan.first_row += static_cast<double>(rows - 1) * given.row_pitch;
            scan.row_pitch = -given.row_pitch;
        }
    }
    i64 row(i64 r, i64 rows) const { return turned ? rows - 1 - r : r; }
};

// The column's path, or false if its rays have another dominant axis.
template <class T>
bool take_column(const RowView &rows, double a, double b, const Planes<T> &planes,
                 Column<T> &column) {
    const Path3D path = path3d(rows.view, rows.scan, a, b);
    if (path.axis != planes.axis)
        return false;
    column.start = static_cast<T>(path.start);
    column.slope = static_cast<T>(path.slope);
    column.base = path.base;
    column.base_slope = path.base_slope;
    column.step = path.step;
    column.step_slope = path.step_slope;
    const PlaneRange range = planes_met(path.start, path.slope, static_cast<double>(planes.lines),
                                        in_front(path.from, path.to, planes.count));
    column.begin = range.begin;
    column.end = range.end;
    return true;
}

// z of the direction of a column's rays: level + w * rise, at the detector's own rows.
struct Rise {
    double first_row, row_pitch, level, rise, pitch;
};

// weight[r] = sqrt(flat + z^2) / along for row first + r * turn; 0 where z is the dominant axis.
template <class T>
PYRAD_CLONES void weigh_lengths(const Rise &rise, double along, double flat, i64 first, i64 turn,
                                i64 count, T *weight) {
    for (i64 r = 0; r < count; ++r) {
        const double w = rise.first_row + static_cast<double>(first + r * turn) * rise.row_pitch;
        const double dz = rise.level + w * rise.rise, z = dz * rise.pitch;
        const double length = std::sqrt(flat + z * z) / along;
        weight[r] = static_cast<T>(size_of(dz) > along ? 0.0 : length);
    }
}

// Length in mm between two planes for every row of a column.
template <class T>
void weigh_rows(const RowView &rows, double a, double b, const Scan3D &scan, int axis, i64 count,
                T *weight) {
    const View3D &view = rows.view;
    const double dx = direction_at(view, 0, a, b, 0), dy = direction_at(view, 1, a, b, 0);
    const double x = dx * scan.pitch[0], y = dy * scan.pitch[1];
    const Rise rise = {scan.first_row, scan.row_pitch, a * view.ray[2] + b * view.ray_u[2],
                       view.ray_v[2], scan.pitch[2]};
    weigh_lengths(rise, size_of(axis == 0 ? dx : dy), x * x + y * y, rows.row(0, count),
                  i64(rows.turned ? -1 : 1), count, weight);
}

// Rows [first, last) that any of the planes shows within the volume's (0, length + 1).
struct RowRange {
    i64 first, last;
};
template <class T>
RowRange rows_met(const Column<T> &column, i64 begin, i64 end, i64 length, i64 count) {
    double low = static_cast<double>(count), high = 0;
    for (const i64 k : {begin, end - 1}) { // the bounds are monotonic in k
        const double base = static_cast<double>(column.base_at(k));
        const double step = static_cast<double>(column.step_at(k));
        if (!(step > 1e-9))
            return {0, count};
        low = std::min(low, -base / step - 1e-2);
        high = std::max(high, (static_cast<double>(length + 1) - base) / step + 1e-2);
    }
    const double n = static_cast<double>(count);
    return {static_cast<i64>(std::floor(std::clamp(low, 0.0, n))),
            static_cast<i64>(std::ceil(std::clamp(high, 0.0, n)))};
}

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

// Adds `rows` with linear weights to g, whose element p belongs to position p.
template <class T>
void spread_rows(const T *rows, RowRange range, T base, T step, i64 length, T *g) {
    const T end = static_cast<T>(length + 1);
    for (i64 r = range.first; r < range.last; ++r) {
        const T at = std::min(std::max(base + static_cast<T>(r) * step, T(0)), end);
        const int whole = static_cast<int>(at);
        const T far = (at - whole) * rows[r];
        g[whole] += rows[r] - far;
        g[whole + 1] += far;
    }
}

template <class T> PYRAD_CLONES void add_scaled(const T *g, T share, i64 from, i64 to, T *line) {
    for (i64 s = from; s < to; ++s)
        line[s] += share * g[s];
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

// All columns [first, last) of one view that run along the planes' axis.
template <class T>
std::vector<Column<T>> take_columns(const RowView &rows, View<const double, 2> columns,
                                    const Planes<T> &planes, i64 first, i64 last) {
    std::vector<Column<T>> taken;
    for (i64 c = first; c < last; ++c) {
        Column<T> column;
        column.index = c;
        if (take_column(rows, columns(c, 0), columns(c, 1), planes, column))
            taken.push_back(column);
    }
    return taken;
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

// Views of a chunk of the adjoint: columns along one axis, their rows weighted and contiguous.
template <class T> struct Chunk {
    i64 rows, stride;
    std::vector<Column<T>> columns; // by view, then by column
    Aligned<T> values;

    static i64 row_stride(i64 rows) { return round_up(rows + 2 * row_margin, 16); }
    Chunk(i64 rows, i64 most) : rows(rows), stride(row_stride(rows)), values(most * stride) {
        std::fill_n(values.get(), most * stride, T(0));
    }
    T *line(i64 i) const { return values.get() + i * stride + row_margin; }

    void fill(View<const T, 3> projections, const i64 *which, i64 count,
              View<const double, 2> views, View<const double, 2> detector, const Scan3D &scan,
              const Planes<T> &planes) {
        columns.clear();
        std::vector<RowView> turned;
        std::vector<i64> first{0};
        for (i64 i = 0; i < count; ++i) {
            turned.emplace_back(load_view3d(&views(which[i], 0)), scan, rows);
            const auto taken = take_columns(turned.back(), detector, planes, 0, detector.shape[0]);
            columns.insert(columns.end(), taken.begin(), taken.end());
            first.push_back(static_cast<i64>(columns.size()));
        }
        const i64 groups = (detector.shape[0] + column_group - 1) / column_group;
        parallel_for(count * groups, 1, [&](i64 begin, i64 end, int) {
            for (i64 t = begin; t < end; ++t) {
                const i64 i = t / groups, from = first[i] + t % groups * column_group;
                weigh_group(projections, which[i], turned[i], detector, scan, planes.axis, from,
                            std::min(first[i + 1], from + column_group));
            }
        });
    }

  private:
    void weigh_group(View<const T, 3> projections, i64 v, const RowView &turned,
                     View<const double, 2> detector, const Scan3D &scan, int axis, i64 from,
                     i64 to) {
        for (i64 i = from; i < to; ++i) {
            const i64 c = columns[i].index;
            weigh_rows(turned, detector(c, 0), detector(c, 1), scan, axis, rows, line(i));
        }
        for (i64 r = 0; r < rows; ++r) {
            const T *in = &projections(v, turned.row(r, rows), 0);
            for (i64 i = from; i < to; ++i)
                line(i)[r] *= in[columns[i].index];
        }
    }
};

// One column's rows spread to plane k; lines outside [first, last) belong to other tiles.
template <class T>
void spread_column(const Planes<T> &planes, const Column<T> &column, const T *values, i64 rows,
                   i64 k, i64 first, i64 last, T *g) {
    const T at = std::clamp(column.line_at(k), T(0), static_cast<T>(planes.lines + 1));
    const i64 whole = static_cast<i64>(at); // positions: line `whole` and the next one
    if (whole + 1 < first || whole >= last)
        return;
    const T far = at - static_cast<T>(whole), near = T(1) - far;
    T *line_near = whole >= first ? planes.line(k, whole) : nullptr;
    T *line_far = whole + 1 < last ? planes.line(k, whole + 1) : nullptr;
    const T base = column.base_at(k), step = column.step_at(k);
    if constexpr (sizeof(T) == 4)
        if (spread_rows_permuting(values, rows, base, step, planes.length, near, far, line_near,
                                  line_far))
            return;
    const RowRange range = rows_met(column, k, k + 1, planes.length, rows);
    if (range.first >= range.last)
        return;
    const T end = static_cast<T>(planes.length);
    const auto sample = [&](i64 r) {
        return std::clamp(base + static_cast<T>(r) * step, T(0), end);
    };
    const i64 from = std::max<i64>(0, static_cast<i64>(sample(range.first)) - 1);
    const i64 to = std::min(planes.length, static_cast<i64>(sample(range.last)) + 2);
    std::fill_n(g, planes.length + 3, T(0));
    spread_rows(values, range, base, step, planes.length, g);
    if (line_near)
        add_scaled(g + 1, near, from, to, line_near);
    if (line_far)
        add_scaled(g + 1, far, from, to, line_far);
}

// Adds a chunk of views to the lines [first, last) (positions) of planes [begin, end).
template <class T>
void spread_tile(const Chunk<T> &chunk, const Planes<T> &planes, i64 begin, i64 end, i64 first,
                 i64 last, T *g) {
    for (size_t i = 0; i < chunk.columns.size(); ++i) {
        const Column<T> &column = chunk.columns[i];
        const T one = column.line_at(begin), other = column.line_at(end - 1);
        if (std::max(one, other) + 2 < static_cast<T>(first) ||
            std::min(one, other) - 2 > static_cast<T>(last))
            continue;
        for (i64 k = std::max(begin, column.begin); k < std::min(end, column.end); ++k)
            spread_column(planes, column, chunk.line(static_cast<i64>(i)), chunk.rows, k, first,
                          last, g);
        if (i % 64 == 0)
            poll();
    }
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

template <class T>
void backproject_columns(View<const T, 3> projections, const std::vector<i64> &which,
                         View<const double, 2> views, View<const double, 2> columns,
                         const Scan3D &scan, Planes<T> &planes) {
    const i64 rows = projections.shape[1], count = static_cast<i64>(which.size());
    const i64 per_view =
        columns.shape[0] * Chunk<T>::row_stride(rows) * static_cast<i64>(sizeof(T));
    const i64 together = std::clamp(chunk_bytes / per_view, i64(1), std::max(count, i64(1)));
    Chunk<T> chunk(rows, together * columns.shape[0]);
    const i64 slabs = (planes.count + slab_planes - 1) / slab_planes;
    const i64 blocks = (planes.lines + slab_lines - 1) / slab_lines;
    std::vector<std::vector<T>> g(max_workers());
    for (i64 v = 0; v < count; v += together) {
        chunk.fill(projections, which.data() + v, std::min(together, count - v), views, columns,
                   scan, planes);
        parallel_for(slabs * blocks, 1, [&](i64 begin, i64 end, int worker) {
            g[worker].resize(planes.length + 3);
            for (i64 tile = begin; tile < end; ++tile) {
                const i64 k = tile / blocks * slab_planes, l = tile % blocks * slab_lines + 1;
                spread_tile(chunk, planes, k, std::min(planes.count, k + slab_planes), l,
                            std::min(planes.lines + 1, l + slab_lines), g[worker].data());
            }
        });
    }
}

#define PYRAD_INSTANCE(T)                                                                          \
    template void project_columns(const Planes<T> &, const std::vector<i64> &,                     \
                                  View<const double, 2>, View<const double, 2>, const Scan3D &,    \
                                  View<T, 3>);                                                     \
    template void backproject_columns(View<const T, 3>, const std::vector<i64> &,                  \
                                      View<const double, 2>, View<const double, 2>,                \
                                      const Scan3D &, Planes<T> &);
PYRAD_INSTANCE(float)
PYRAD_INSTANCE(double)

} // namespace pyrad::joseph
