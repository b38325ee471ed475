// Line integrals through voxels with the separable footprints SF-TR, amplitudes A2, of Long,
// Fessler and Balter (doi 10.1109/TMI.2010.2050898):
//
//     p_kl = 1 / cos(elevation_kl) * sum over voxels of
//            volume * chord * trapezoid area over column k * height overlap with row l
//
// Chord and trapezoid belong to (x, y) and the view, and so does the magnification along z: a
// column of voxels is first resampled to detector rows and then added to the few detector columns
// it meets; the adjoint mixes those columns and resamples the mix to voxels.
//
// The volume is taken in tiles of columns, z fastest, the projections as [view][column][row]. The
// projection is parallel over blocks of views, the adjoint over tiles; either adds in one order:
// same bits for any threads.
#include "ct/footprint3d.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/footprint3d_tiles.hpp"
#include "ct/footprint_weights.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

using footprint::margin;
constexpr i64 tile_x = footprint_block;
constexpr i64 most_tile_y = 8, tile_values = 1 << 18; // voxels of a tile, about
constexpr i64 most_block_views = 8;                   // views that share a tile in the projection
constexpr i64 block_bytes = 32 << 20;                 // of their transposed projections
constexpr i64 chunk_bytes = 256 << 20;                // of transposed projections in the adjoint
constexpr i64 row_pad = 16;
constexpr i64 square = 8; // columns that are worked on in turn

i64 tile_lines(i64 slices) {
    return std::clamp<i64>(tile_values / (tile_x * (slices + margin)), 1, most_tile_y);
}

struct View3D {
    FootprintView plane;
    double row, height, rows_per_slice;
    bool flipped;
};

View3D view3d(View<const double, 2> views, i64 v) {
    const double *n = &views(v, 0);
    return {footprint_view(n), n[10], n[11], n[12], n[13] != 0};
}

// A tile of the volume: columns [y][x] of slices, z fastest, zeros between them.
template <class T> struct Tile {
    i64 x, y, width, height, slices, stride;
    std::vector<T> data;

    Tile(i64 slices, i64 height)
        : slices(slices), stride(slices + margin),
          data(static_cast<size_t>(tile_x * height * stride + margin), T(0)) {}
    void place(i64 at_x, i64 at_y, i64 nx, i64 ny, i64 lines) {
        x = at_x;
        y = at_y;
        width = std::min(tile_x, nx - x);
        height = std::min(lines, ny - y);
    }
    T *column(i64 line, i64 i) { return data.data() + margin + (line * tile_x + i) * stride; }

    void load(View<const T, 3> volume) {
        const i64 ahead = 8 * volume.stride[0]; // a page each: no hardware prefetches these
        for (i64 z = 0; z < slices; ++z)
            for (i64 line = 0; line < height; ++line) {
                const T *from = &volume(z, y + line, x);
                for (i64 i = 0; z + 8 < slices && i < width; i += 64 / sizeof(T))
                    __builtin_prefetch(from + ahead + i);
                T *to = column(line, 0) + z;
                for (i64 i = 0; i < width; ++i)
                    to[i * stride] = from[i];
            }
    }
    void store(View<T, 3> volume) {
        for (i64 z = 0; z < slices; ++z)
            for (i64 line = 0; line < height; ++line) {
                T *to = &volume(z, y + line, x);
                const T *from = column(line, 0) + z;
                for (i64 i = 0; i < width; ++i)
                    to[i] = from[i * stride];
            }
    }
};

// Detector of one view as [column][row]: one spare column before, row_pad spare rows in each.
struct DetectorShape {
    i64 rows, columns, stride;
    DetectorShape(i64 rows, i64 columns) : rows(rows), columns(columns), stride(rows + row_pad) {}
    i64 size() const { return (columns + 1) * stride; }
};

// values[r] /= cos(elevation) for the rows of one column.
template <class T> PYRAD_CLONES void elevate(double reach, double row, i64 rows, T *values) {
    for (i64 r = 0; r < rows; ++r) {
        const double tangent = reach * (static_cast<double>(r) - row);
        values[r] *= static_cast<T>(std::sqrt(1 + tangent * tangent));
    }
}

// Calls body(row of the projection, column, index in [column][row]) in squares.
template <class Body> void each_cell(bool flipped, const DetectorShape &shape, Body body) {
    constexpr i64 square = 16;
    for (i64 c0 = 0; c0 < shape.columns; c0 += square)
        for (i64 r0 = 0; r0 < shape.rows; r0 += square)
            for (i64 r = r0; r < std::min(r0 + square, shape.rows); ++r) {
                const i64 there = flipped ? shape.rows - 1 - r : r;
                for (i64 c = c0; c < std::min(c0 + square, shape.columns); ++c)
                    body(there, c, c * shape.stride + r);
            }
}

