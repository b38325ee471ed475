// Pairs of grey levels of a plane of a moving window, listed once: they enter a table with their
// sums, and leave it again when the window has passed.
#pragma once

#include "texture/pair_sums_math.hpp"

#include <vector>

namespace pyrad {

// The tables behind PairWeights, for windows of up to `most_pairs` pairs. Fails where sums could
// overflow.
class PairPlan {
  public:
    PairPlan(i64 ng, i64 most_pairs);
    PairWeights weights() const;
    i64 ng() const { return ng_; }
    i64 most_pairs() const { return most_pairs_; }

    // What the u-th pair of a cell adds to the sum of c log2 c over the symmetric table: beside the
    // diagonal, then on it (cell_steps() + most_pairs() + 2).
    const i64 *cell_steps() const { return cells_.data(); }

    // log2 of twice the number of pairs, 0 for none.
    const double *logs() const { return logs_.data(); }

  private:
    i64 ng_, most_pairs_;
    std::vector<i64> one_, twice_, by_sum_, by_difference_, cells_;
    std::vector<double> logs_;
    double log_unit_, share_unit_;
};

// Pairs (i, j) of a plane: the first voxels at base + steps[k], the second `offset` further on.
template <class L> struct PairPlane {
    const L *base;
    const i64 *steps;
    i64 size, offset;
};

// Levels from 0 of the pairs inside the region, i + 65536 j, and the sums that need no counters.
struct PairList {
    u32 *pairs;
    i64 size = 0;
    i64 power[pair_power_count], difference[pair_difference_count];
};

// list.pairs: space for the whole plane.
template <class L> void list_pairs(const PairPlane<L> &plane, const PairPlan &plan, PairList &list);

} // namespace pyrad
