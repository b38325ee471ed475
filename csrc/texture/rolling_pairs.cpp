#include "texture/rolling_pairs.hpp"

#include "base/simd.hpp"
#include "base/x86.hpp"
#include "texture/window_features.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace pyrad {
namespace {

constexpr i64 word_bits = 64;
constexpr i64 level_step = 16; // marginals are padded to whole registers

i64 rounded_up(i64 n, i64 step) { return (n + step - 1) / step * step; }

// One more or one less in a counter; the larger of the counts before and after.
template <bool enter> inline i64 touch(i32 &counter) {
    const i32 before = counter;
    counter = before + (enter ? 1 : -1);
    return enter ? before + 1 : before;
}

struct PairLogs {
    i64 marginal, sum, difference;
};

// The steps of the logarithms of the marginals and of the histograms of i + j and |i - j|.
template <bool enter>
PYRAD_CLONES void count_levels(const PairList &list, const PairWeights &w, i32 *marginal, i32 *sum,
                               i32 *difference, PairLogs &logs) {
    const i64 *const one = w.one, *const twice = w.twice;
    const u32 *const pairs = list.pairs;
    i64 marginal_log = 0, sum_log = 0, difference_log = 0;
    for (i64 k = 0; k < list.size; ++k) {
        const i32 i = pairs[k] & 0xffff, j = pairs[k] >> 16;
        marginal_log += one[touch<enter>(marginal[i])];
        marginal_log += one[touch<enter>(marginal[j])];
        sum_log += twice[touch<enter>(sum[i + j])];
        difference_log += twice[touch<enter>(difference[std::abs(i - j)])];
    }
    logs = {marginal_log, sum_log, difference_log};
}

// The steps of the logarithms of the cells; one of the diagonal counts twice.
template <bool enter, class Cell>
PYRAD_CLONES i64 count_cells(const PairList &list, const PairPlan &plan, Cell *joint, i64 row) {
    const i64 *const steps = plan.cell_steps(), diagonal = plan.most_pairs() + 2;
    const u32 *const pairs = list.pairs;
    constexpr Cell change = static_cast<Cell>(enter ? 1 : -1);
    i64 log_sum = 0;
    for (i64 k = 0; k < list.size; ++k) {
        const i64 i = pairs[k] & 0xffff, j = pairs[k] >> 16, same = i == j;
        Cell &forth = joint[i * row + j], &back = joint[j * row + i];
        const i64 before = forth;
        forth = static_cast<Cell>(before + change);
        back = static_cast<Cell>(back + change);
        log_sum += steps[(-same & diagonal) + (before >> same) + (enter ? 1 : 0)];
    }
    return log_sum;
}

// What is read from the rows of the levels present.
struct RowSums {
    i64 squares;
    i32 largest;
};

// graph: of each level, or null.
template <class Cell>
PYRAD_CLONES RowSums read_rows(const Cell *joint, i64 row, const i32 *levels, i32 n, u64 *graph,
                               i64 words) {
    using Square = std::conditional_t<sizeof(Cell) == 2, u32, u64>; // (sum of cells)^2 at most
    Square squares = 0;
    Cell largest = 0;
    for (i32 r = 0; r < n; ++r) {
        const Cell *const from = joint + levels[r] * row;
        for (i64 step = 0; step < row; step += row_step) {
            u32 bits = 0;
            for (i64 j = 0; j < row_step; ++j) {
                const Cell cell = from[step + j];
                bits |= static_cast<u32>(cell != 0) << j;
                squares += static_cast<Square>(cell) * static_cast<Square>(cell);
                largest = std::max(largest, cell);
            }
            if (graph) {
                u64 &word = graph[levels[r] * words + step / word_bits];
                word = step % word_bits ? word | static_cast<u64>(bits) << row_step : bits;
            }
        }
    }
    return {static_cast<i64>(squares), static_cast<i32>(largest)};
}

// Rows and columns of the levels present.
template <class Cell>
void take_levels(const Cell *joint, i64 row, const i32 *levels, i32 n, float *out, i32 out_row) {
    for (i32 r = 0; r < n; ++r) {
        const Cell *const from = joint + levels[r] * row;
        for (i32 q = 0; q < n; ++q)
            out[r * out_row + q] = static_cast<float>(from[levels[q]]);
    }
}

// levels: a register longer than needed.
i32 list_levels(const i32 *marginal, i64 ng, i32 *levels) {
    i32 n = 0;
    for (i64 level = 0; level < ng; ++level) {
        levels[n] = static_cast<i32>(level);
        n += marginal[level] != 0;
    }
    return n;
}

#if defined(PYRAD_X86)
namespace avx512 {

PYRAD_AVX512 i32 list_levels(const i32 *marginal, i64 ng, i32 *levels) {
    const __m512i ramp = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    i32 n = 0;
    for (i64 level = 0; level < ng; level += level_step) {
        const __m512i count = _mm512_loadu_si512(marginal + level);
        const __mmask16 present = _mm512_test_epi32_mask(count, count);
        const __m512i at = _mm512_add_epi32(ramp, _mm512_set1_epi32(static_cast<i32>(level)));
        _mm512_storeu_si512(levels + n, _mm512_maskz_compress_epi32(present, at));
        n += __builtin_popcount(present);
    }
    return n;
}

PYRAD_AVX512 RowSums read_rows(const u16 *joint, i64 row, const i32 *levels, i32 n, u64 *graph,
                               i64 words) {
    __m512i squares = _mm512_setzero_si512(), largest = squares;
    const bool narrow = row == row_step && graph;
    for (i32 r = 0; narrow && r < n; ++r) {
        const __m512i cells = _mm512_loadu_si512(joint + levels[r] * row_step);
        squares = _mm512_add_epi32(squares, _mm512_madd_epi16(cells, cells));
        largest = _mm512_max_epu16(largest, cells);
        graph[levels[r]] = _mm512_test_epi16_mask(cells, cells);
    }
    for (i32 r = 0; !narrow && r < n; ++r) {
        const u16 *const from = joint + levels[r] * row;
        for (i64 step = 0; step < row; step += row_step) {
            const __m512i cells = _mm512_loadu_si512(from + step);
            squares = _mm512_add_epi32(squares, _mm512_madd_epi16(cells, cells));
            largest = _mm512_max_epu16(largest, cells);
            if (graph) {
                const u64 bits = _mm512_test_epi16_mask(cells, cells);
                u64 &word = graph[levels[r] * words + step / word_bits];
                word = step % word_bits ? word | bits << row_step : bits;
            }
        }
    }
    const __m512i halves = _mm512_max_epu32(_mm512_and_si512(largest, _mm512_set1_epi32(0xffff)),
                                            _mm512_srli_epi32(largest, 16));
    return {_mm512_reduce_add_epi32(squares), static_cast<i32>(_mm512_reduce_max_epu32(halves))};
}

// Of tables with one step a row. Writes up to 16 numbers beyond the last of a row.
PYRAD_AVX512 void take_levels(const u16 *joint, const i32 *levels, i32 n, float *out, i32 out_row) {
    const __m256i low = _mm512_cvtepi32_epi16(_mm512_loadu_si512(levels));
    const __m256i high = _mm512_cvtepi32_epi16(_mm512_loadu_si512(levels + level_step));
    const __m512i places = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    const bool wide = n > level_step;
    const __mmask16 rest = static_cast<__mmask16>(wide ? (1u << (out_row - level_step)) - 1 : 0);
    for (i32 r = 0; r < n; ++r) {
        const __m512i cells =
            _mm512_permutexvar_epi16(places, _mm512_loadu_si512(joint + levels[r] * row_step));
        const __m512i first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(cells));
        _mm512_storeu_ps(out + r * out_row, _mm512_cvtepi32_ps(first));
        if (!wide)
            continue;
        const __m512i second = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(cells, 1));
        _mm512_mask_storeu_ps(out + r * out_row + level_step, rest, _mm512_cvtepi32_ps(second));
    }
}

} // namespace avx512
#endif

