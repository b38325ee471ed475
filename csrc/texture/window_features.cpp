#include "texture/window_features.hpp"

#include "base/simd.hpp"

#include <algorithm>
#include <limits>

namespace pyrad {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr i64 lanes = 16; // windows whose features are worked out together

// Numbers of directions: that have pairs; that define the two features a single level may not.
constexpr int groups_row = glcm_feature_count, correlations_row = groups_row + 1;
constexpr int imc1_row = correlations_row + 1, table_rows = imc1_row + 1;

// Column k of a table (feature, lanes).
struct LaneColumn {
    double *at;
    double &operator[](int feature) const { return at[feature * lanes]; }
};

// One number of sums per row, windows side by side.
struct LaneSums {
    i64 row[window_sums][lanes];

    PYRAD_HD PairSums of(i64 k) const {
        PairSums p;
        for (int m = 0; m < pair_power_count; ++m)
            p.power[m] = static_cast<u64>(row[m][k]);
        for (int m = 0; m < pair_difference_count; ++m)
            p.difference[m] = row[pair_power_count + m][k];
        p.difference[pair_count] = std::max<i64>(p.difference[pair_count], 1);
        return p;
    }

    PYRAD_HD PairSums with_histograms(i64 k) const {
        PairSums p = of(k);
        p.joint_log = row[moment_sums][k];
        p.marginal_log = row[moment_sums + 1][k];
        p.sum_log = row[moment_sums + 2][k];
        p.difference_log = row[moment_sums + 3][k];
        p.squares = row[moment_sums + 4][k];
        return p;
    }
};

struct Rules {
    PairWeights weights;
    const double *logs;
    double flat_correlation, flat_imc1;
};

PYRAD_CLONES void moment_lanes(const LaneSums &sums, const Rules &rules, double *values) {
    for (i64 k = 0; k < lanes; ++k)
        glcm_moment_features(glcm_sums(sums.of(k), 0, rules.weights), rules.flat_correlation,
                             LaneColumn{values + k});
}

PYRAD_CLONES void entropy_lanes(const LaneSums &sums, const Rules &rules, double *values) {
    double whole[lanes], mutual[lanes];
    for (i64 k = 0; k < lanes; ++k)
        whole[k] = rules.logs[sums.row[pair_power_count + pair_count][k]];
    for (i64 k = 0; k < lanes; ++k) {
        const i32 largest = static_cast<i32>(sums.row[window_sums - 1][k]);
        mutual[k] = glcm_entropies(glcm_sums(sums.with_histograms(k), largest, rules.weights),
                                   whole[k], rules.flat_imc1, LaneColumn{values + k});
    }
    for (i64 k = 0; k < lanes; ++k)
        values[glcm_imc2 * lanes + k] = imc2_of(mutual[k]);
}

// Adds the values of `lanes` windows to columns of the table.
PYRAD_CLONES void add_lanes(const double *values, const double *defined, int features,
                            double *__restrict__ to, i64 stride) {
    for (int f = 0; f < features; ++f)
#pragma GCC unroll 1 // a loop still, for the vectoriser
        for (i64 k = 0; k < lanes; ++k) {
            const double x = values[f * lanes + k];
            to[f * stride + k] += defined[k] * (x == x ? x : 0.0);
        }
#pragma GCC unroll 1
    for (i64 k = 0; k < lanes; ++k) {
        const double r = values[glcm_correlation * lanes + k], i = values[glcm_imc1 * lanes + k];
        to[groups_row * stride + k] += defined[k];
        to[correlations_row * stride + k] += defined[k] * (r == r ? 1.0 : 0.0);
        to[imc1_row * stride + k] += defined[k] * (i == i ? 1.0 : 0.0);
    }
}

} // namespace

WindowFeatures::WindowFeatures(const PairPlan &plan, bool ibsi, bool histograms)
    : plan_(&plan), ibsi_(ibsi), histograms_(histograms) {}

void WindowFeatures::start(i64 windows) {
    stride_ = windows + lanes;
    table_.assign(table_rows * stride_, 0.0);
}

void WindowFeatures::add(const i64 *sums, i64 n, i64 first) {
    const Rules rules{plan_->weights(), plan_->logs(), ibsi_ ? nan : 1.0, ibsi_ ? nan : 0.0};
    const int count = static_cast<int>(width());
    LaneSums part;
    double values[glcm_feature_count * lanes] = {}, defined[lanes];
    for (i64 begin = 0; begin < n; begin += lanes) {
        const i64 filled = std::min(lanes, n - begin);
        for (i64 k = 0; k < lanes; ++k) {
            const i64 *const from = sums + (begin + std::min(k, filled - 1)) * count;
            for (int m = 0; m < count; ++m)
                part.row[m][k] = from[m];
            defined[k] = k < filled && from[pair_power_count + pair_count] > 0 ? 1.0 : 0.0;
        }
        moment_lanes(part, rules, values);
        if (histograms_)
            entropy_lanes(part, rules, values);
        add_lanes(values, defined, glcm_feature_count, table_.data() + first + begin, stride_);
    }
}

void WindowFeatures::write(i64 window, double *out) const {
    const double *const column = table_.data() + window;
    const double groups = column[groups_row * stride_];
    for (int f = 0; f < glcm_feature_count; ++f)
        out[f] = groups > 0 ? column[f * stride_] / groups : nan;
    const double correlations = column[correlations_row * stride_];
    const double imc1 = column[imc1_row * stride_];
    out[glcm_correlation] =
        correlations > 0 ? column[glcm_correlation * stride_] / correlations : nan;
    out[glcm_imc1] = imc1 > 0 ? column[glcm_imc1 * stride_] / imc1 : nan;
    if (!histograms_)
        for (int f : {glcm_difference_entropy, glcm_joint_energy, glcm_joint_entropy, glcm_imc1,
                      glcm_imc2, glcm_maximum_probability, glcm_sum_entropy})
            out[f] = nan;
    out[glcm_mcc] = nan;
}

} // namespace pyrad
