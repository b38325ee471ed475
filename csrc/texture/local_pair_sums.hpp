// GLCM features that are sums over pairs, or polynomials of such sums, in the window around every
// voxel (feature maps): the cost does not depend on the window.
#pragma once

#include "texture/local_glcm.hpp"

#include <algorithm>

namespace pyrad {

// The pairs of one offset within a window: first voxels from low to high (z, y, x) relative to the
// centre, the second voxel `offset` further on.
struct PairBox {
    i64 low[3], high[3], offset = 0;

    PairBox(const i32 *step, const i64 *reach, const i64 *strides) {
        for (int axis = 0; axis < 3; ++axis) {
            low[axis] = -reach[axis] + std::max(0, -step[axis]);
            high[axis] = reach[axis] - std::max(0, step[axis]);
            offset += step[axis] * strides[axis];
        }
    }

    i64 pairs() const {
        i64 count = 1;
        for (int axis = 0; axis < 3; ++axis)
            count *= std::max<i64>(0, high[axis] - low[axis] + 1);
        return count;
    }
};

// As local_glcm without histograms, whose bits it gives: features beyond moments and shares of
// |i - j| are NaN.
template <class L>
void local_pair_sums(View<const L, 3> levels, const i64 *centres, i64 count,
                     const LocalDirections &directions, i64 ng, bool ibsi, double *out);

} // namespace pyrad
