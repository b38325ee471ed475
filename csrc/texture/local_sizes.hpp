// Table (grey level, size) of one window, for maps of run length, zone and dependence features.
#pragma once

#include "texture/size_features_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace pyrad {

// Counters are touched, and cleared, only where entries fall. sum c log2 c grows with each count by
// c log2 c - (c - 1) log2 (c - 1), looked up in a table, so no pass over the counters is needed.
class LocalSizes {
  public:
    // Levels up to ng of which a window shows at most `window_size`, sizes up to `largest`, and at
    // most `entries` entries.
    LocalSizes(i64 ng, i64 window_size, i64 largest, i64 entries)
        : columns_(largest + 1), rank_(ng + 1), levels_(std::min(ng, window_size) + 1),
          sizes_(columns_), joint_(levels_.size() * columns_), log_step_(entries + 1),
          inverse_(columns_) {
        for (size_t c = 2; c < log_step_.size(); ++c) {
            const double x = static_cast<double>(c);
            log_step_[c] = x * std::log2(x) - (x - 1) * std::log2(x - 1);
        }
        for (i64 j = 1; j < columns_; ++j)
            inverse_[j] = 1 / (static_cast<double>(j) * static_cast<double>(j));
    }

    bool empty() const { return entries_.empty(); }

    void add(i32 level, i32 size) {
        if (!rank_[level])
            rank_[level] = ++known_;
        const i32 rank = rank_[level];
        const Entry first = entries_.empty() ? Entry{level, size} : entries_[0];
        entries_.push_back({level, size});
        const i32 n = ++joint_[rank * columns_ + size];
        log_sum_ += log_step_[n];
        sums_.energy += 2.0 * n - 1;
        sums_.level_squares += 2.0 * ++levels_[rank] - 1;
        sums_.size_squares += 2.0 * ++sizes_[size] - 1;
        const double j = size, a = level - first.level, b = size - first.size;
        add_emphases(level, 1, inverse_[size], j * j, sums_.emphases);
        level_sum_ += a;
        level_square_ += a * a;
        size_sum_ += b;
        size_square_ += b * b;
    }

    // Percentages are of the entries' sizes, or, unless `by_size`, of the entries.
    void features(bool by_size, double *out) {
        const double n = static_cast<double>(entries_.size());
        if (empty()) {
            std::fill_n(out, size_feature_count, std::numeric_limits<double>::quiet_NaN());
            return;
        }
        SizeSums s = sums_;
        s.total = n;
        s.entropy = std::max(0.0, std::log2(n) - log_sum_ / n);
        s.energy /= n * n;
        s.level_var = variance_of(n, level_sum_, level_square_);
        s.size_var = variance_of(n, size_sum_, size_square_);
        size_finish(s, by_size ? size_sum_ + n * entries_[0].size : n, out);
    }

    void clear() {
        for (const Entry &e : entries_) {
            const i32 rank = rank_[e.level];
            joint_[rank * columns_ + e.size] = 0;
            levels_[rank] = sizes_[e.size] = 0;
        }
        for (const Entry &e : entries_)
            rank_[e.level] = 0;
        entries_.clear();
        known_ = 0;
        sums_ = {};
        log_sum_ = level_sum_ = level_square_ = size_sum_ = size_square_ = 0;
    }

  private:
    struct Entry {
        i32 level, size;
    };

    i64 columns_;
    std::vector<i32> rank_, levels_, sizes_, joint_; // rank: of the levels seen so far, from 1
    std::vector<double> log_step_, inverse_;
    std::vector<Entry> entries_;
    i32 known_ = 0;
    SizeSums sums_;
    double log_sum_ = 0, level_sum_ = 0, level_square_ = 0, size_sum_ = 0, size_square_ = 0;
};

} // namespace pyrad
