// Zwanenburg et al., Radiology 295 (2020) 328, doi:10.1148/radiol.2020191145 (IBSI manual 3.7 and
// 3.11): emphases from sums per level.
#include "texture/rolling_sizes.hpp"

#include "base/simd.hpp"

#include <cmath>

namespace pyrad {
namespace {

#pragma GCC diagnostic ignored "-Wpsabi" // vectors stay within functions of this file
constexpr i64 lanes = 8;
typedef double Lanes __attribute__((vector_size(8 * lanes), aligned(8)));
typedef i64 Whole __attribute__((vector_size(8 * lanes), aligned(8)));

// Sums over levels 0, 1, ... in steps of `lanes`.
struct LevelSums {
    double emphases[size_emphasis_count];
    i64 counts, level, level_square; // sums of n_i^2, n_i i, n_i i^2
};

// Per level: i, 1 / i^2 (0 for level 0); entries, and their sums of 1 / j^2 (in units) and j^2.
struct LevelRows {
    const i64 *level;
    const double *low;
    const i64 *counts, *inverses, *squares;
};

PYRAD_CLONES void sum_levels(const LevelRows &rows, i64 count, double unit, LevelSums &out) {
    const auto at = [](const i64 *x, i64 i) { return *reinterpret_cast<const Whole *>(x + i); };
    const auto real = [](const Whole &x) { return __builtin_convertvector(x, Lanes); };
    Lanes sums[size_emphasis_count] = {};
    Whole counts = {}, levels = {}, level_squares = {};
    for (i64 i = 0; i < count; i += lanes) {
        const Whole level = at(rows.level, i), n = at(rows.counts, i), of_level = n * level;
        counts += n * n;
        levels += of_level;
        level_squares += of_level * level;
        const Lanes low = *reinterpret_cast<const Lanes *>(rows.low + i);
        const Lanes high = real(level * level), entries = real(n);
        const Lanes inverse = real(at(rows.inverses, i)) * unit, square = real(at(rows.squares, i));
        sums[size_short] += inverse;
        sums[size_long] += square;
        sums[size_low] += entries * low;
        sums[size_high] += entries * high;
        sums[size_short_low] += inverse * low;
        sums[size_short_high] += inverse * high;
        sums[size_long_low] += square * low;
        sums[size_long_high] += square * high;
    }
    out = {};
    for (i64 k = 0; k < lanes; ++k) {
        for (int f = 0; f < size_emphasis_count; ++f)
            out.emphases[f] += sums[f][k];
        out.counts += counts[k];
        out.level += levels[k];
        out.level_square += level_squares[k];
    }
}

} // namespace

RollingSizes::RollingSizes(i64 ng, i64 largest, i64 most)
    : columns_(largest + 1), joint_((ng + 1) * columns_), by_size_(columns_),
      level_((ng + lanes) / lanes * lanes), low_(level_.size()), counts_(level_.size()),
      inverses_(level_.size()), squares_(level_.size()), inverse_(columns_), log_step_(most + 1) {
    for (i64 i = 1; i <= ng; ++i) {
        level_[i] = i;
        low_[i] = 1 / static_cast<double>(i * i);
    }
    for (i64 j = 1; j < columns_; ++j)
        inverse_[j] = std::llround(share_scale / static_cast<double>(j * j));
    double before = 0;
    for (i64 c = 2; c <= most; ++c) {
        const double n = static_cast<double>(c), term = n * std::log2(n);
        log_step_[c] = std::llround((term - before) * log_scale);
        before = term;
    }
}

void RollingSizes::wipe() {
    std::fill(joint_.begin(), joint_.end(), 0);
    std::fill(by_size_.begin(), by_size_.end(), 0);
    for (auto *sums : {&counts_, &inverses_, &squares_})
        std::fill(sums->begin(), sums->end(), 0);
    entries_ = size_sum_ = size_squares_sum_ = log_sum_ = energy_ = column_squares_ = 0;
}

void RollingSizes::features(bool by_size, double *out) const {
    SizeSums s;
    const double n = static_cast<double>(entries_);
    s.total = n;
    LevelSums sums;
    sum_levels({level_.data(), low_.data(), counts_.data(), inverses_.data(), squares_.data()},
               static_cast<i64>(level_.size()), 1 / share_scale, sums);
    std::copy_n(sums.emphases, size_emphasis_count, s.emphases);
    s.level_squares = static_cast<double>(sums.counts);
    s.size_squares = static_cast<double>(column_squares_);
    s.level_var = spread(sums.level, sums.level_square);
    s.size_var = spread(size_sum_, size_squares_sum_);
    s.entropy = std::max(0.0, std::log2(n) - static_cast<double>(log_sum_) / log_scale / n);
    s.energy = static_cast<double>(energy_) / (n * n);
    size_finish(s, by_size ? static_cast<double>(size_sum_) : n, out);
}

} // namespace pyrad
