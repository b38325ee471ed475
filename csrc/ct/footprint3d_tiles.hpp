// Inner loops of footprint3d.cpp: one column of voxels against the detector columns that it meets.
//
// Along z voxel i spans the rows [edge + i * step, edge + (i + 1) * step], step > 0, where row r
// spans [r, r + 1].
#pragma once

#include "ct/footprint_weights.hpp"

namespace pyrad::footprint {

constexpr i64 margin = 40;                   // zeros before and behind the values that are read
constexpr i64 weight_step = footprint_block; // between the weights of a column

struct Column {
    double edge, step;
    i64 row_begin, row_end; // rows that the voxels meet
    i64 slices, columns;    // voxels; detector columns
    i64 stride;             // between detector columns
};

// detector[j * stride + r] += weight[j * weight_step] * step * sum over i of voxels[i] * overlap of
// voxel i and row r in voxels. voxels has `margin` zeros on both sides; up to 15 rows behind
// row_end are written (added zero to).
template <class T>
void add_column(const Column &column, const T *weight, const T *voxels, T *detector);

// voxels[i] += sum over r of overlap in rows * sum over j of
// weight[j * weight_step] * detector[j * stride + r].
// mixed: scratch of the rows and `margin` on both sides.
template <class T>
void take_column(const Column &column, const T *weight, const T *detector, T *mixed, T *voxels);

// AVX-512 forms in single precision; false where the processor or the steps forbid them.
bool add_column_permuting(const Column &column, const float *weight, const float *voxels,
                          float *detector);
bool take_column_permuting(const Column &column, const float *weight, const float *detector,
                           float *mixed, float *voxels);

} // namespace pyrad::footprint
