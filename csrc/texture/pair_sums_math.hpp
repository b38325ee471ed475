// Sums over the pairs of a window, from which the GLCM features follow. All are integers (c log2 c
// and the weights of |i - j| in fixed point), so pairs can come and go in any order while the
// window moves and what remains is exact. CPU and CUDA.
#pragma once

#include "texture/glcm_math.hpp"

namespace pyrad {

// Sums over |i - j| of a pair, in the order of a row of PairWeights::by_difference.
enum PairDifference {
    pair_absolute,
    pair_square,
    pair_id,
    pair_idn,
    pair_idm,
    pair_idmn,
    pair_inverse,
    pair_count,
    pair_difference_count
};

constexpr int pair_power_count = 4;

// Steps of T(c) = c log2 c in units of log_unit: one[c] = T(c) - T(c - 1), twice[c] = T(2 c) -
// T(2 c - 2). by_sum: (2 ng, pair_power_count), powers of i + j (row 0: 2), modulo 2^64.
// by_difference: (ng, pair_difference_count), those that are no integers in units of share_unit.
struct PairWeights {
    const i64 *one, *twice, *by_sum, *by_difference;
    double log_unit, share_unit;
};

// power[m]: sum of (i + j)^(m + 1), modulo 2^64; sums about the mean fit again.
struct PairSums {
    u64 power[pair_power_count] = {0, 0, 0, 0};
    i64 difference[pair_difference_count] = {0, 0, 0, 0, 0, 0, 0, 0};
    i64 joint_log = 0, marginal_log = 0, sum_log = 0, difference_log = 0, squares = 0;
};

// The symmetric table's sums: each pair stands in it twice. `largest`: of its cells.
PYRAD_HD GlcmSums glcm_sums(const PairSums &p, i32 largest, const PairWeights &w) {
    GlcmSums g;
    const u64 n = static_cast<u64>(p.difference[pair_count]);
    const double pairs = static_cast<double>(n);
    g.n = 2 * pairs;
    g.origin = rint(static_cast<double>(p.power[0]) / g.n);
    const u64 o = static_cast<u64>(2 * g.origin); // of i + j
    const u64 s1 = p.power[0], s2 = p.power[1], s3 = p.power[2], s4 = p.power[3];
    const auto exact = [](u64 x) { return static_cast<double>(static_cast<i64>(x)); };
    const double square = static_cast<double>(p.difference[pair_square]);
    const double s = exact(s1 - o * n), ss = exact(s2 - 2 * o * s1 + o * o * n);
    g.a = g.b = s;
    g.aa = g.bb = 0.5 * (ss + square);
    g.ab = 0.5 * (ss - square);
    g.s2 = 2 * ss;
    g.s3 = 2 * exact(s3 - 3 * o * s2 + 3 * o * o * s1 - o * o * o * n);
    g.s4 = 2 * exact(s4 - 4 * o * s3 + 6 * o * o * s2 - 4 * o * o * o * s1 + o * o * o * o * n);
    g.d1 = 2 * static_cast<double>(p.difference[pair_absolute]);
    g.d2 = 2 * square;
    const double share = 2 * w.share_unit;
    g.id = share * static_cast<double>(p.difference[pair_id]);
    g.idn = share * static_cast<double>(p.difference[pair_idn]);
    g.idm = share * static_cast<double>(p.difference[pair_idm]);
    g.idmn = share * static_cast<double>(p.difference[pair_idmn]);
    g.inverse = share * static_cast<double>(p.difference[pair_inverse]);
    g.squares = static_cast<double>(p.squares);
    g.largest = largest;
    g.joint_log = w.log_unit * static_cast<double>(p.joint_log);
    g.x_log = g.y_log = w.log_unit * static_cast<double>(p.marginal_log);
    g.sum_log = w.log_unit * static_cast<double>(p.sum_log);
    g.difference_log = w.log_unit * static_cast<double>(p.difference_log);
    return g;
}

} // namespace pyrad
