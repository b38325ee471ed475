#pragma once

#include "base/view.hpp"
#include "texture/size_features_math.hpp"

namespace pyrad {

// tables: (count, ng, columns) of u64 or double; sizes[c] is the size j that column c counts;
// voxels: (count). out: (count, size_feature_count); NaN for an empty table.
template <class C>
void size_features(const C *tables, i64 count, i64 ng, i64 columns, const double *sizes,
                   const double *voxels, double *out);

} // namespace pyrad
