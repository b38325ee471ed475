// The adjoint of joseph3d_columns.cpp: the volume's planes are cut into tiles of lines, every tile
// takes the columns of a chunk of views in order.
#include "ct/joseph3d_columns.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/joseph3d_path.hpp"
#include "ct/joseph3d_tiles.hpp"

namespace pyrad::joseph {
namespace {

constexpr i64 slab_planes = 8, slab_lines = 64, slab_samples = 256; // tile of the volume
constexpr i64 chunk_bytes = 24 << 20; // of transposed projections at a time

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

// A tile of the volume: planes [begin, end), lines [first, last) (positions) and samples.
struct Tile {
    i64 begin, end, first, last, sample, samples;
};

// One column's rows spread to plane k of a tile.
template <class T>
void spread_column(const Planes<T> &planes, const Column<T> &column, const T *values, i64 rows,
                   i64 k, const Tile &tile, T *g) {
    const T at = std::clamp(column.line_at(k), T(0), static_cast<T>(planes.lines + 1));
    const i64 whole = static_cast<i64>(at); // positions: line `whole` and the next one
    if (whole + 1 < tile.first || whole >= tile.last)
        return;
    const T far = at - static_cast<T>(whole), near = T(1) - far;
    T *line_near = whole >= tile.first ? planes.line(k, whole) + tile.sample : nullptr;
    T *line_far = whole + 1 < tile.last ? planes.line(k, whole + 1) + tile.sample : nullptr;
    const T base = column.base_at(k) - static_cast<T>(tile.sample), step = column.step_at(k);
    if constexpr (sizeof(T) == 4)
        if (spread_rows_permuting(values, rows, base, step, tile.samples, near, far, line_near,
                                  line_far))
            return;
    Column<T> here = column;
    here.base -= static_cast<double>(tile.sample);
    const RowRange range = rows_met(here, k, k + 1, tile.samples, rows);
    if (range.first >= range.last)
        return;
    const T end = static_cast<T>(tile.samples);
    const auto sample = [&](i64 r) {
        return std::clamp(base + static_cast<T>(r) * step, T(0), end);
    };
    const i64 from = std::max<i64>(0, static_cast<i64>(sample(range.first)) - 1);
    const i64 to = std::min(tile.samples, static_cast<i64>(sample(range.last)) + 2);
    std::fill_n(g, tile.samples + 3, T(0));
    spread_rows(values, range, base, step, tile.samples, g);
    if (line_near)
        add_scaled(g + 1, near, from, to, line_near);
    if (line_far)
        add_scaled(g + 1, far, from, to, line_far);
}

// Adds a chunk of views to a tile.
template <class T>
void spread_tile(const Chunk<T> &chunk, const Planes<T> &planes, const Tile &tile, T *g) {
    for (size_t i = 0; i < chunk.columns.size(); ++i) {
        const Column<T> &column = chunk.columns[i];
        const T one = column.line_at(tile.begin), other = column.line_at(tile.end - 1);
        if (std::max(one, other) + 2 < static_cast<T>(tile.first) ||
            std::min(one, other) - 2 > static_cast<T>(tile.last))
            continue;
        const i64 end = std::min(tile.end, column.end);
        for (i64 k = std::max(tile.begin, column.begin); k < end; ++k)
            spread_column(planes, column, chunk.line(static_cast<i64>(i)), chunk.rows, k, tile, g);
        if (i % 64 == 0)
            poll();
    }
}

i64 blocks_of(i64 size, i64 block) { return (size + block - 1) / block; }

} // namespace

template <class T>
void backproject_columns(View<const T, 3> projections, const std::vector<i64> &which,
                         View<const double, 2> views, View<const double, 2> columns,
                         const Scan3D &scan, Planes<T> &planes) {
    const i64 rows = projections.shape[1], count = static_cast<i64>(which.size());
    const i64 per_view =
        columns.shape[0] * Chunk<T>::row_stride(rows) * static_cast<i64>(sizeof(T));
    const i64 together = std::clamp(chunk_bytes / per_view, i64(1), std::max(count, i64(1)));
    Chunk<T> chunk(rows, together * columns.shape[0]);
    const i64 slabs = blocks_of(planes.count, slab_planes);
    const i64 across = blocks_of(planes.lines, slab_lines);
    const i64 along = blocks_of(planes.length, slab_samples);
    std::vector<std::vector<T>> g(max_workers());
    for (i64 v = 0; v < count; v += together) {
        chunk.fill(projections, which.data() + v, std::min(together, count - v), views, columns,
                   scan, planes);
        parallel_for(slabs * across * along, 1, [&](i64 begin, i64 end, int worker) {
            g[worker].resize(slab_samples + 3);
            for (i64 i = begin; i < end; ++i) {
                const i64 k = i / (across * along) * slab_planes;
                const i64 l = i / along % across * slab_lines + 1, s = i % along * slab_samples;
                const Tile tile = {k, std::min(planes.count, k + slab_planes),
                                   l, std::min(planes.lines + 1, l + slab_lines),
                                   s, std::min(slab_samples, planes.length - s)};
                spread_tile(chunk, planes, tile, g[worker].data());
            }
        });
    }
}

#define PYRAD_INSTANCE(T)                                                                          \
    template void backproject_columns(View<const T, 3>, const std::vector<i64> &,                  \
                                      View<const double, 2>, View<const double, 2>,                \
                                      const Scan3D &, Planes<T> &);
PYRAD_INSTANCE(float)
PYRAD_INSTANCE(double)

} // namespace pyrad::joseph