// Whether the vertices hang together. From both ends, since one step waits for the other.
bool connected_rows(const u64 *rows, u64 present, i32 start) {
    u64 reached = u64(1) << start, done = 0;
    while (reached != present) {
        const u64 waits = reached & ~done;
        if (!waits)
            return false;
        const int first = __builtin_ctzll(waits), last = 63 - __builtin_clzll(waits);
        done |= u64(1) << first | u64(1) << last;
        reached |= rows[first] | rows[last];
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

template <class Cell>
RollingPairs<Cell>::RollingPairs(const PairPlan &plan, bool histograms, bool graph)
    : plan_(&plan), ng_(plan.ng()), row_(rounded_up(ng_, row_step)),
      words_((ng_ + word_bits - 1) / word_bits), histograms_(histograms || graph),
      graph_wanted_(graph), joint_(histograms_ ? ng_ * row_ : 0),
      marginal_(rounded_up(ng_, level_step)), sum_(2 * ng_), difference_(ng_),
      graph_(graph ? ng_ * words_ : 0), levels_(rounded_up(ng_, level_step) + 2 * level_step),
      rank_(ng_), roots_(graph ? 2 * plan.most_pairs() + 1 : 0) {
    for (size_t c = 1; c < roots_.size(); ++c) {
        const double root = std::sqrt(static_cast<double>(c));
        roots_[c] = {root, 1 / root};
    }
    const i64 bytes_of_a_pair = 512; // about as many are filled while a pair is taken away
    wipes_ = static_cast<i64>(joint_.size() * sizeof(Cell)) < bytes_of_a_pair * plan.most_pairs();
}

template <class Cell> template <bool enter> void RollingPairs<Cell>::change(const PairList &list) {
    const i64 sign = enter ? 1 : -1;
    for (int m = 0; m < pair_power_count; ++m)
        sums_.power[m] += static_cast<u64>(sign * list.power[m]);
    for (int m = 0; m < pair_difference_count; ++m)
        sums_.difference[m] += sign * list.difference[m];
    if (!histograms_)
        return;
    PairLogs logs;
    count_levels<enter>(list, plan_->weights(), marginal_.data(), sum_.data(), difference_.data(),
                        logs);
    sums_.marginal_log += sign * logs.marginal;
    sums_.sum_log += sign * logs.sum;
    sums_.difference_log += sign * logs.difference;
    sums_.joint_log += sign * count_cells<enter>(list, *plan_, joint_.data(), row_);
}

template <class Cell> void RollingPairs<Cell>::add(const PairList &list) { change<true>(list); }

template <class Cell> void RollingPairs<Cell>::remove(const PairList &list) { change<false>(list); }

template <class Cell> void RollingPairs<Cell>::wipe() {
    sums_ = {};
    std::fill(joint_.begin(), joint_.end(), Cell{});
    for (std::vector<i32> *counters : {&marginal_, &sum_, &difference_})
        std::fill(counters->begin(), counters->end(), 0);
}

template <class Cell> void RollingPairs<Cell>::read_rows() {
    u64 *const graph = graph_wanted_ ? graph_.data() : nullptr;
    RowSums found;
    const auto read = [&](auto list, auto rows) {
        known_ = list(marginal_.data(), ng_, levels_.data());
        found = rows(joint_.data(), row_, levels_.data(), known_, graph, words_);
    };
#if defined(PYRAD_X86)
    if constexpr (sizeof(Cell) == 2) {
        if (vector_width() == 16)
            read(avx512::list_levels, avx512::read_rows);
        else
            read(list_levels, pyrad::read_rows<Cell>);
    } else
#endif
        read(list_levels, pyrad::read_rows<Cell>);
    sums_.squares = found.squares;
    largest_ = found.largest;
}

template <class Cell> void RollingPairs<Cell>::write_sums(i64 *out) {
    if (!histograms_) {
        std::memcpy(out, &sums_, moment_sums * sizeof(i64));
        return;
    }
    read_rows();
    std::memcpy(out, &sums_, sizeof sums_);
    out[window_sums - 1] = largest_;
}

// Whether Mcc is below 1 (pair_graph_math.hpp).
template <class Cell> bool RollingPairs<Cell>::connected() {
    if (words_ == 1) {
        u64 present = 0;
        for (i32 r = 0; r < known_; ++r)
            present |= u64(1) << levels_[r];
        const bool loops = difference_[0] > 0; // pairs of equal levels
        return loops ? connected_rows(graph_.data(), present, levels_[known_ / 2])
                     : cover_connected(graph_.data(), present);
    }
    for (i32 r = 0; r < known_; ++r)
        rank_[levels_[r]] = r;
    parent_.resize(2 * known_);
    DoubleCover cover(parent_.data(), known_);
    for (i32 r = 0; r < known_ && !cover.connected(); ++r)
        for (i64 word = 0; word < words_; ++word)
            for (u64 bits = graph_[levels_[r] * words_ + word]; bits; bits &= bits - 1) {
                const i32 other = rank_[word_bits * word + __builtin_ctzll(bits)];
                if (other <= r)
                    cover.add_pair(r, other);
            }
    return cover.connected();
}

// As in glcm_features.cpp, over the levels of the window only. Graphs with many pairs a level
// mostly hang together: their eigenvalues are found without a look at them.
template <class Cell> void RollingPairs<Cell>::mcc(EigenQueue &queue, double *result) {
    const bool dense = sizeof(Cell) == 2 && 2 * pairs() > 5 * known_;
    if (known_ < 2 || (!dense && !connected())) {
        *result = known_ < 2 ? 0 : 1;
        return;
    }
    const EigenQueue::Table table = queue.add(known_, 2.0 * static_cast<double>(pairs()), result);
    for (i32 r = 0; r < known_; ++r) {
        const Root root = roots_[marginal_[levels_[r]]];
        table.root[r] = root.value;
        table.inverse[r] = root.inverse;
    }
#if defined(PYRAD_X86)
    if constexpr (sizeof(Cell) == 2)
        if (row_ == row_step && vector_width() == 16)
            return avx512::take_levels(joint_.data(), levels_.data(), known_, table.count,
                                       table.row);
#endif
    take_levels(joint_.data(), row_, levels_.data(), known_, table.count, table.row);
}

template class RollingPairs<u16>;
template class RollingPairs<i32>;

} // namespace pyrad
