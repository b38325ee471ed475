#include "ct/joseph3d_rays.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/joseph3d_tiles.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

namespace pyrad::joseph {
namespace {

static_assert(rays_together == 32);
constexpr i64 slab_planes = 8;       // planes of a tile of the adjoint
constexpr i64 column_group = 64;     // columns and planes of a tile of the projection: their
constexpr i64 plane_block = 16;      // samples stay in the cache
constexpr i64 chunk_bytes = 8 << 20; // of tables of rays at a time in the adjoint

// Rows of a detector column whose rays share the dominant axis. Lanes with another one have weight
// 0 and the path of a neighbour, so that positions stay monotonic.
template <class T> struct RayTile {
    i64 begin, end; // planes that any of them meets
    bool cut;       // some of these planes lie behind a ray's source
    T a[rays_together], a_slope[rays_together], b[rays_together], b_slope[rays_together];
    T weight[rays_together];
    int first[rays_together], last[rays_together]; // planes of every ray
};

double row_at(const Scan3D &scan, i64 r) {
    return scan.first_row + static_cast<double>(r) * scan.row_pitch;
}

// A detector column's rays in turn.
struct ColumnOfRays {
    double o[3], o_step[3], d[3], d_step[3]; // the row's w multiplies the steps

    ColumnOfRays(const View3D &view, double a, double b) {
        for (int i = 0; i < 3; ++i) {
            o[i] = view.origin[i] + b * view.origin_u[i];
            d[i] = a * view.ray[i] + b * view.ray_u[i];
            o_step[i] = view.origin_v[i];
            d_step[i] = view.ray_v[i];
        }
    }
    int at(double w, double *point, double *direction) const {
        for (int i = 0; i < 3; ++i) {
            point[i] = o[i] + w * o_step[i];
            direction[i] = d[i] + w * d_step[i];
        }
        return dominant_axis(direction[0], direction[1], direction[2]);
    }
};

template <class T> void set_lane(RayTile<T> &tile, i64 l, const Ray3D &ray, PlaneRange met) {
    tile.a[l] = static_cast<T>(ray.a + 1);
    tile.a_slope[l] = static_cast<T>(ray.a_slope);
    tile.b[l] = static_cast<T>(ray.b + 1);
    tile.b_slope[l] = static_cast<T>(ray.b_slope);
    tile.weight[l] = static_cast<T>(ray.weight);
    tile.first[l] = static_cast<int>(met.begin);
    tile.last[l] = static_cast<int>(met.end);
}

// Rays of rows [row, row + rays_together) of one column, as far as their axis is the planes'.
template <class T>
void take_rays(const ColumnOfRays &column, const Scan3D &scan, i64 row, i64 rows,
               const Planes<T> &planes, RayTile<T> &tile) {
    tile.begin = planes.count;
    tile.end = 0;
    tile.cut = false;
    Ray3D ray{};
    i64 behind = 0; // lanes before the first ray
    bool any = false;
    for (i64 l = 0; l < rays_together; ++l) {
        double o[3], d[3];
        const bool mine = row + l < rows && column.at(row_at(scan, row + l), o, d) == planes.axis;
        PlaneRange met{0, 0};
        if (mine) {
            ray = ray3d_along(planes.axis, o, d, scan);
            const PlaneRange ahead = in_front(ray.from, ray.to, planes.count);
            met = planes_met(ray.a + 1, ray.a_slope, static_cast<double>(planes.lines), ahead);
            met = planes_met(ray.b + 1, ray.b_slope, static_cast<double>(planes.length), met);
            tile.cut = tile.cut || ahead.begin > 0 || ahead.end < planes.count;
            if (met.begin < met.end) {
                tile.begin = std::min(tile.begin, met.begin);
                tile.end = std::max(tile.end, met.end);
            }
            for (; !any && behind < l; ++behind) {
                set_lane(tile, behind, ray, {0, 0});
                tile.weight[behind] = 0;
            }
            any = true;
        }
        set_lane(tile, l, ray, met);
        if (!mine)
            tile.weight[l] = 0;
    }
}

// Where the rays of a tile cross plane k: offset of the sample before, and the two fractions.
// `value` is 1 where the plane belongs to the ray.
template <class T> struct Crossing {
    int offset[rays_together];
    T a[rays_together], b[rays_together], value[rays_together];
};
template <class T>
PYRAD_CLONES void cross_plane(const RayTile<T> &tile, int k, int line_stride, T a_end, T b_end,
                              Crossing<T> &out) {
    const T plane = static_cast<T>(k);
    for (i64 l = 0; l < rays_together; ++l) {
        const T a = std::min(std::max(tile.a[l] + plane * tile.a_slope[l], T(0)), a_end);
        const T b = std::min(std::max(tile.b[l] + plane * tile.b_slope[l], T(0)), b_end);
        const int line = static_cast<int>(a), sample = static_cast<int>(b);
        out.a[l] = a - static_cast<T>(line);
        out.b[l] = b - static_cast<T>(sample);
        out.offset[l] = line * line_stride + sample;
        out.value[l] = (k >= tile.first[l]) & (k < tile.last[l]) ? T(1) : T(0);
    }
}

// The portable loop, and the oracle of the permuting one.
template <class T>
PYRAD_CLONES void add_crossing(const Crossing<T> &at, const T *plane, i64 line_stride, T *sums) {
    for (i64 l = 0; l < rays_together; ++l) {
        const T *p = plane + at.offset[l], *q = p + line_stride;
        const T near = p[0] + at.b[l] * (p[1] - p[0]);
        const T far = q[0] + at.b[l] * (q[1] - q[0]);
        sums[l] += at.value[l] * (near + at.a[l] * (far - near));
    }
}

// Two neighbouring samples as one register.
template <class T> struct TwoSamples;
template <> struct TwoSamples<float> {
    typedef float type __attribute__((vector_size(8)));
};
template <> struct TwoSamples<double> {
    typedef double type __attribute__((vector_size(16)));
};
template <class T> void add_two(T *p, T low, T high) {
    typename TwoSamples<T>::type two;
    std::memcpy(&two, p, sizeof two);
    two += typename TwoSamples<T>::type{low, high};
    std::memcpy(p, &two, sizeof two);
}

template <class T>
void spread_crossing(const Crossing<T> &at, const T *given, i64 line_stride, T *plane) {
    for (i64 i = 0; i < rays_together; ++i) {
        // neighbours in turn would wait for each other's stores
        const i64 l = i % 8 * 4 + i / 8;
        const T value = at.value[l] * given[l];
        if (value == T(0))
            continue;
        T *p = plane + at.offset[l];
        const T far = at.a[l] * value, near = value - far;
        const T near_high = at.b[l] * near, far_high = at.b[l] * far;
        add_two(p, near - near_high, near_high);
        add_two(p + line_stride, far - far_high, far_high);
    }
}

int axes_of_tile(const ColumnOfRays &column, const Scan3D &scan, i64 row, i64 rows) {
    int axes = 0;
    for (i64 r = row; r < std::min(rows, row + rays_together); ++r) {
        double o[3], d[3];
        axes |= 1 << column.at(row_at(scan, r), o, d);
    }
    return axes;
}

} // namespace

LeftOver::LeftOver(View<const double, 2> views, View<const double, 2> detector, const Scan3D &scan,
                   i64 rows)
    : rows(rows), columns(detector.shape[0]), tiles((rows + rays_together - 1) / rays_together),
      axes_(views.shape[0]) {
    std::atomic<int> all{0};
    parallel_for(views.shape[0], 1, [&](i64 begin, i64 end, int) {
        for (i64 v = begin; v < end; ++v) {
            const View3D view = load_view3d(&views(v, 0));
            const int mask = rows_along_z(view) ? 4 : 7;
            int found = mask & 3; // the rays closest to z are at the ends of a column
            for (i64 c = 0; c < columns && !found; ++c) {
                const ColumnOfRays column(view, detector(c, 0), detector(c, 1));
                found = mask & (axes_of_tile(column, scan, 0, 1) |
                                axes_of_tile(column, scan, rows - 1, rows));
            }
            if (!found)
                continue;
            axes_[v].resize(tiles * columns);
            found = 0;
            for (i64 c = 0; c < columns; ++c) {
                const ColumnOfRays column(view, detector(c, 0), detector(c, 1));
                for (i64 t = 0; t < tiles; ++t) {
                    const int axes = mask & axes_of_tile(column, scan, t * rays_together, rows);
                    axes_[v][t * columns + c] = static_cast<u8>(axes);
                    found |= axes;
                }
            }
            all |= found;
        }
    });
    all_ = all;
}

namespace {

// Adds planes [begin, end) of a tile's rays to sums.
template <class T>
void sum_tile(const RayTile<T> &tile, const Planes<T> &planes, i64 begin, i64 end, T *sums) {
    if constexpr (sizeof(T) == 4) {
        const RayLanes lanes = {tile.a, tile.a_slope, tile.b, tile.b_slope};
        if (!tile.cut &&
            sum_rays_permuting(planes.line(0, 0) - 1, planes.plane_stride, planes.line_stride,
                               planes.lines, planes.length, begin, end, lanes, rays_together, sums))
            return;
    }
    const T a_end = static_cast<T>(planes.lines + 1), b_end = static_cast<T>(planes.length + 1);
    Crossing<T> crossing;
    for (i64 k = begin; k < end; ++k) {
        cross_plane(tile, static_cast<int>(k), static_cast<int>(planes.line_stride), a_end, b_end,
                    crossing);
        add_crossing(crossing, planes.line(k, 0) - 1, planes.line_stride, sums);
    }
}

} // namespace

template <class T>
void project_rays(const Planes<T> &planes, const LeftOver &rays, View<const double, 2> views,
                  View<const double, 2> columns, const Scan3D &scan, View<T, 3> projections) {
    const auto project_group = [&](i64 v, i64 t, i64 first, std::vector<RayTile<T>> &tiles) {
        const View3D view = load_view3d(&views(v, 0));
        const i64 row = t * rays_together, width = std::min(rays_together, rays.rows - row);
        T sums[column_group][rays_together] = {};
        tiles.clear();
        std::vector<i64> which;
        for (i64 c = first; c < std::min(rays.columns, first + column_group); ++c) {
            if (!rays.has(v, t, c, planes.axis))
                continue;
            which.push_back(c);
            take_rays(ColumnOfRays(view, columns(c, 0), columns(c, 1)), scan, row, rays.rows,
                      planes, tiles.emplace_back());
        }
        for (i64 k = 0; k < planes.count; k += plane_block)
            for (size_t i = 0; i < tiles.size(); ++i) {
                const i64 begin = std::max(k, tiles[i].begin);
                const i64 end = std::min(k + plane_block, tiles[i].end);
                if (begin < end)
                    sum_tile(tiles[i], planes, begin, end, sums[i]);
            }
        for (i64 l = 0; l < width; ++l)
            for (size_t i = 0; i < tiles.size(); ++i)
                projections(v, row + l, which[i]) += tiles[i].weight[l] * sums[i][l];
    };
    parallel_for(views.shape[0] * rays.tiles, 1, [&](i64 begin, i64 end, int) {
        std::vector<RayTile<T>> tiles;
        for (i64 i = begin; i < end; ++i)
            for (i64 c = 0; c < rays.columns && !rays.empty(i / rays.tiles); c += column_group) {
                project_group(i / rays.tiles, i % rays.tiles, c, tiles);
                poll();
            }
    });
}

namespace {

// Where a tile of rays of the adjoint begins.
struct TileAt {
    i64 view, row, column;
};

template <class T>
void spread_tiles(const std::vector<RayTile<T>> &tiles, i64 begin, i64 end,
                  const Planes<T> &planes) {
    const T a_end = static_cast<T>(planes.lines + 1), b_end = static_cast<T>(planes.length + 1);
    Crossing<T> crossing;
    for (size_t i = 0; i < tiles.size(); ++i) {
        const RayTile<T> &tile = tiles[i];
        for (i64 k = std::max(begin, tile.begin); k < std::min(end, tile.end); ++k) {
            cross_plane(tile, static_cast<int>(k), static_cast<int>(planes.line_stride), a_end,
                        b_end, crossing);
            spread_crossing(crossing, tile.weight, planes.line_stride, planes.line(k, 0) - 1);
        }
        if (i % 256 == 0)
            poll();
    }
}

} // namespace

template <class T>
void backproject_rays(View<const T, 3> projections, const LeftOver &rays,
                      View<const double, 2> views, View<const double, 2> columns,
                      const Scan3D &scan, Planes<T> &planes) {
    const i64 most = std::max<i64>(1, chunk_bytes / static_cast<i64>(sizeof(RayTile<T>)));
    std::vector<TileAt> where;
    std::vector<RayTile<T>> tiles;
    const auto spread = [&] {
        tiles.resize(where.size());
        parallel_for(static_cast<i64>(where.size()), 32, [&](i64 begin, i64 end, int) {
            for (i64 i = begin; i < end; ++i) {
                const TileAt at = where[i];
                const ColumnOfRays column(load_view3d(&views(at.view, 0)), columns(at.column, 0),
                                          columns(at.column, 1));
                take_rays(column, scan, at.row, rays.rows, planes, tiles[i]);
                for (i64 l = 0; l < std::min(rays_together, rays.rows - at.row); ++l)
                    tiles[i].weight[l] *= projections(at.view, at.row + l, at.column);
            }
        });
        parallel_for(planes.count, slab_planes,
                     [&](i64 begin, i64 end, int) { spread_tiles(tiles, begin, end, planes); });
        where.clear();
    };
    for (i64 v = 0; v < views.shape[0]; ++v)
        for (i64 t = 0; t < rays.tiles && !rays.empty(v); ++t)
            for (i64 c = 0; c < rays.columns; ++c) {
                if (!rays.has(v, t, c, planes.axis))
                    continue;
                where.push_back({v, t * rays_together, c});
                if (static_cast<i64>(where.size()) == most)
                    spread();
            }
    spread();
}

#define PYRAD_INSTANCE(T)                                                                          \
    template void project_rays(const Planes<T> &, const LeftOver &, View<const double, 2>,         \
                               View<const double, 2>, const Scan3D &, View<T, 3>);                 \
    template void backproject_rays(View<const T, 3>, const LeftOver &, View<const double, 2>,      \
                                   View<const double, 2>, const Scan3D &, Planes<T> &);
PYRAD_INSTANCE(float)
PYRAD_INSTANCE(double)

} // namespace pyrad::joseph
