// Co-occurrence table of a window that moves: pairs enter and leave one by one, each step updates
// the sums of pair_sums_math.hpp. Entropies change by the step of c log2 c of the counters that are
// touched, so no pass over the table is needed: the cost is that of the pairs.
#pragma once

#include "texture/lane_eigen.hpp"
#include "texture/pair_graph_math.hpp"
#include "texture/pair_sums_math.hpp"

#include <vector>

namespace pyrad {

// The tables behind PairWeights, for windows of up to `most_pairs` pairs. Fails where sums could
// overflow.
class PairPlan {
  public:
    PairPlan(i64 ng, i64 most_pairs);
    PairWeights weights() const;

  private:
    std::vector<i64> one_, twice_, by_sum_, by_difference_;
    double log_unit_, share_unit_;
};

// Pairs (i, j) of a plane: the first voxels at base + steps[k], the second `offset` further on.
template <class L> struct PairPlane {
    const L *base;
    const i64 *steps;
    i64 size, offset;
};

class RollingPairs {
  public:
    // histograms: counters are kept; without them only moments and shares of |i - j| are known.
    // graph: the table's graph is kept as well, for mcc().
    RollingPairs(const PairPlan &plan, i64 ng, i64 most_pairs, bool histograms, bool graph);

    template <class L> void add(const PairPlane<L> &plane);
    template <class L> void remove(const PairPlane<L> &plane);

    i64 pairs() const { return sums_.difference[pair_count]; }
    GlcmSums sums() const { return glcm_sums(sums_, largest_, weights_); }

    // *result = Mcc, once the queue has been flushed
    void mcc(EigenQueue &queue, double *result);

  private:
    template <class L, bool enter, bool graph> void plane(const PairPlane<L> &plane);
    void list_levels();
    bool connected();

    // work(other) for the neighbours of a level up to itself, in ascending order
    template <class Work> void each_below(i32 level, const Work &work) {
        const u64 *const row = graph_.data() + level * words_;
        for (i64 word = 0; word <= level / 64; ++word) {
            u64 bits = row[word];
            if (word == level / 64)
                bits &= ~u64(0) >> (63 - level % 64);
            for (; bits; bits &= bits - 1)
                work(static_cast<i32>(64 * word) + __builtin_ctzll(bits));
        }
    }

    PairWeights weights_;
    PairSums sums_;
    i32 largest_ = 0, known_ = 0; // the largest cell; levels listed
    i64 ng_, words_;
    bool histograms_;
    std::vector<i32> joint_, marginal_, sum_, difference_; // by levels from 0
    std::vector<i32> cells_;                               // cells that hold a count
    std::vector<u64> graph_;                               // per level a bit for each neighbour
    std::vector<i32> levels_, rank_, parent_;              // the window's levels and their places
    std::vector<double> root_;
};

} // namespace pyrad
