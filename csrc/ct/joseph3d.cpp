// Line integrals through a volume by Joseph's method (IEEE Trans. Med. Imaging 1, 1982, doi
// 10.1109/TMI.1982.4307572) in three dimensions: a ray is cut at every plane of voxels across the
// axis it is closest to, and the volume is interpolated bilinearly at the cuts:
//
//     p = weight * sum_k bilerp(plane k, a + k * a_slope, b + k * b_slope)
//
// with zeros around the volume. The adjoint hands the same four weights per cut back; it is
// parallel over blocks of voxels, and every voxel sums its views in order: same bits for any
// number of threads. One axis follows the other, so that one copy of the volume exists at a time.
#include "ct/joseph3d.hpp"

#include "base/pool.hpp"
#include "ct/joseph3d_columns.hpp"
#include "ct/joseph3d_rays.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad {
namespace {

using namespace joseph;

// The part of a scan whose rays have one dominant axis: views of the fast path with at least one
// such column, the rays left over, and the slices that all of them stay within.
struct AlongAxis {
    std::vector<i64> which;
    bool rays;
    i64 first, last;

    bool empty() const { return which.empty() && !rays; }
};

// Lowest and highest slice position (1 is the first slice) of a column's rays within the volume.
void widen(const Path3D &path, PlaneRange planes, i64 rows, double &low, double &high) {
    if (planes.begin >= planes.end)
        return;
    for (const i64 k : {planes.begin, planes.end - 1})
        for (const i64 r : {i64(0), rows - 1}) { // bilinear in k and r: the corners are extreme
            const double plane = static_cast<double>(k), row = static_cast<double>(r);
            const double z =
                (path.base + plane * path.base_slope) + row * (path.step + plane * path.step_slope);
            low = std::min(low, z);
            high = std::max(high, z);
        }
}

AlongAxis along_axis(int axis, const LeftOver &rays, const std::array<i64, 3> &shape,
                     View<const double, 2> views, View<const double, 2> columns,
                     const Scan3D &scan) {
    AlongAxis part{{}, rays.any(axis), 0, shape[0]};
    const i64 count = axis == 0 ? shape[2] : shape[1], lines = axis == 0 ? shape[1] : shape[2];
    double low = beyond, high = -beyond;
    for (i64 v = 0; v < views.shape[0] && axis < 2; ++v) {
        const View3D view = load_view3d(&views(v, 0));
        if (!rows_along_z(view))
            continue;
        bool any = false;
        for (i64 c = 0; c < columns.shape[0]; ++c) {
            const Path3D path = path3d(view, scan, columns(c, 0), columns(c, 1));
            if (path.axis != axis)
                continue;
            any = true;
            widen(path,
                  planes_met(path.start, path.slope, static_cast<double>(lines),
                             in_front(path.from, path.to, count)),
                  rays.rows, low, high);
        }
        if (any)
            part.which.push_back(v);
    }
    if (!part.rays) {
        const double n = static_cast<double>(shape[0]);
        part.first = static_cast<i64>(std::clamp(std::floor(low) - 2, 0.0, n));
        part.last = static_cast<i64>(std::clamp(std::ceil(high) + 2, 0.0, n));
        if (part.first >= part.last) // every ray misses
            part.which.clear();
    }
    return part;
}

// A volume's slices [first, last).
template <class T> View<T, 3> slab(View<T, 3> volume, const AlongAxis &part) {
    volume.data += part.first * volume.stride[0];
    volume.shape[0] = part.last - part.first;
    return volume;
}

// Views with z counted from the first slice of the slab.
std::vector<double> lower_views(View<const double, 2> views, i64 first) {
    std::vector<double> lowered(views.data, views.data + views.size());
    for (size_t v = 0; v < lowered.size(); v += view3d_numbers)
        lowered[v + 2] -= static_cast<double>(first);
    return lowered;
}

} // namespace

template <class T>
void project3d(View<const T, 3> volume, View<const double, 2> views, View<const double, 2> columns,
               const Scan3D &scan, View<T, 3> projections) {
    const LeftOver rays(views, columns, scan, projections.shape[1]);
    for (int axis = 0; axis < 3; ++axis) {
        const AlongAxis part = along_axis(axis, rays, volume.shape, views, columns, scan);
        if (part.empty())
            continue;
        const std::vector<double> lowered = lower_views(views, part.first);
        const auto seen = contiguous<const double, 2>(lowered.data(), views.shape);
        const Planes<T> planes = copy_planes(slab(volume, part), axis);
        project_columns(planes, part.which, seen, columns, scan, projections);
        if (part.rays)
            project_rays(planes, rays, seen, columns, scan, projections);
    }
}

template <class T>
void backproject3d(View<const T, 3> projections, View<const double, 2> views,
                   View<const double, 2> columns, const Scan3D &scan, View<T, 3> volume) {
    const LeftOver rays(views, columns, scan, projections.shape[1]);
    for (int axis = 0; axis < 3; ++axis) {
        const AlongAxis part = along_axis(axis, rays, volume.shape, views, columns, scan);
        if (part.empty())
            continue;
        const std::vector<double> lowered = lower_views(views, part.first);
        const auto seen = contiguous<const double, 2>(lowered.data(), views.shape);
        const View<T, 3> target = slab(volume, part);
        Planes<T> planes = zero_planes<T>(target.shape, axis);
        backproject_columns(projections, part.which, seen, columns, scan, planes);
        if (part.rays)
            backproject_rays(projections, rays, seen, columns, scan, planes);
        add_planes(planes, target);
    }
}

#define PYRAD_INSTANCE(T)                                                                          \
    template void project3d(View<const T, 3>, View<const double, 2>, View<const double, 2>,        \
                            const Scan3D &, View<T, 3>);                                           \
    template void backproject3d(View<const T, 3>, View<const double, 2>, View<const double, 2>,    \
                                const Scan3D &, View<T, 3>);
PYRAD_INSTANCE(float)
PYRAD_INSTANCE(double)

} // namespace pyrad
