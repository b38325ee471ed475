// Features of tables that count grey level i against a size j (run length, zone size, zone
// distance, dependence count), from sums over the table. CPU and CUDA.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// p = n_ij / N. Order of the columns; N = sum n, V = voxels of the table's region.
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

constexpr int size_emphasis_count = size_long_high + 1;

struct SizeSums {
    double total = 0;                           // N
    double emphases[size_emphasis_count] = {};  // N times the first features
    double level_squares = 0, size_squares = 0; // sum_i n_i^2, sum_j n_j^2
    double level_var = 0, size_var = 0, entropy = 0, energy = 0;
};

// Adds row i, of which the sums over j of n, n / j^2 and n j^2 are known.
PYRAD_HD void add_emphases(double level, double n, double inverse, double square, double *sums) {
    const double high = level * level, low = 1 / high;
    sums[size_short] += inverse;
    sums[size_long] += square;
    sums[size_low] += n * low;
    sums[size_high] += n * high;
    sums[size_short_low] += inverse * low;
    sums[size_short_high] += inverse * high;
    sums[size_long_low] += square * low;
    sums[size_long_high] += square * high;
}

// Variance from the sums of n deviations (from any origin) and of their squares.
PYRAD_HD double variance_of(double n, double sum, double squares) {
    return (squares - sum * sum / n) / n;
}

PYRAD_HD void size_finish(const SizeSums &s, double voxels, double *out) {
    for (int f = 0; f < size_emphasis_count; ++f)
        out[f] = s.emphases[f] / s.total;
    out[size_level_uneven] = s.level_squares / s.total;
    out[size_level_share] = out[size_level_uneven] / s.total;
    out[size_uneven] = s.size_squares / s.total;
    out[size_share] = out[size_uneven] / s.total;
    out[size_percentage] = s.total / voxels;
    out[size_level_var] = s.level_var;
    out[size_var] = s.size_var;
    out[size_entropy] = s.entropy;
    out[size_energy] = s.energy;
}

} // namespace pyrad
