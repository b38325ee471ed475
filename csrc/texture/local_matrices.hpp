// Run length, zone, dependence and tone difference features of the window around every voxel
// (feature maps).
#pragma once

#include "texture/local_window.hpp"

namespace pyrad {

// levels: packed, up to ng, with a margin of at least the window's radius; 0 is outside the region.
// centres: flat indices into levels. out: (centres, size_feature_count), for ngtdm (centres,
// ngtdm_feature_count); NaN where a window has no table. Percentages are relative to the voxels
// that the table counts.

// Centres ascend. Lines run along offsets, as in LocalSteps, to direct neighbours. The mean over
// the directions, or, `merged`, the features of all directions' table. left_out: without the
// directions in which no line holds two voxels.
struct RunDirections {
    const i32 *offsets;
    i64 count;
    i64 reach[3];
    bool merged, left_out;
};

template <class L>
void local_glrlm(View<const L, 3> levels, const i64 *centres, i64 count,
                 const RunDirections &directions, i64 ng, double *out);

// Zones hang together through steps to direct neighbours, at most 13.
template <class L>
void local_glszm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &steps,
                 i64 ng, double *out);

// Centres ascend. Pairs whose levels differ by at most alpha depend on each other.
template <class L>
void local_ngldm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &steps,
                 i64 ng, i64 alpha, double *out);

// Centres ascend. alone: voxels without neighbours count, with a difference of 0.
template <class L>
void local_ngtdm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &steps,
                 i64 ng, bool alone, double *out);

// Features of the whole tables (count, ng): numbers n_i, differences s_i. NaN without voxels.
void ngtdm_features(const double *number, const double *difference, i64 count, i64 ng, double *out);

} // namespace pyrad
