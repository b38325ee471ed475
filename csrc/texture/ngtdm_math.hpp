// Features of a neighbourhood grey tone difference matrix (Amadasun & King, IEEE Trans. SMC 19
// (1989) 1264, doi:10.1109/21.44046; IBSI manual 3.10). CPU and CUDA.
//   p_i = n_i / N, s_i the sum of |i - mean of the neighbours|, g levels present
//   Coarseness = 1 / sum p_i s_i, Contrast = sum_ij p_i p_j (i - j)^2 / (g (g - 1)) sum s_i / N
//   Busyness = sum p_i s_i / sum_ij |i p_i - j p_j|
//   Complexity = sum_ij |i - j| (p_i s_i + p_j s_j) / (p_i + p_j) / N
//   Strength = sum_ij (p_i + p_j) (i - j)^2 / sum s_i
#pragma once

#include "base/portable.hpp"

namespace pyrad {

constexpr int ngtdm_feature_count = 5;

struct NgtdmSums {
    double weighted = 0, spread = 0, present = 0;                 // sum p_i s_i, sum s_i, g
    double contrast = 0, steps = 0, complexity = 0, strength = 0; // over i < j; steps: N times
};

// Adds row k: itself, and its pairs with the rows before. Rows with n = 0 do not count.
PYRAD_HD void ngtdm_add_row(i64 k, const double *level, const double *n, const double *s,
                            double total, NgtdmSums &sums) {
    if (n[k] == 0)
        return;
    const double p = n[k] / total, ps = p * s[k];
    sums.weighted += ps;
    sums.spread += s[k];
    sums.present += 1;
    for (i64 m = 0; m < k; ++m) {
        if (n[m] == 0)
            continue;
        const double q = n[m] / total, d = level[k] - level[m], away = d < 0 ? -d : d;
        const double step = level[k] * n[k] - level[m] * n[m]; // exact, 0 where both are alike
        sums.contrast += p * q * d * d;
        sums.steps += step < 0 ? -step : step;
        sums.complexity += away * (ps + q * s[m]) / (p + q);
        sums.strength += (p + q) * d * d;
    }
}

// total = N > 0
PYRAD_HD void ngtdm_finish(const NgtdmSums &sums, double total, double *out) {
    const double flat_coarseness = 1e6, pairs = sums.present * (sums.present - 1);
    out[0] = sums.weighted > 0 ? 1 / sums.weighted : flat_coarseness;
    out[1] = pairs > 0 ? 2 * sums.contrast / pairs * sums.spread / total : 0.0;
    out[2] = sums.steps > 0 ? sums.weighted * total / (2 * sums.steps) : 0.0;
    out[3] = 2 * sums.complexity / total;
    out[4] = sums.spread > 0 ? 2 * sums.strength / sums.spread : 0.0;
}

} // namespace pyrad
