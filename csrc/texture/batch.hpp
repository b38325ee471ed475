// The matrices of many regions in one call: threads share out the regions. Packed volumes lie
// behind each other in one array, tables in another.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// shapes: per region (first voxel, nz, ny, nx with the margin, grey levels).
constexpr i64 shape_columns = 5;
template <class L> struct PackedRegions {
    const L *levels;
    const i64 *shapes;
    i64 count, pad;

    View<const L, 3> view(i64 r) const {
        const i64 *const s = shapes + shape_columns * r;
        return {levels + s[0], {s[1], s[2], s[3]}, {s[2] * s[3], s[3], 1}};
    }
    i64 ng(i64 r) const { return shapes[shape_columns * r + 4]; }
};

// boxes: per region (first voxel in values and mask, nz, ny, nx). rules: per region (kind, a, b,
// c), kind 0: uniform_level with low a, width b, scale c; kind 1: step_level with first edge a,
// step b. counts: (regions, columns), voxels of level 0, 1, ...; levels are clamped to the regions'
// ng.
template <class T, class L>
void discretise_batch(const T *values, const u8 *mask, const i64 *boxes, const double *rules,
                      const PackedRegions<L> &regions, L *levels, i64 columns, i64 *counts);

// As glcm_count, run_lengths, neighbourhood and find_zones of the whole volume; the tables of
// region r begin at starts[r] (of tones at twice that), its zones at row starts[r].
template <class L>
void glcm_count_batch(const PackedRegions<L> &regions, const i64 *starts, const i32 *offsets,
                      i64 count, u32 *out);
template <class L>
void run_lengths_batch(const PackedRegions<L> &regions, const i64 *starts, const i32 *offsets,
                       i64 count, u64 *out);
template <class L>
void neighbourhood_batch(const PackedRegions<L> &regions, const i64 *starts, const i32 *offsets,
                         i64 count, i32 alpha, u64 *tones, u64 *dependences);
template <class L>
void find_zones_batch(const PackedRegions<L> &regions, const i64 *starts, bool in_plane, i32 *zones,
                      i64 *counts);

} // namespace pyrad
