// Table (grey level, size) of one window, for maps of run length, zone and dependence features.
#pragma once

#include "texture/size_features_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace pyrad {

// Entries (level, size) are listed, then counted. Counters are touched, and cleared, only where
// entries fall. sum c log2 c grows with each count by c log2 c - (c - 1) log2 (c - 1), looked up in
// a table, so no pass over the counters is needed.
class LocalSizes {
  public:
    // Levels up to ng of which a window shows at most `window_size`, sizes up to `largest`, and at
    // most `entries` entries.
    LocalSizes(i64 ng, i64 window_size, i64 largest, i64 entries)
        : columns_(largest + 1), ranked_((ng + 1) * columns_ > most_cells), rank_(ng + 1),
          levels_((ranked_ ? std::min(ng, window_size) : ng) + 1), sizes_(columns_),
          joint_(levels_.size() * columns_), level_(entries + 1), size_(entries + 1),
          log_step_(entries + 1), low_(ng + 1), inverse_(columns_) {
        for (size_t c = 2; c < log_step_.size(); ++c) {
            const double x = static_cast<double>(c);
            log_step_[c] = x * std::log2(x) - (x - 1) * std::log2(x - 1);
        }
        for (i64 i = 1; i <= ng; ++i)
            low_[i] = 1 / (static_cast<double>(i) * static_cast<double>(i));
        for (i64 j = 1; j < columns_; ++j)
            inverse_[j] = 1 / (static_cast<double>(j) * static_cast<double>(j));
        for (i64 i = 0; !ranked_ && i <= ng; ++i)
            rank_[i] = static_cast<i32>(i);
    }

    bool empty() const { return known_ == 0; }

    // An entry, if it holds.
    void add_if(bool holds, i32 level, i32 size) {
        level_[known_] = level;
        size_[known_] = size;
        known_ += holds;
    }

    // Percentages are of the entries' sizes, or, unless `by_size`, of the entries. Empties the
    // table.
    void features(bool by_size, double *out) {
        const double n = static_cast<double>(known_);
        if (empty()) {
            std::fill_n(out, size_feature_count, std::numeric_limits<double>::quiet_NaN());
            return;
        }
        SizeSums s;
        s.total = n;
        double voxels = n;
        weigh(s, by_size, voxels);
        count(s);
        size_finish(s, voxels, out);
        known_ = 0;
    }

  private:
    static constexpr i64 most_cells = 1 << 16; // beyond, cells are those of the levels seen

    void weigh(SizeSums &s, bool by_size, double &voxels) const {
        double sums[size_emphasis_count] = {};
        i64 level = 0, size = 0; // deviations from the first entry and their squares
        double level_square = 0, size_square = 0;
        for (i64 k = 0; k < known_; ++k) {
            const i32 i = level_[k], j = size_[k];
            const double low = low_[i], inverse = inverse_[j], a = i - level_[0], b = j - size_[0];
            const double high = static_cast<double>(i) * i, square = static_cast<double>(j) * j;
            sums[size_short] += inverse;
            sums[size_long] += square;
            sums[size_low] += low;
            sums[size_high] += high;
            sums[size_short_low] += inverse * low;
            sums[size_short_high] += inverse * high;
            sums[size_long_low] += square * low;
            sums[size_long_high] += square * high;
            level += i - level_[0];
            size += j - size_[0];
            level_square += a * a;
            size_square += b * b;
        }
        std::copy_n(sums, size_emphasis_count, s.emphases);
        s.level_var = variance_of(s.total, static_cast<double>(level), level_square);
        s.size_var = variance_of(s.total, static_cast<double>(size), size_square);
        if (by_size)
            voxels = static_cast<double>(size + known_ * size_[0]);
    }

    void count(SizeSums &s) {
        i64 energy = 0, level_squares = 0, size_squares = 0;
        i32 seen = 0;
        double log_sum = 0;
        for (i64 k = 0; k < known_; ++k) {
            i32 &rank = rank_[level_[k]];
            if (ranked_ && !rank)
                rank = ++seen;
            const i32 n = ++joint_[rank * columns_ + size_[k]];
            log_sum += log_step_[n];
            energy += 2 * n - 1;
            level_squares += 2 * ++levels_[rank] - 1;
            size_squares += 2 * ++sizes_[size_[k]] - 1;
        }
        for (i64 k = 0; k < known_; ++k) {
            const i32 rank = rank_[level_[k]];
            joint_[rank * columns_ + size_[k]] = 0;
            levels_[rank] = sizes_[size_[k]] = 0;
        }
        for (i64 k = 0; ranked_ && k < known_; ++k)
            rank_[level_[k]] = 0;
        s.entropy = std::max(0.0, std::log2(s.total) - log_sum / s.total);
        s.energy = static_cast<double>(energy) / (s.total * s.total);
        s.level_squares = static_cast<double>(level_squares);
        s.size_squares = static_cast<double>(size_squares);
    }

    i64 columns_, known_ = 0;
    bool ranked_;
    std::vector<i32> rank_, levels_, sizes_, joint_; // rank: the level, or, ranked, of those seen
    std::vector<i32> level_, size_;                  // the entries
    std::vector<double> log_step_, low_, inverse_;
};

} // namespace pyrad
