// The column u of a pixel is linear in its indices, so two pixels at the same place in their tiles
// of the image differ in u by what the tiles differ. Sixteen tiles advance together, one per lane:
// lane l stands at
//
//     first[l] + part[l] + s,   first whole, 0 <= part < 1,   s = x du/dx + y du/dy within the
//     tile,
//
// and meets the cells first[l] + floor(s) + 0, 1, ...: the same ones relative to its own first, so
// that a private copy of the detector per lane is read and written in whole registers. The copies
// are added to the detector (filled from it) once per tile and view.
#include "ct/footprint2d_parallel.hpp"

#include "base/pool.hpp"
#include "ct/footprint2d_tiles.hpp"
#include "ct/footprint_math.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

using footprint::lanes;
using footprint::tile;

// Tiles of one slice, sixteen to a group: values [group][y][x][lane], zero beyond the image.
template <class T> struct Tiles {
    i64 ny, nx, across, count, groups;
    std::vector<T> data;

    Tiles(i64 ny, i64 nx)
        : ny(ny), nx(nx), across((nx + tile - 1) / tile), count(across * ((ny + tile - 1) / tile)),
          groups((count + lanes - 1) / lanes),
          data(checked_product({groups, tile * tile * lanes}), T(0)) {}
    T *group(i64 g) { return data.data() + g * tile * tile * lanes; }
    const T *group(i64 g) const { return data.data() + g * tile * tile * lanes; }
    i64 x_of(i64 t) const { return t % across * tile; }
    i64 y_of(i64 t) const { return t / across * tile; }

    // Calls body(value in the tiles, y, x) for the pixels of a group.
    template <class Body> void each_pixel(i64 g, Body body) {
        for (i64 l = 0; l < lanes && g * lanes + l < count; ++l) {
            const i64 x0 = x_of(g * lanes + l), y0 = y_of(g * lanes + l);
            for (i64 y = y0; y < std::min(y0 + tile, ny); ++y)
                for (i64 x = x0; x < std::min(x0 + tile, nx); ++x)
                    body(group(g)[((y - y0) * tile + x - x0) * lanes + l], y, x);
        }
    }
};

using footprint::Advance;

// One view.
struct Shape {
    Advance advance;
    double first; // u + 1/2 at the left end of the footprint of pixel (0, 0)
    double chord;
    i64 cells; // of the private copies
};

Shape shape_of(const double *n, double pitch_x, double pitch_y) {
    const FootprintView view = footprint_view(n);
    const double per_x = view.across[0], per_y = view.across[1];
    const double rise = std::min(std::abs(per_x), std::abs(per_y));
    const double width = std::abs(per_x) + std::abs(per_y), reach = static_cast<double>(tile - 1);
    const double low = reach * (std::min(per_x, 0.0) + std::min(per_y, 0.0));
    const double lowest = std::floor(low), span = std::ceil(2 + width);
    const Advance advance{per_x, per_y, lowest, rise, width - 2 * rise, static_cast<int>(span)};
    return {advance, view.across[2] + 0.5 - 0.5 * width,
            footprint_chord(view, pitch_x, pitch_y, 0, 0),
            static_cast<i64>(reach * width + low - lowest) + 1 + advance.span};
}

// First cell and part of the lanes of a group; the tiles of spare lanes are zero.
template <class T> struct Places {
    i64 first[lanes];
    alignas(64) T part[lanes];

    Places(const Tiles<T> &tiles, const Shape &shape, i64 g) {
        for (i64 l = 0; l < lanes; ++l) {
            const i64 t = std::min(g * lanes + l, tiles.count - 1);
            const double u =
                shape.first + shape.advance.per_x * static_cast<double>(tiles.x_of(t)) +
                shape.advance.per_y * static_cast<double>(tiles.y_of(t)) + shape.advance.lowest;
            const double whole = std::floor(u);
            first[l] = static_cast<i64>(std::clamp(whole, -1e9, 1e9));
            part[l] = static_cast<T>(u - whole);
        }
    }
    bool miss(const Shape &shape, i64 columns) const {
        return std::all_of(first, first + lanes,
                           [&](i64 f) { return f >= columns || f + shape.cells <= 0; });
    }
};

template <class T> void spread(const Shape &shape, const T *part, const T *pixels, T *cells) {
    if constexpr (sizeof(T) == 4)
        if (footprint::spread_wide(shape.advance, part, pixels, cells))
            return;
    footprint::spread(shape.advance, part, pixels, cells);
}

template <class T> void collect(const Shape &shape, const T *part, const T *cells, T *pixels) {
    if constexpr (sizeof(T) == 4)
        if (footprint::collect_wide(shape.advance, part, cells, pixels))
            return;
    footprint::collect(shape.advance, part, cells, pixels);
}

