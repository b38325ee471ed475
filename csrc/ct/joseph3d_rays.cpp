#include "ct/joseph3d_rays.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

namespace pyrad::joseph {
namespace {

constexpr i64 slab_planes = 8;       // planes of a tile of the adjoint
constexpr i64 chunk_bytes = 8 << 20; // of tables of rays at a time in the adjoint

// Rays of one detector row that share the dominant axis; weight 0 where a lane has another one.
template <class T> struct RayTile {
    i64 begin, end; // planes that any of them meets
    T a[rays_together], a_slope[rays_together], b[rays_together], b_slope[rays_together];
    T weight[rays_together];
    int first[rays_together], last[rays_together]; // planes of every ray
};

// Directions of a row of rays in double precision.
struct RowOfRays {
    double a[rays_together], b[rays_together];
    i64 width;

    RowOfRays(View<const double, 2> columns, i64 first) {
        width = std::min(rays_together, columns.shape[0] - first);
        for (i64 l = 0; l < rays_together; ++l) {
            a[l] = columns(first + std::min(l, width - 1), 0);
            b[l] = columns(first + std::min(l, width - 1), 1);
        }
    }
};

template <class T>
void take_rays(const View3D &view, const Scan3D &scan, View<const double, 2> columns, i64 first,
               double w, const Planes<T> &planes, RayTile<T> &tile) {
    const RowOfRays row(columns, first);
    tile.begin = planes.count;
    tile.end = 0;
    for (i64 l = 0; l < rays_together; ++l) {
        double o[3], d[3];
        for (int i = 0; i < 3; ++i) {
            o[i] = point_at(view, i, row.b[l], w);
            d[i] = direction_at(view, i, row.a[l], row.b[l], w);
        }
        PlaneRange met{0, 0};
        Ray3D ray{};
        if (l < row.width && dominant_axis(d[0], d[1], d[2]) == planes.axis) {
            ray = ray3d_along(planes.axis, o, d, scan);
            met = in_front(ray.from, ray.to, planes.count);
            met = planes_met(ray.a + 1, ray.a_slope, static_cast<double>(planes.lines), met);
            met = planes_met(ray.b + 1, ray.b_slope, static_cast<double>(planes.length), met);
        }
        tile.a[l] = static_cast<T>(ray.a + 1);
        tile.a_slope[l] = static_cast<T>(ray.a_slope);
        tile.b[l] = static_cast<T>(ray.b + 1);
        tile.b_slope[l] = static_cast<T>(ray.b_slope);
        tile.weight[l] = static_cast<T>(ray.weight);
        tile.first[l] = static_cast<int>(met.begin);
        tile.last[l] = static_cast<int>(met.end);
        if (met.begin < met.end) {
            tile.begin = std::min(tile.begin, met.begin);
            tile.end = std::max(tile.end, met.end);
        }
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

template <class T>
PYRAD_CLONES void add_crossing(const Crossing<T> &at, const T *plane, i64 line_stride, T *sums) {
    for (i64 l = 0; l < rays_together; ++l) {
        const T *p = plane + at.offset[l], *q = p + line_stride;
        const T near = p[0] + at.b[l] * (p[1] - p[0]);
        const T far = q[0] + at.b[l] * (q[1] - q[0]);
        sums[l] += at.value[l] * (near + at.a[l] * (far - near));
    }
}

template <class T>
void spread_crossing(const Crossing<T> &at, const T *given, i64 line_stride, T *plane) {
    for (i64 l = 0; l < rays_together; ++l) {
        const T value = at.value[l] * given[l];
        if (value == T(0))
            continue;
        T *p = plane + at.offset[l], *q = p + line_stride;
        const T far = at.a[l] * value, near = value - far;
        const T near_high = at.b[l] * near, far_high = at.b[l] * far;
        p[0] += near - near_high;
        p[1] += near_high;
        q[0] += far - far_high;
        q[1] += far_high;
    }
}

int axes_of_tile(const View3D &view, const RowOfRays &row, double w, bool only_z) {
    int axes = 0;
    for (i64 l = 0; l < row.width; ++l) {
        double d[3];
        for (int i = 0; i < 3; ++i)
            d[i] = direction_at(view, i, row.a[l], row.b[l], w);
        axes |= 1 << dominant_axis(d[0], d[1], d[2]);
    }
    return only_z ? axes & 4 : axes;
}

double row_at(const Scan3D &scan, i64 r) {
    return scan.first_row + static_cast<double>(r) * scan.row_pitch;
}

} // namespace

LeftOver::LeftOver(View<const double, 2> views, View<const double, 2> columns, const Scan3D &scan,
                   i64 rows)
    : rows(rows), tiles((columns.shape[0] + rays_together - 1) / rays_together),
      axes_(views.shape[0]) {
    std::atomic<int> all{0};
    std::vector<RowOfRays> detector;
    for (i64 t = 0; t < tiles; ++t)
        detector.emplace_back(columns, t * rays_together);
    parallel_for(views.shape[0], 1, [&](i64 begin, i64 end, int) {
        for (i64 v = begin; v < end; ++v) {
            const View3D view = load_view3d(&views(v, 0));
            const bool only_z = rows_along_z(view);
            int found = 0;
            for (const i64 r : {i64(0), rows - 1}) // the steepest rays are at the ends
                for (const RowOfRays &row : detector)
                    found |= axes_of_tile(view, row, row_at(scan, r), only_z);
            if (only_z && !found)
                continue;
            axes_[v].resize(rows * tiles);
            for (i64 r = 0; r < rows; ++r)
                for (i64 t = 0; t < tiles; ++t) {
                    const int axes = axes_of_tile(view, detector[t], row_at(scan, r), only_z);
                    axes_[v][r * tiles + t] = static_cast<u8>(axes);
                    found |= axes;
                }
            all |= found;
        }
    });
    all_ = all;
}

template <class T>
void project_rays(const Planes<T> &planes, const LeftOver &rays, View<const double, 2> views,
                  View<const double, 2> columns, const Scan3D &scan, View<T, 3> projections) {
    const T a_end = static_cast<T>(planes.lines + 1), b_end = static_cast<T>(planes.length + 1);
    const auto project_row = [&](i64 v, i64 r) {
        const View3D view = load_view3d(&views(v, 0));
        RayTile<T> tile;
        Crossing<T> crossing;
        for (i64 t = 0; t < rays.tiles; ++t) {
            if (!rays.has(v, r, t, planes.axis))
                continue;
            const i64 first = t * rays_together;
            take_rays(view, scan, columns, first, row_at(scan, r), planes, tile);
            T sums[rays_together] = {};
            for (i64 k = tile.begin; k < tile.end; ++k) {
                cross_plane(tile, static_cast<int>(k), static_cast<int>(planes.line_stride), a_end,
                            b_end, crossing);
                add_crossing(crossing, planes.line(k, 0) - 1, planes.line_stride, sums);
            }
            T *out = &projections(v, r, first);
            for (i64 l = 0; l < std::min(rays_together, columns.shape[0] - first); ++l)
                out[l] += tile.weight[l] * sums[l];
        }
    };
    parallel_for(views.shape[0] * rays.rows, 4, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i)
            if (!rays.empty(i / rays.rows)) {
                project_row(i / rays.rows, i % rays.rows);
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
                take_rays(load_view3d(&views(at.view, 0)), scan, columns, at.column,
                          row_at(scan, at.row), planes, tiles[i]);
                const T *given = &projections(at.view, at.row, at.column);
                for (i64 l = 0; l < std::min(rays_together, columns.shape[0] - at.column); ++l)
                    tiles[i].weight[l] *= given[l];
            }
        });
        parallel_for(planes.count, slab_planes,
                     [&](i64 begin, i64 end, int) { spread_tiles(tiles, begin, end, planes); });
        where.clear();
    };
    for (i64 v = 0; v < views.shape[0]; ++v)
        for (i64 r = 0; r < rays.rows && !rays.empty(v); ++r)
            for (i64 t = 0; t < rays.tiles; ++t) {
                if (!rays.has(v, r, t, planes.axis))
                    continue;
                where.push_back({v, r, t * rays_together});
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
