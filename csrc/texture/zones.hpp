// Zones: connected voxels of one grey level, with their size and their distance to the region's
// border; the basis of GLSZM and GLDZM.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// City-block distance of the voxels of a mask to the nearest voxel outside it (1 at the border,
// outside the array is outside), 0 elsewhere and in the margin of `pad` voxels. in_plane: within
// each slice.
void border_distance(View<const u8, 3> mask, i64 pad, bool in_plane, View<u16, 3> out);

// levels: packed volume with a margin of `pad` >= 1. distances: of the same shape, or null.
// in_plane: zones of 8 neighbours within the slice, else of 26 neighbours.
// out: (voxels of the region, 4): level, voxels, smallest distance (0 without distances), slice of
// each zone (0 unless in_plane), in the order of the zones' first voxels. Returns their number.
template <class L>
i64 find_zones(View<const L, 3> levels, i64 pad, bool in_plane, const u16 *distances,
               View<i32, 2> out);

} // namespace pyrad
