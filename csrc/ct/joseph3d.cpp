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

namespace pyrad {
namespace {

using namespace joseph;

// Views that the fast path takes, with at least one column along the axis.
std::vector<i64> views_along(int axis, View<const double, 2> views, View<const double, 2> columns) {
    std::vector<i64> which;
    for (i64 v = 0; v < views.shape[0] && axis < 2; ++v) {
        const View3D view = load_view3d(&views(v, 0));
        if (!rows_along_z(view))
            continue;
        for (i64 c = 0; c < columns.shape[0]; ++c) {
            const double a = columns(c, 0), b = columns(c, 1);
            if (dominant_axis(direction_at(view, 0, a, b, 0), direction_at(view, 1, a, b, 0), 0) ==
                axis) {
                which.push_back(v);
                break;
            }
        }
    }
    return which;
}

} // namespace

template <class T>
void project3d(View<const T, 3> volume, View<const double, 2> views, View<const double, 2> columns,
               const Scan3D &scan, View<T, 3> projections) {
    const LeftOver rays(views, columns, scan, projections.shape[1]);
    for (int axis = 0; axis < 3; ++axis) {
        const std::vector<i64> which = views_along(axis, views, columns);
        if (which.empty() && !rays.any(axis))
            continue;
        const Planes<T> planes = copy_planes(volume, axis);
        project_columns(planes, which, views, columns, scan, projections);
        if (rays.any(axis))
            project_rays(planes, rays, views, columns, scan, projections);
    }
}

template <class T>
void backproject3d(View<const T, 3> projections, View<const double, 2> views,
                   View<const double, 2> columns, const Scan3D &scan, View<T, 3> volume) {
    const LeftOver rays(views, columns, scan, projections.shape[1]);
    for (int axis = 0; axis < 3; ++axis) {
        const std::vector<i64> which = views_along(axis, views, columns);
        if (which.empty() && !rays.any(axis))
            continue;
        Planes<T> planes = zero_planes<T>(volume.shape, axis);
        backproject_columns(projections, which, views, columns, scan, planes);
        if (rays.any(axis))
            backproject_rays(projections, rays, views, columns, scan, planes);
        add_planes(planes, volume);
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
