// Features of a grey level co-occurrence matrix from sums over its cells; CPU and CUDA, whole
// regions and voxel windows use the same formulas.
//
// With p = cell / n, p_x and p_y the marginals, p_{x+y}(k) and p_{x-y}(k) the histograms of i + j
// and |i - j|, and H() the entropy in bits (Haralick et al., doi:10.1109/TSMC.1973.4309314; IBSI,
// doi:10.1148/radiol.2020191145):
//   Autocorrelation sum ij p; JointAverage mu = sum i p; SumSquares (joint variance) sum (i-mu)^2
//   p; ClusterTendency/Shade/Prominence sum (i+j-mu_x-mu_y)^{2,3,4} p; Contrast sum (i-j)^2 p;
//   DifferenceAverage sum |i-j| p; DifferenceVariance its variance; Correlation (sum ij p - mu_x
//   mu_y) / (s_x s_y); JointEnergy sum p^2; MaximumProbability max p; Id sum p/(1+|i-j|); Idn sum
//   p/(1+|i-j|/ng); Idm sum p/(1+(i-j)^2); Idmn sum p/(1+(i-j)^2/ng^2); InverseVariance sum_{i!=j}
//   p/(i-j)^2; entropies H(p), H(p_{x+y}), H(p_{x-y}); Imc1 (H(p)-H(p_x)-H(p_y)) /
//   max(H(p_x),H(p_y)); Imc2 sqrt(1-exp(-2 (H(p_x)+H(p_y)-H(p)))).
// The last two use -sum p log(p_x p_y) = H(p_x) + H(p_y). Mcc comes from eigen_math.hpp.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// Order of the columns (PyRadiomics' 24 features; IBSI's Dissimilarity equals DifferenceAverage,
// its sum variance equals ClusterTendency).
enum GlcmFeature {
    glcm_autocorrelation,
    glcm_joint_average,
    glcm_cluster_prominence,
    glcm_cluster_shade,
    glcm_cluster_tendency,
    glcm_contrast,
    glcm_correlation,
    glcm_difference_average,
    glcm_difference_entropy,
    glcm_difference_variance,
    glcm_joint_energy,
    glcm_joint_entropy,
    glcm_imc1,
    glcm_imc2,
    glcm_idm,
    glcm_idmn,
    glcm_id,
    glcm_idn,
    glcm_inverse_variance,
    glcm_maximum_probability,
    glcm_sum_average,
    glcm_sum_entropy,
    glcm_sum_squares,
    glcm_mcc,
    glcm_feature_count
};

// Sums over the cells, each weighted with its count. a = i - origin, b = j - origin, s = a + b,
// d = |i - j|; *_log are sums of c log2 c over the cells or histogram bins.
struct GlcmSums {
    double n = 0, origin = 0;
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0, s2 = 0, s3 = 0, s4 = 0, d1 = 0, d2 = 0;
    double id = 0, idn = 0, idm = 0, idmn = 0, inverse = 0;
    double squares = 0, largest = 0;
    double joint_log = 0, x_log = 0, y_log = 0, sum_log = 0, difference_log = 0;
};

// Those that need no histogram. out: a pointer, or what is indexed like one.
template <class Out>
PYRAD_HD void glcm_moment_features(const GlcmSums &g, double flat_correlation, Out out) {
    const double share = 1 / g.n, mx = g.a * share, my = g.b * share, ms = mx + my;
    const double vx = g.aa * share - mx * mx, vy = g.bb * share - my * my;
    const double s2 = g.s2 * share, s3 = g.s3 * share, s4 = g.s4 * share, d1 = g.d1 * share;
    out[glcm_autocorrelation] = g.ab * share + g.origin * ms + g.origin * g.origin;
    out[glcm_joint_average] = g.origin + mx;
    out[glcm_sum_average] = 2 * g.origin + ms;
    out[glcm_sum_squares] = vx;
    out[glcm_cluster_tendency] = s2 - ms * ms;
    out[glcm_cluster_shade] = s3 - 3 * ms * s2 + 2 * ms * ms * ms;
    out[glcm_cluster_prominence] = s4 - 4 * ms * s3 + 6 * ms * ms * s2 - 3 * ms * ms * ms * ms;
    out[glcm_contrast] = g.d2 * share;
    out[glcm_difference_average] = d1;
    out[glcm_difference_variance] = g.d2 * share - d1 * d1;
    out[glcm_correlation] =
        vx > 0 && vy > 0 ? (g.ab * share - mx * my) / sqrt(vx * vy) : flat_correlation;
    out[glcm_id] = g.id * share;
    out[glcm_idn] = g.idn * share;
    out[glcm_idm] = g.idm * share;
    out[glcm_idmn] = g.idmn * share;
    out[glcm_inverse_variance] = g.inverse * share;
}

// Those of the histograms but Imc2, which is imc2_of() what this returns. whole: log2(g.n).
template <class Out>
PYRAD_HD double glcm_entropies(const GlcmSums &g, double whole, double flat_imc1, Out out) {
    const double share = 1 / g.n;
    const auto entropy = [&](double log_sum) { // 0, or at least 1 / n
        const double bits = whole - log_sum * share;
        return bits > 1e-11 ? bits : 0.0;
    };
    const double joint = entropy(g.joint_log), hx = entropy(g.x_log), hy = entropy(g.y_log);
    const double widest = max_of(hx, hy), mutual = max_of(hx + hy - joint, 0.0);
    out[glcm_joint_energy] = g.squares / (g.n * g.n);
    out[glcm_maximum_probability] = g.largest / g.n;
    out[glcm_joint_entropy] = joint;
    out[glcm_sum_entropy] = entropy(g.sum_log);
    out[glcm_difference_entropy] = entropy(g.difference_log);
    out[glcm_imc1] = widest > 0 ? -mutual / widest : flat_imc1;
    return mutual;
}

PYRAD_HD double imc2_of(double mutual) { return sqrt(1 - exp(-2 * mutual)); }

PYRAD_HD void glcm_entropy_features(const GlcmSums &g, double flat_imc1, double *out) {
    out[glcm_imc2] = imc2_of(glcm_entropies(g, log2(g.n), flat_imc1, out));
}

// All but Mcc. `flat_*`: the value of a feature that a single grey level leaves undefined.
PYRAD_HD void glcm_finish(const GlcmSums &g, double flat_correlation, double flat_imc1,
                          double *out) {
    glcm_moment_features(g, flat_correlation, out);
    glcm_entropy_features(g, flat_imc1, out);
}

} // namespace pyrad
