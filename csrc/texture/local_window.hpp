// Windows around voxels (feature maps), and the pairs of neighbours within one.
#pragma once

#include "base/view.hpp"

#include <vector>

namespace pyrad {

// offsets: (count, 3) steps (z, y, x) to neighbours, one of each pair of opposite ones, the one
// that comes later in C order. reach: of the window from its centre, per axis.
struct LocalSteps {
    const i32 *offsets;
    i64 count;
    i64 reach[3];

    i64 voxels() const { return (2 * reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1); }

    bool inside(i64 z, i64 y, i64 x) const {
        return z >= -reach[0] && z <= reach[0] && y >= -reach[1] && y <= reach[1] &&
               x >= -reach[2] && x <= reach[2];
    }

    // work(z, y, x), the window's voxels in C order.
    template <class Work> void each_voxel(const Work &work) const {
        for (i64 z = -reach[0]; z <= reach[0]; ++z)
            for (i64 y = -reach[1]; y <= reach[1]; ++y)
                for (i64 x = -reach[2]; x <= reach[2]; ++x)
                    work(z, y, x);
    }
};

// offsets: flat offsets of the window's voxels from the centre. pairs: positions in the window, two
// by two, of voxels that are neighbours.
struct LocalPairs {
    std::vector<i64> offsets;
    std::vector<i32> pairs;
    i64 size;

    LocalPairs(const LocalSteps &steps, const i64 *shape) : size(steps.voxels()) {
        const i64 *const r = steps.reach;
        steps.each_voxel([&](i64 z, i64 y, i64 x) {
            const i64 at = static_cast<i64>(offsets.size());
            offsets.push_back((z * shape[1] + y) * shape[2] + x);
            for (i64 d = 0; d < steps.count; ++d) {
                const i32 *const by = steps.offsets + 3 * d;
                if (!steps.inside(z + by[0], y + by[1], x + by[2]))
                    continue;
                const i64 step = (by[0] * (2 * r[1] + 1) + by[1]) * (2 * r[2] + 1) + by[2];
                pairs.push_back(static_cast<i32>(at));
                pairs.push_back(static_cast<i32>(at + step));
            }
        });
    }
};

// Levels of the window around a voxel; 0 is outside the region.
template <class L> void copy_window(const L *centre, const i64 *offsets, i64 size, i32 *levels) {
    for (i64 v = 0; v < size; ++v)
        levels[v] = centre[offsets[v]];
}

} // namespace pyrad
