#include "texture/pair_plan.hpp"

#include "base/error.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace pyrad {
namespace {

#pragma GCC diagnostic ignored "-Wpsabi" // vectors stay within functions of this file
typedef i64 Differences __attribute__((vector_size(8 * pair_difference_count), aligned(8)));
typedef i64 Powers __attribute__((vector_size(8 * pair_power_count), aligned(8)));

// Fixed point: the largest power of two by which sums up to `most` can be multiplied.
double fixed_point(double most) { return std::ldexp(1.0, 61 - std::ilogb(std::max(most, 1.0))); }

i64 fixed(double x) { return static_cast<i64>(std::llround(x)); }

double log_term(double c) { return c > 1 ? c * std::log2(c) : 0.0; }

} // namespace

PairPlan::PairPlan(i64 ng, i64 most_pairs)
    : ng_(ng), most_pairs_(most_pairs), one_(2 * most_pairs + 2), twice_(most_pairs + 2),
      by_sum_(2 * ng * pair_power_count), by_difference_(ng * pair_difference_count) {
    const double pairs = static_cast<double>(std::max<i64>(most_pairs, 1));
    const double top = static_cast<double>(ng), width = 2 * top;
    if (width * width * width * width / 12 * 2 * pairs > 9e18) // of the fourth moment
        fail(ErrorKind::data, "co-occurrence maps of ", ng, " grey levels and windows of ",
             most_pairs, " pairs overflow; use fewer grey levels or a smaller radius");
    const double log_scale = fixed_point(log_term(2 * pairs)), share_scale = fixed_point(pairs);
    log_unit_ = 1 / log_scale;
    share_unit_ = 1 / share_scale;
    const auto term = [&](i64 c) { return fixed(log_scale * log_term(static_cast<double>(c))); };
    for (i64 c = 1; c <= 2 * most_pairs; ++c)
        one_[c] = term(c) - term(c - 1);
    for (i64 c = 1; c <= most_pairs; ++c)
        twice_[c] = term(2 * c) - term(2 * c - 2);
    for (i64 c = 0; c < most_pairs + 2; ++c)
        cells_.push_back(c <= most_pairs ? 2 * one_[c] : 0);
    cells_.insert(cells_.end(), twice_.begin(), twice_.end());
    for (i64 c = 0; c <= most_pairs; ++c)
        logs_.push_back(c ? std::log2(2 * static_cast<double>(c)) : 0.0);
    for (i64 s = 0; s < 2 * ng; ++s) {
        u64 power = 1; // of i + j, levels from 1
        for (int m = 0; m < pair_power_count; ++m) {
            power *= static_cast<u64>(s + 2);
            by_sum_[s * pair_power_count + m] = static_cast<i64>(power);
        }
    }
    for (i64 k = 0; k < ng; ++k) {
        i64 *const row = by_difference_.data() + k * pair_difference_count;
        const double d = static_cast<double>(k), part = d / top;
        row[pair_absolute] = k;
        row[pair_square] = k * k;
        row[pair_id] = fixed(share_scale / (1 + d));
        row[pair_idn] = fixed(share_scale / (1 + part));
        row[pair_idm] = fixed(share_scale / (1 + d * d));
        row[pair_idmn] = fixed(share_scale / (1 + part * part));
        row[pair_inverse] = k ? fixed(share_scale / (d * d)) : 0;
        row[pair_count] = 1;
    }
}

PairWeights PairPlan::weights() const {
    return {one_.data(),           twice_.data(), by_sum_.data(),
            by_difference_.data(), log_unit_,     share_unit_};
}

namespace {

template <class L>
PYRAD_CLONES void list_plane(const PairPlane<L> &plane, const PairWeights &weights,
                             PairList &list) {
    const i64 *const by_sum = weights.by_sum, *const by_difference = weights.by_difference;
    const i64 offset = plane.offset;
    u32 *const pairs = list.pairs;
    Powers power = {};
    Differences difference = {};
    i64 n = 0;
    for (i64 k = 0; k < plane.size; ++k) {
        const L *const at = plane.base + plane.steps[k];
        const i32 i = at[0], j = at[offset];
        if (!i || !j)
            continue;
        pairs[n++] = static_cast<u32>(i - 1) | static_cast<u32>(j - 1) << 16;
        power += *reinterpret_cast<const Powers *>(by_sum + (i + j - 2) * pair_power_count);
        difference += *reinterpret_cast<const Differences *>(
            by_difference + std::abs(i - j) * pair_difference_count);
    }
    list.size = n;
    std::memcpy(list.power, &power, sizeof list.power);
    std::memcpy(list.difference, &difference, sizeof list.difference);
}

} // namespace

template <class L>
void list_pairs(const PairPlane<L> &plane, const PairPlan &plan, PairList &list) {
    list_plane(plane, plan.weights(), list);
}

template void list_pairs(const PairPlane<u8> &, const PairPlan &, PairList &);
template void list_pairs(const PairPlane<u16> &, const PairPlan &, PairList &);

} // namespace pyrad