// The shapes of all views, or nothing where this file does not serve.
std::vector<Shape> shapes_of(View<const double, 2> views, double pitch_x, double pitch_y) {
    std::vector<Shape> shapes;
    for (i64 v = 0; v < views.shape[0]; ++v) {
        const double *n = &views(v, 0);
        if (n[9] != 0 || n[3] != 0 || n[4] != 0 || n[5] != 1)
            return {};
        shapes.push_back(shape_of(n, pitch_x, pitch_y));
        if (shapes.back().advance.span > footprint::most_cells)
            return {};
    }
    return shapes;
}

} // namespace

template <class T>
bool project_footprint_parallel(View<const T, 3> image, View<const double, 2> views, double pitch_x,
                                double pitch_y, View<T, 3> projections) {
    const std::vector<Shape> shapes = shapes_of(views, pitch_x, pitch_y);
    if (shapes.empty())
        return false;
    const i64 columns = projections.shape[2];
    Tiles<T> tiles(image.shape[1], image.shape[2]);
    for (i64 s = 0; s < image.shape[0]; ++s) {
        parallel_for(tiles.groups, 4, [&](i64 begin, i64 end, int) {
            for (i64 g = begin; g < end; ++g)
                tiles.each_pixel(g, [&](T &value, i64 y, i64 x) { value = image(s, y, x); });
        });
        parallel_for(views.shape[0], 1, [&](i64 begin, i64 end, int) {
            std::vector<T> cells;
            for (i64 v = begin; v < end; ++v) {
                const Shape &shape = shapes[static_cast<size_t>(v)];
                T *row = &projections(v, s, 0);
                std::fill_n(row, columns, T(0));
                for (i64 g = 0; g < tiles.groups; ++g) {
                    const Places<T> places(tiles, shape, g);
                    if (places.miss(shape, columns))
                        continue;
                    cells.assign(static_cast<size_t>(shape.cells * lanes), T(0));
                    spread(shape, places.part, tiles.group(g), cells.data());
                    for (i64 l = 0; l < lanes; ++l) {
                        const i64 first = places.first[l];
                        const i64 low = std::max<i64>(0, -first);
                        const i64 high = std::min(shape.cells, columns - first);
                        for (i64 k = low; k < high; ++k)
                            row[first + k] += cells[static_cast<size_t>(k * lanes + l)];
                    }
                }
                for (i64 k = 0; k < columns; ++k)
                    row[k] *= static_cast<T>(shape.chord);
            }
        });
    }
    return true;
}

template <class T>
bool backproject_footprint_parallel(View<const T, 3> projections, View<const double, 2> views,
                                    double pitch_x, double pitch_y, View<T, 3> image) {
    const std::vector<Shape> shapes = shapes_of(views, pitch_x, pitch_y);
    if (shapes.empty())
        return false;
    const i64 columns = projections.shape[2];
    Tiles<T> tiles(image.shape[1], image.shape[2]);
    for (i64 s = 0; s < image.shape[0]; ++s)
        parallel_for(tiles.groups, 1, [&](i64 begin, i64 end, int) {
            std::vector<T> cells;
            for (i64 g = begin; g < end; ++g) {
                std::fill_n(tiles.group(g), tile * tile * lanes, T(0));
                for (i64 v = 0; v < views.shape[0]; ++v) {
                    const Shape &shape = shapes[static_cast<size_t>(v)];
                    const Places<T> places(tiles, shape, g);
                    if (places.miss(shape, columns))
                        continue;
                    const T *row = &projections(v, s, 0), chord = static_cast<T>(shape.chord);
                    cells.assign(static_cast<size_t>(shape.cells * lanes), T(0));
                    for (i64 l = 0; l < lanes; ++l) {
                        const i64 first = places.first[l];
                        const i64 low = std::max<i64>(0, -first);
                        const i64 high = std::min(shape.cells, columns - first);
                        for (i64 k = low; k < high; ++k)
                            cells[static_cast<size_t>(k * lanes + l)] = chord * row[first + k];
                    }
                    collect(shape, places.part, cells.data(), tiles.group(g));
                    poll();
                }
                tiles.each_pixel(g, [&](T value, i64 y, i64 x) { image(s, y, x) = value; });
            }
        });
    return true;
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template bool project_footprint_parallel(View<const T, 3>, View<const double, 2>, double,      \
                                             double, View<T, 3>);                                  \
    template bool backproject_footprint_parallel(View<const T, 3>, View<const double, 2>, double,  \
                                                 double, View<T, 3>);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad
