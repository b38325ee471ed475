// Features of tables that count grey level i against a size j: run lengths, zone sizes, zone
// distances, dependence counts.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// p = n_ij / sum n. Order of the columns; N = sum n, V = voxels of the table's region.
enum SizeFeature {
    size_short,        // sum p / j^2
    size_long,         // sum p j^2
    size_low,          // sum p / i^2
    size_high,         // sum p i^2
    size_short_low,    // sum p / (i^2 j^2)
    size_short_high,   // sum p i^2 / j^2
    size_long_low,     // sum p j^2 / i^2
    size_long_high,    // sum p i^2 j^2
    size_level_uneven, // sum_i n_i^2 / N
    size_level_share,  // sum_i n_i^2 / N^2
    size_uneven,       // sum_j n_j^2 / N
    size_share,        // sum_j n_j^2 / N^2
    size_percentage,   // N / V
    size_level_var,
    size_var,
    size_entropy, // -sum p log2 p
    size_energy,  // sum p^2
    size_feature_count
};

// tables: (count, ng, columns) of u64 or double; sizes[c] is the size j that column c counts;
// voxels: (count). out: (count, size_feature_count); NaN for an empty table.
template <class C>
void size_features(const C *tables, i64 count, i64 ng, i64 columns, const double *sizes,
                   const double *voxels, double *out);

} // namespace pyrad
