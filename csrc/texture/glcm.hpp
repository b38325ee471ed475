// Grey level co-occurrence: counts of the pairs (level at p, level at p + offset), one table per
// offset, and the features of such tables.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// levels: packed volume with a margin of `pad` >= max |offset| voxels. offsets: (count, 3), half of
// the directions, as a table and its transpose hold the same pairs.
// out, counters of type C (u32 or u64), not symmetric:
//   by_slice = false: (count, ng, ng)          pairs of the whole volume
//   by_slice = true:  (nz, count, ng, ng)      per slice; offsets must stay in the slice
template <class L, class C>
void glcm_count(View<const L, 3> levels, i64 pad, const i32 *offsets, i64 count, i64 ng,
                bool by_slice, C *out);

// out: (tables, glcm_feature_count), in the order of GlcmFeature; NaN for a table without pairs.
// symmetric: the table plus its transpose is meant. ibsi: undefined values are NaN; else
// PyRadiomics' Correlation 1 and Imc1 0. mcc = false leaves that column NaN (it needs eigenvalues).
template <class C>
void glcm_features(const C *tables, i64 count, i64 ng, bool symmetric, bool ibsi, bool mcc,
                   double *out);

} // namespace pyrad