// Where the voxels above the pixels x .. x + block - 1 of line y lie along the rows.
struct Axes {
    alignas(64) double edge[footprint_block], step[footprint_block];
    alignas(64) double row_begin[footprint_block], row_end[footprint_block];
};

PYRAD_CLONES void place_axes(const View3D &view, double arc, double rows, double slices, i64 x,
                             i64 y, Axes &axes) {
    const double *a = view.plane.across, *b = view.plane.along;
    const double from_a = a[1] * static_cast<double>(y) + a[2];
    const double from_b = b[1] * static_cast<double>(y) + b[2];
    for (i64 i = 0; i < footprint_block; ++i) {
        const double at = static_cast<double>(x + i);
        const double across = arc > 0 ? a[0] * at + from_a : 0.0, along = b[0] * at + from_b;
        const double step = view.rows_per_slice / std::sqrt(across * across + along * along);
        const double edge = view.row + 0.5 - (view.height + 0.5) * step;
        const double end = edge + slices * step;
        axes.step[i] = step;
        axes.edge[i] = edge;
        axes.row_begin[i] = std::floor(std::min(std::max(edge, 0.0), rows));
        axes.row_end[i] = std::ceil(std::min(std::max(end, 0.0), rows));
    }
}

// The footprints of a tile in one view.
template <class T> struct TileWeights {
    FootprintBlock<T> block[most_tile_y];
    Axes axes[most_tile_y];
    FootprintCorners corners[2];

    void place(const View3D &view, const FootprintPlane &plane, i64 rows, const Tile<T> &tile) {
        const auto place_corners = [&](i64 y) {
            footprint_corners<T>(view.plane, plane, tile.x, static_cast<double>(y), corners[y & 1]);
        };
        place_corners(tile.y);
        for (i64 l = 0; l < tile.height; ++l) {
            const i64 y = tile.y + l;
            place_corners(y + 1);
            footprint_block_weights(view.plane, plane, tile.x, y, corners[y & 1],
                                    corners[(y + 1) & 1], block[l]);
            place_axes(view, plane.arc, static_cast<double>(rows), static_cast<double>(tile.slices),
                       tile.x, y, axes[l]);
        }
    }

    // Calls body(line, i, column, weights, first detector column) for the columns of voxels that
    // meet the detector, in squares so that neighbours find their detector columns in the cache.
    template <class Body> void each(const Tile<T> &tile, i64 stride, Body body) const {
        for (i64 x = 0; x < tile.width; x += square)
            for (i64 l = 0; l < tile.height; ++l)
                for (i64 i = x; i < std::min(x + square, tile.width); ++i) {
                    const i64 count = block[l].count[i];
                    const i64 begin = static_cast<i64>(axes[l].row_begin[i]);
                    const i64 end = static_cast<i64>(axes[l].row_end[i]);
                    if (count > 0 && begin < end)
                        body(l, i,
                             footprint::Column{axes[l].edge[i], axes[l].step[i], begin, end,
                                               tile.slices, count, stride},
                             block[l].weight.data() + i, block[l].first[i]);
                }
    }
};

template <class T>
void add(const footprint::Column &column, const T *weight, const T *voxels, T *detector) {
    if constexpr (sizeof(T) == 4)
        if (footprint::add_column_permuting(column, weight, voxels, detector))
            return;
    footprint::add_column(column, weight, voxels, detector);
}

template <class T>
void take(const footprint::Column &column, const T *weight, const T *detector, T *mixed,
          T *voxels) {
    if constexpr (sizeof(T) == 4)
        if (footprint::take_column_permuting(column, weight, detector, mixed, voxels))
            return;
    footprint::take_column(column, weight, detector, mixed, voxels);
}

const double *reach_of(View<const double, 2> reach, i64 v) {
    return &reach(reach.shape[0] == 1 ? 0 : v, 0);
}

i64 views_per_chunk(const DetectorShape &shape, i64 itemsize) {
    return std::max<i64>(1, chunk_bytes / (shape.size() * itemsize));
}

} // namespace

