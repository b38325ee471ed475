// Table (grey level, size) of a window that moves: entries come and go, and its sums follow. They
// are integers (1 / j^2 and c log2 c in fixed point), so a value does not depend on where the
// window came from.
#pragma once

#include "texture/size_features_math.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {

// Levels up to which a window's table is cheap to read.
constexpr i64 most_rolling_levels = 255;

class RollingSizes {
  public:
    // Levels up to ng, sizes up to `largest`, at most `most` entries.
    RollingSizes(i64 ng, i64 largest, i64 most);

    void add(i64 level, i64 size) {
        change<1>(level, size);
        of_level<1>(level, size);
        ++entries_;
        ++counts_[level];
    }

    void remove(i64 level, i64 size) {
        change<-1>(level, size);
        of_level<-1>(level, size);
        --entries_;
        --counts_[level];
    }

    void resize(i64 level, i64 from, i64 to) {
        change<-1>(level, from);
        change<1>(level, to);
        inverses_[level] += inverse_[to] - inverse_[from];
        squares_[level] += to * to - from * from;
        size_sum_ += to - from;
        size_squares_sum_ += to * to - from * from;
    }

    i64 entries() const { return entries_; }
    i64 sizes() const { return size_sum_; } // their sum
    void wipe();

    // Percentages are of the entries' sizes, or, unless `by_size`, of the entries; there are some.
    void features(bool by_size, double *out) const;

  private:
    static constexpr double share_scale = 1LL << 47, log_scale = 1LL << 40;

    template <int by> void change(i64 level, i64 size) {
        i32 &cell = joint_[level * columns_ + size], &column = by_size_[size];
        const i64 n = std::max(cell, cell + by), m = std::max(column, column + by);
        cell += by;
        column += by;
        log_sum_ += by * log_step_[n];
        energy_ += by * (2 * n - 1);
        column_squares_ += by * (2 * m - 1);
    }

    template <int by> void of_level(i64 level, i64 size) {
        size_sum_ += by * size;
        size_squares_sum_ += by * size * size;
        inverses_[level] += by * inverse_[size];
        squares_[level] += by * size * size;
    }

    // Variance, from sums over the entries that are exact.
    double spread(i64 sum, i64 squares) const {
        const double n = static_cast<double>(entries_);
        return static_cast<double>(entries_ * squares - sum * sum) / n / n;
    }

    i64 columns_;
    std::vector<i32> joint_, by_size_;
    std::vector<i64> level_;
    std::vector<double> low_;                      // 1 / i^2
    std::vector<i64> counts_, inverses_, squares_; // per level: number, sums of 1 / j^2 and j^2
    std::vector<i64> inverse_, log_step_;
    i64 entries_ = 0, size_sum_ = 0, size_squares_sum_ = 0; // sums of j and j^2
    i64 log_sum_ = 0, energy_ = 0, column_squares_ = 0;
};

} // namespace pyrad
