// The general path of the 3D Joseph pair: rays in any direction, 32 of a detector column at a time.
#pragma once

#include "ct/joseph3d_planes.hpp"

#include <vector>

namespace pyrad::joseph {

constexpr i64 rays_together = 32;

// Which rays the fast path leaves over: for every (view, tile of 32 rows, column) the set of their
// dominant axes as bits. All rays of views whose rows do not lie along z; of the others those
// closest to the z axis.
class LeftOver {
  public:
    LeftOver(View<const double, 2> views, View<const double, 2> columns, const Scan3D &scan,
             i64 rows);
    bool any(int axis) const { return (all_ >> axis & 1) != 0; }
    bool has(i64 v, i64 tile, i64 column, int axis) const {
        return !axes_[v].empty() && (axes_[v][tile * columns + column] >> axis & 1) != 0;
    }
    bool empty(i64 v) const { return axes_[v].empty(); }
    const i64 rows, columns, tiles;

  private:
    std::vector<std::vector<u8>> axes_;
    int all_ = 0;
};

// Adds the rays left over whose dominant axis is that of the planes.
template <class T>
void project_rays(const Planes<T> &planes, const LeftOver &rays, View<const double, 2> views,
                  View<const double, 2> columns, const Scan3D &scan, View<T, 3> projections);

template <class T>
void backproject_rays(View<const T, 3> projections, const LeftOver &rays,
                      View<const double, 2> views, View<const double, 2> columns,
                      const Scan3D &scan, Planes<T> &planes);

} // namespace pyrad::joseph