template <class T>
void project_footprint3d(View<const T, 3> volume, View<const double, 2> views,
                         View<const double, 2> reach, double arc, double pitch_x, double pitch_y,
                         View<T, 3> projections) {
    const i64 nz = volume.shape[0], ny = volume.shape[1], nx = volume.shape[2];
    const DetectorShape shape(projections.shape[1], projections.shape[2]);
    const FootprintPlane plane{arc, pitch_x, pitch_y, shape.columns};
    const i64 lines = tile_lines(nz);
    const i64 block_views =
        std::clamp<i64>(block_bytes / (shape.size() * sizeof(T)), 1, most_block_views);
    parallel_for(views.shape[0], block_views, [&](i64 begin, i64 end, int) {
        std::vector<T> detector(static_cast<size_t>((end - begin) * shape.size()), T(0));
        Tile<T> tile(nz, lines);
        TileWeights<T> weights;
        for (i64 y = 0; y < ny; y += lines)
            for (i64 x = 0; x < nx; x += tile_x) {
                tile.place(x, y, nx, ny, lines);
                tile.load(volume);
                for (i64 v = begin; v < end; ++v) {
                    T *columns = detector.data() + (v - begin) * shape.size() + shape.stride;
                    weights.place(view3d(views, v), plane, shape.rows, tile);
                    weights.each(tile, shape.stride,
                                 [&](i64 l, i64 i, const auto &column, const T *w, i64 first) {
                                     add(column, w, tile.column(l, i),
                                         columns + first * shape.stride);
                                 });
                    poll();
                }
            }
        for (i64 v = begin; v < end; ++v) {
            T *columns = detector.data() + (v - begin) * shape.size() + shape.stride;
            const View3D view = view3d(views, v);
            for (i64 c = 0; c < shape.columns; ++c)
                elevate(reach_of(reach, v)[c], view.row, shape.rows, columns + c * shape.stride);
            each_cell(view.flipped, shape,
                      [&](i64 r, i64 c, i64 at) { projections(v, r, c) = columns[at]; });
        }
    });
}

template <class T>
void backproject_footprint3d(View<const T, 3> projections, View<const double, 2> views,
                             View<const double, 2> reach, double arc, double pitch_x,
                             double pitch_y, View<T, 3> volume) {
    const i64 nz = volume.shape[0], ny = volume.shape[1], nx = volume.shape[2];
    const DetectorShape shape(projections.shape[1], projections.shape[2]);
    const FootprintPlane plane{arc, pitch_x, pitch_y, shape.columns};
    const i64 lines = tile_lines(nz), across = (nx + tile_x - 1) / tile_x;
    const i64 tiles = across * ((ny + lines - 1) / lines);
    const i64 chunk = std::min(views_per_chunk(shape, sizeof(T)), views.shape[0]);
    std::vector<T> detector(static_cast<size_t>(chunk * shape.size()));
    const auto columns_of = [&](i64 v) {
        return detector.data() + (v % chunk) * shape.size() + shape.stride;
    };
    for (i64 first = 0; first < views.shape[0]; first += chunk) {
        const i64 last = std::min(first + chunk, views.shape[0]);
        parallel_for(last - first, 1, [&](i64 begin, i64 end, int) {
            for (i64 v = first + begin; v < first + end; ++v) {
                T *columns = columns_of(v);
                const View3D view = view3d(views, v);
                each_cell(view.flipped, shape,
                          [&](i64 r, i64 c, i64 at) { columns[at] = projections(v, r, c); });
                for (i64 c = 0; c < shape.columns; ++c)
                    elevate(reach_of(reach, v)[c], view.row, shape.rows,
                            columns + c * shape.stride);
            }
        });
        parallel_for(tiles, 1, [&](i64 begin, i64 end, int) {
            Tile<T> tile(nz, lines);
            TileWeights<T> weights;
            std::vector<T> mixed(static_cast<size_t>(shape.rows + 2 * margin));
            for (i64 t = begin; t < end; ++t) {
                tile.place(t % across * tile_x, t / across * lines, nx, ny, lines);
                if (first > 0)
                    tile.load(volume);
                else
                    std::fill(tile.data.begin(), tile.data.end(), T(0));
                for (i64 v = first; v < last; ++v) {
                    const T *columns = columns_of(v);
                    weights.place(view3d(views, v), plane, shape.rows, tile);
                    weights.each(tile, shape.stride,
                                 [&](i64 l, i64 i, const auto &column, const T *w, i64 at) {
                                     take(column, w, columns + at * shape.stride,
                                          mixed.data() + margin, tile.column(l, i));
                                 });
                    poll();
                }
                tile.store(volume);
            }
        });
    }
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void project_footprint3d(View<const T, 3>, View<const double, 2>,                     \
                                      View<const double, 2>, double, double, double, View<T, 3>);  \
    template void backproject_footprint3d(View<const T, 3>, View<const double, 2>,                 \
                                          View<const double, 2>, double, double, double,           \
                                          View<T, 3>);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad
