// Co-occurrence table of a window that moves: pairs enter and leave one by one, each step updates
// the sums of pair_sums_math.hpp. Entropies change by the step of c log2 c of the counters that are
// touched; what only depends on the cells as they are is read from the rows of the levels present.
#pragma once

#include "texture/lane_eigen.hpp"
#include "texture/pair_graph_math.hpp"
#include "texture/pair_plan.hpp"

#include <vector>

namespace pyrad {

// Entries of a row in steps of which rows are read.
constexpr i64 row_step = 32;

// Pairs of windows whose counts fit into cells of type u16; squares of rows are made of signed
// ones.
constexpr i64 most_pairs_of_u16 = 16383;

template <class Cell> class RollingPairs {
  public:
    // histograms: counters are kept; without them only moments and shares of |i - j| are known.
    // graph: the table's graph is found as well, for mcc(). The plan has to stay.
    RollingPairs(const PairPlan &plan, bool histograms, bool graph);

    void add(const PairList &list);
    void remove(const PairList &list);
    bool wipes() const { return wipes_; } // wipe() is faster than the removal of a window
    void wipe();

    i64 pairs() const { return sums_.difference[pair_count]; }
    // The moment_sums or, with histograms, window_sums numbers (window_features.hpp).
    void write_sums(i64 *out);

    // *result = Mcc, once the queue has been flushed; after write_sums().
    void mcc(EigenQueue &queue, double *result);

  private:
    struct Root {
        double value, inverse;
    };
    template <bool enter> void change(const PairList &list);
    void read_rows();
    bool connected();

    const PairPlan *plan_;
    PairSums sums_;
    i32 largest_ = 0, known_ = 0; // the largest cell; levels listed
    i64 ng_, row_, words_;
    bool histograms_, graph_wanted_, wipes_;
    std::vector<Cell> joint_;                      // (ng, row), symmetric
    std::vector<i32> marginal_, sum_, difference_; // by levels from 0
    std::vector<u64> graph_;                       // per level a bit for each neighbour
    std::vector<i32> levels_, rank_, parent_;      // the window's levels and their places
    std::vector<Root> roots_;                      // of the marginals' counts
};

} // namespace pyrad
