#include "texture/rolling_pairs.hpp"

#include "base/error.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace pyrad {
namespace {

#pragma GCC diagnostic ignored "-Wpsabi" // vectors stay within functions of this file
typedef i64 Differences __attribute__((vector_size(8 * pair_difference_count), aligned(8)));
typedef i64 Powers __attribute__((vector_size(8 * pair_power_count), aligned(8)));

struct PairListSums {
    Powers power;
    Differences difference;
};

struct PairLogs {
    i64 marginal, sum, difference;
};

constexpr i64 word_bits = 64;

// Fixed point: the largest power of two by which sums up to `most` can be multiplied.
double fixed_point(double most) { return std::ldexp(1.0, 61 - std::ilogb(std::max(most, 1.0))); }

i64 fixed(double x) { return static_cast<i64>(std::llround(x)); }

double log_term(double c) { return c > 1 ? c * std::log2(c) : 0.0; }

} // namespace

PairPlan::PairPlan(i64 ng, i64 most_pairs)
    : one_(2 * most_pairs + 2), twice_(most_pairs + 2), by_sum_(2 * ng * pair_power_count),
      by_difference_(ng * pair_difference_count) {
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

RollingPairs::RollingPairs(const PairPlan &plan, i64 ng, i64 most_pairs, bool histograms,
                           bool graph)
    : weights_(plan.weights()), ng_(ng), words_((ng + word_bits - 1) / word_bits),
      histograms_(histograms || graph), joint_(histograms_ ? ng * ng : 0), marginal_(ng),
      sum_(2 * ng), difference_(ng), cells_(2 * most_pairs + 1), graph_(graph ? ng * words_ : 0),
      levels_(ng + 1), rank_(ng), root_(graph ? 2 * most_pairs + 1 : 0) {
    for (size_t c = 0; c < root_.size(); ++c)
        root_[c] = std::sqrt(static_cast<double>(c));
}

namespace {

constexpr i64 batch = 256; // pairs at a time

// Levels from 0 of the pairs of a plane.
struct PairList {
    i32 size, first[batch], second[batch];
};

// The pairs from k on, as many as fit, and their sums that need no counters.
template <class L>
PYRAD_CLONES i64 list_pairs(const PairPlane<L> &plane, i64 k, const i64 *by_sum,
                            const i64 *by_difference, PairList &list, PairListSums &sums) {
    const i64 end = std::min(plane.size, k + batch), offset = plane.offset;
    Powers power = {};
    Differences difference = {};
    i32 n = 0;
    for (; k < end; ++k) {
        const L *const at = plane.base + plane.steps[k];
        const i32 i = at[0], j = at[offset];
        if (!i || !j)
            continue;
        list.first[n] = i - 1;
        list.second[n++] = j - 1;
        power += *reinterpret_cast<const Powers *>(by_sum + (i + j - 2) * pair_power_count);
        difference += *reinterpret_cast<const Differences *>(
            by_difference + std::abs(i - j) * pair_difference_count);
    }
    list.size = n;
    sums = {power, difference};
    return end;
}

// One more or one less in a counter; the step of its logarithm's table.
template <bool enter> inline i64 touch(i32 &counter) {
    const i32 before = counter;
    counter = before + (enter ? 1 : -1);
    return enter ? before + 1 : before;
}

// The steps of the logarithms of the marginals and of the histograms of i + j and |i - j|.
template <bool enter>
PYRAD_CLONES void count_levels(const PairList &list, const PairWeights &w, i32 *marginal, i32 *sum,
                               i32 *difference, PairLogs &logs) {
    const i64 *const one = w.one, *const twice = w.twice;
    i64 marginal_log = 0, sum_log = 0, difference_log = 0;
    for (i32 k = 0; k < list.size; ++k) {
        const i32 i = list.first[k], j = list.second[k];
        marginal_log += one[touch<enter>(marginal[i])];
        marginal_log += one[touch<enter>(marginal[j])];
        sum_log += twice[touch<enter>(sum[i + j])];
        difference_log += twice[touch<enter>(difference[std::abs(i - j)])];
    }
    logs = {marginal_log, sum_log, difference_log};
}

// Cells of the lower triangle. A cell of the diagonal counts twice, others stand in the table
// twice.
struct CellCounters {
    i32 *joint, *cells;
    u64 *graph;
    i64 ng, words;
};

template <bool enter, bool with_graph>
PYRAD_CLONES void count_cells(const PairList &list, const PairWeights &weights,
                              const CellCounters &counters, i64 &joint_log, i64 &squares,
                              i32 &most) {
    const CellCounters c = counters;
    const i64 *const steps[2] = {weights.one, weights.twice};
    i64 log_sum = 0, square_sum = 0;
    i32 largest = most;
    for (i32 k = 0; k < list.size; ++k) {
        const i32 i = list.first[k], j = list.second[k], d = std::abs(i - j);
        const i32 same = d == 0, high = (i + j + d) / 2, low = i + j - high;
        const i64 u = touch<enter>(c.joint[high * c.ng + low]);
        log_sum += steps[same][u] << (1 - same);
        square_sum += (2 * u - 1) << (1 + same);
        const i64 more = u << same, less = (u - 1) << same;
        c.cells[less] += enter ? -1 : 1;
        c.cells[more] += enter ? 1 : -1;
        if (enter)
            largest = std::max(largest, static_cast<i32>(more));
        if (with_graph) {
            u64 &forth = c.graph[i * c.words + j / word_bits];
            const u64 lost = !enter && u == 1;
            forth = enter ? forth | u64(1) << j % word_bits : forth & ~(lost << j % word_bits);
            u64 &back = c.graph[j * c.words + i / word_bits];
            back = enter ? back | u64(1) << i % word_bits : back & ~(lost << i % word_bits);
        }
    }
    joint_log = log_sum;
    squares = square_sum;
    most = largest;
}

// Whether the vertices hang together.
bool connected_rows(const u64 *rows, u64 present) {
    u64 reached = present & -present, done = 0;
    while (reached != present) {
        const u64 waits = reached & ~done;
        if (!waits)
            return false;
        done |= waits & -waits;
        reached |= rows[__builtin_ctzll(waits)];
    }
    return true;
}

// A node of the double cover is reached if its bit is set in `even` or `odd`.
bool cover_connected(const u64 *rows, u64 present) {
    u64 even = present & -present, odd = 0, even_done = 0, odd_done = 0;
    while (true) {
        if (const u64 waits = even & ~even_done) {
            even_done |= waits & -waits;
            odd |= rows[__builtin_ctzll(waits)];
        } else if (const u64 others = odd & ~odd_done) {
            odd_done |= others & -others;
            even |= rows[__builtin_ctzll(others)];
        } else {
            return false;
        }
        if (even == present && odd == present)
            return true;
    }
}

} // namespace

template <class L, bool enter, bool graph> void RollingPairs::plane(const PairPlane<L> &plane) {
    const CellCounters cells{joint_.data(), cells_.data(), graph_.data(), ng_, words_};
    const i64 sign = enter ? 1 : -1;
    PairList list;
    PairListSums sums;
    PairLogs logs;
    for (i64 k = 0; k < plane.size;) {
        k = list_pairs(plane, k, weights_.by_sum, weights_.by_difference, list, sums);
        for (int m = 0; m < pair_power_count; ++m)
            sums_.power[m] += static_cast<u64>(sign * sums.power[m]);
        for (int m = 0; m < pair_difference_count; ++m)
            sums_.difference[m] += sign * sums.difference[m];
        if (!histograms_)
            continue;
        count_levels<enter>(list, weights_, marginal_.data(), sum_.data(), difference_.data(),
                            logs);
        sums_.marginal_log += sign * logs.marginal;
        sums_.sum_log += sign * logs.sum;
        sums_.difference_log += sign * logs.difference;
        i64 joint_log, squares;
        count_cells<enter, graph>(list, weights_, cells, joint_log, squares, largest_);
        sums_.joint_log += sign * joint_log;
        sums_.squares += sign * squares;
    }
    while (!enter && largest_ && !cells_[largest_])
        --largest_;
}

template <class L> void RollingPairs::add(const PairPlane<L> &where) {
    if (graph_.empty())
        plane<L, true, false>(where);
    else
        plane<L, true, true>(where);
}

template <class L> void RollingPairs::remove(const PairPlane<L> &where) {
    if (graph_.empty())
        plane<L, false, false>(where);
    else
        plane<L, false, true>(where);
}

void RollingPairs::list_levels() {
    i32 n = 0;
    for (i64 level = 0; level < ng_; ++level) {
        levels_[n] = static_cast<i32>(level);
        rank_[level] = n;
        n += marginal_[level] != 0;
    }
    known_ = n;
}

// Whether Mcc is below 1 (pair_graph_math.hpp).
bool RollingPairs::connected() {
    if (words_ == 1) {
        u64 present = 0, loops = 0;
        for (i32 r = 0; r < known_; ++r) {
            const u64 bit = u64(1) << levels_[r];
            present |= bit;
            loops |= graph_[levels_[r]] & bit;
        }
        return loops ? connected_rows(graph_.data(), present)
                     : cover_connected(graph_.data(), present);
    }
    parent_.resize(2 * known_);
    DoubleCover cover(parent_.data(), known_);
    for (i32 r = 0; r < known_; ++r)
        each_below(levels_[r], [&](i32 other) {
            if (!cover.connected())
                cover.add_pair(r, rank_[other]);
        });
    return cover.connected();
}

// As in glcm_features.cpp, over the levels of the window only.
void RollingPairs::mcc(EigenQueue &queue, double *result) {
    list_levels();
    if (known_ < 2 || !connected()) {
        *result = known_ < 2 ? 0 : 1;
        return;
    }
    EigenQueue::Table &table = queue.add(known_, 2.0 * static_cast<double>(pairs()), result);
    i32 *const place = table.place, *const count = table.count;
    i64 cells = 0;
    for (i32 r = 0; r < known_; ++r) {
        const i32 level = levels_[r], first = r * table.row;
        const i32 *const row = joint_.data() + level * ng_;
        table.root[r] = root_[marginal_[level]];
        each_below(level, [&](i32 other) {
            place[cells] = first + rank_[other];
            count[cells++] = row[other] << (other == level);
        });
    }
    table.cells = cells;
}

#define PYRAD_ROLLING(L)                                                                           \
    template void RollingPairs::add(const PairPlane<L> &);                                         \
    template void RollingPairs::remove(const PairPlane<L> &);
PYRAD_ROLLING(u8)
PYRAD_ROLLING(u16)
#undef PYRAD_ROLLING

} // namespace pyrad
