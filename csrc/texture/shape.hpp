// Shape of a mask: surface mesh (marching cubes at 0.5), its diameters, moments of the voxels.
#pragma once

#include "base/view.hpp"

namespace pyrad {

struct MeshShape {
    double area, volume;              // mm^2, mm^3
    double slice, column, row, whole; // largest distance of two vertices: of equal z, y, x; any
    i64 extremes;                     // rows written to `vertices`
};

// vertices: (capacity, 3) half voxels (z, y, x), 0 at the outer face of the first voxel: every
// vertex of the mesh that may be one of its convex hull; capacity >= mesh_capacity(shape).
// spacing in mm.
MeshShape mesh_shape(View<const u8, 3> mask, const double *spacing, View<i32, 2> vertices);

i64 mesh_capacity(const std::array<i64, 3> &shape);

// out (10): voxels; sums of z, y, x; of zz, yy, xx, zy, zx, yx (indices).
void mask_moments(View<const u8, 3> mask, i64 *out);

} // namespace pyrad
