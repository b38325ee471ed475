// First-order statistics from sums and quantiles; CPU and CUDA, whole regions and voxel windows.
// With c = x - mean over n values (IBSI reference manual, section 3.4, UHIW):
//   Variance sum c^2 / n; Skewness (sum c^3 / n) / Variance^1.5; Kurtosis (sum c^4 / n) /
//   Variance^2 (IBSI: minus 3); MeanAbsoluteDeviation sum |c| / n; MedianAbsoluteDeviation sum |x -
//   median| / n; RobustMeanAbsoluteDeviation: the same about the mean of the values in [p10, p90],
//   over those; Energy sum (x + shift)^2; RootMeanSquared sqrt(Energy / n); TotalEnergy Energy *
//   voxel volume; Entropy and Uniformity of the grey levels: -sum p log2 p and sum p^2;
//   CoefficientOfVariation sqrt(Variance) / mean; QuartileCoefficientOfDispersion
//   (p75 - p25) / (p75 + p25).
#pragma once

#include "base/portable.hpp"

namespace pyrad {

enum FirstOrderFeature {
    first_order_p10,
    first_order_p90,
    first_order_energy,
    first_order_entropy,
    first_order_interquartile_range,
    first_order_kurtosis,
    first_order_maximum,
    first_order_mean_absolute_deviation,
    first_order_mean,
    first_order_median,
    first_order_minimum,
    first_order_range,
    first_order_robust_mean_absolute_deviation,
    first_order_root_mean_squared,
    first_order_skewness,
    first_order_total_energy,
    first_order_uniformity,
    first_order_variance,
    first_order_median_absolute_deviation,
    first_order_coefficient_of_variation,
    first_order_quartile_coefficient_of_dispersion,
    first_order_feature_count
};

// Same order as the array that Python passes.
struct FirstOrderSums {
    double n, mean, minimum, maximum, squares;
    double second, third, fourth, absolute, about_median; // sums over the values
    double p10, p25, median, p75, p90;
    double robust; // RobustMeanAbsoluteDeviation
    double entropy, uniformity, voxel_volume;
};
constexpr i32 first_order_sum_count = 19;

// `excess` is subtracted from the kurtosis; `flat` is skewness and kurtosis of equal values;
// `undefined` (NaN) that of the quotients with a zero denominator.
PYRAD_HD void first_order_finish(const FirstOrderSums &s, double excess, double flat,
                                 double undefined, double *out) {
    const double n = s.n, variance = s.second / n;
    const bool varies = variance > 0;
    out[first_order_p10] = s.p10;
    out[first_order_p90] = s.p90;
    out[first_order_energy] = s.squares;
    out[first_order_entropy] = s.entropy;
    out[first_order_interquartile_range] = s.p75 - s.p25;
    out[first_order_kurtosis] = varies ? s.fourth / n / (variance * variance) - excess : flat;
    out[first_order_maximum] = s.maximum;
    out[first_order_mean_absolute_deviation] = s.absolute / n;
    out[first_order_mean] = s.mean;
    out[first_order_median] = s.median;
    out[first_order_minimum] = s.minimum;
    out[first_order_range] = s.maximum - s.minimum;
    out[first_order_robust_mean_absolute_deviation] = s.robust;
    out[first_order_root_mean_squared] = sqrt(s.squares / n);
    out[first_order_skewness] = varies ? s.third / n / (variance * sqrt(variance)) : flat;
    out[first_order_total_energy] = s.squares * s.voxel_volume;
    out[first_order_uniformity] = s.uniformity;
    out[first_order_variance] = variance;
    out[first_order_median_absolute_deviation] = s.about_median / n;
    out[first_order_coefficient_of_variation] = s.mean != 0 ? sqrt(variance) / s.mean : undefined;
    out[first_order_quartile_coefficient_of_dispersion] =
        s.p75 + s.p25 != 0 ? (s.p75 - s.p25) / (s.p75 + s.p25) : undefined;
}

// Linear interpolation between the two nearest ranks, with the rounding of numpy.percentile.
PYRAD_HD double quantile_between(double left, double right, double part) {
    return part < 0.5 ? left + (right - left) * part : right - (right - left) * (1 - part);
}

template <class T> PYRAD_HD double sorted_quantile(const T *sorted, i32 n, double q) {
    const double at = q * (n - 1);
    const i32 below = static_cast<i32>(at), above = below + 1 < n ? below + 1 : below;
    return quantile_between(static_cast<double>(sorted[below]), static_cast<double>(sorted[above]),
                            at - below);
}

// What a value adds to the sums about the mean and the median, and to those about the centre of
// the values in [p10, p90].
PYRAD_HD void add_deviations(double x, double centre, FirstOrderSums &s) {
    const double c = x - s.mean, c2 = c * c;
    s.second += c2;
    s.third += c2 * c;
    s.fourth += c2 * c2;
    s.absolute += fabs(c);
    s.about_median += fabs(x - s.median);
    s.robust += x >= s.p10 && x <= s.p90 ? fabs(x - centre) : 0.0;
}

// The sums of n sorted values (the entropy, uniformity and voxel volume are the caller's).
template <class T> PYRAD_HD FirstOrderSums sorted_sums(const T *sorted, i32 n, double shift) {
    FirstOrderSums s{};
    s.n = n;
    s.minimum = static_cast<double>(sorted[0]);
    s.maximum = static_cast<double>(sorted[n - 1]);
    s.p10 = sorted_quantile(sorted, n, 0.10);
    s.p25 = sorted_quantile(sorted, n, 0.25);
    s.median = sorted_quantile(sorted, n, 0.50);
    s.p75 = sorted_quantile(sorted, n, 0.75);
    s.p90 = sorted_quantile(sorted, n, 0.90);
    double total = 0, kept = 0, kept_sum = 0;
    for (i32 k = 0; k < n; ++k) {
        const double x = static_cast<double>(sorted[k]);
        total += x;
        s.squares += (x + shift) * (x + shift);
        if (x >= s.p10 && x <= s.p90) {
            kept += 1;
            kept_sum += x;
        }
    }
    s.mean = s.minimum == s.maximum ? s.minimum : total / n;
    const double centre = kept > 0 ? kept_sum / kept : 0.0;
    for (i32 k = 0; k < n; ++k)
        add_deviations(static_cast<double>(sorted[k]), centre, s);
    s.robust = kept > 0 ? s.robust / kept : nan("");
    return s;
}

} // namespace pyrad
