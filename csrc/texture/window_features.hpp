// Means over the directions of the GLCM features of many windows: from the exact sums of each to
// values, several windows at a time.
#pragma once

#include "texture/pair_plan.hpp"

#include <vector>

namespace pyrad {

// Numbers of a window's sums, in the order of PairSums; the largest cell follows. Without
// histograms only the powers and differences.
constexpr int moment_sums = pair_power_count + pair_difference_count;
constexpr int window_sums = sizeof(PairSums) / sizeof(i64) + 1;
static_assert(window_sums == moment_sums + 6);

class WindowFeatures {
  public:
    // histograms: windows have all their sums, and the features beyond moments and shares of
    // |i - j| are found too, but for Mcc. The plan has to stay.
    WindowFeatures(const PairPlan &plan, bool ibsi, bool histograms);

    // Numbers that add() takes of each window: moment_sums or window_sums.
    i64 width() const { return histograms_ ? window_sums : moment_sums; }

    void start(i64 windows);

    // One direction's sums (n, width()) of windows from `first` on. A window without pairs adds
    // nothing.
    void add(const i64 *sums, i64 n, i64 first);

    // glcm_feature_count means; NaN where no direction defines the feature.
    void write(i64 window, double *out) const;

  private:
    const PairPlan *plan_;
    bool ibsi_, histograms_;
    i64 stride_ = 0;
    std::vector<double> table_; // (features and three numbers of directions, stride)
};

} // namespace pyrad
