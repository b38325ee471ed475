// A voxel's difference |i - mean of its neighbours| = |i n - sum| / n is a whole number of units
// 1 / lcm(1 .. 26), so sums over the voxels of a level are exact, whatever way the window came.
// Of the features' sums over pairs of levels those of (i - j)^2 follow from sums over levels.
#include "texture/rolling_tones.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "texture/ngtdm_math.hpp"
#include "texture/rolling_neighbours.hpp"
#include "texture/rolling_sizes.hpp"

#include <limits>

namespace pyrad {
namespace {

#pragma GCC diagnostic ignored "-Wpsabi" // vectors stay within functions of this file
constexpr i64 most_neighbours = 26;
constexpr i64 unit = 26771144400; // lcm(1 .. 26)
constexpr i64 word_lanes = 8;
typedef u32 Words __attribute__((vector_size(4 * word_lanes), aligned(4)));

// A voxel shows its neighbours a one above the shift and its level below.
constexpr int number_shift = 16;
constexpr u32 sum_mask = (u32(1) << number_shift) - 1;

// Four registers of places at a time.
PYRAD_CLONES void add_words(const u32 *other, const i64 *steps, i64 count, i64 length, u32 *out) {
    const auto at = [](const u32 *x) { return *reinterpret_cast<const Words *>(x); };
    static_assert(NeighbourPlanes::block == 4 * word_lanes, "length is a multiple");
    for (i64 k = 0; k < length; k += 4 * word_lanes) {
        Words a = {}, b = {}, c = {}, d = {};
        for (i64 s = 0; s < count; ++s) {
            const u32 *const there = other + k + steps[s];
            a += at(there);
            b += at(there + word_lanes);
            c += at(there + 2 * word_lanes);
            d += at(there + 3 * word_lanes);
        }
        Words *const to = reinterpret_cast<Words *>(out + k);
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
    }
}

constexpr i64 lanes = 4; // GCC compares wider registers number by number
typedef double Lanes __attribute__((vector_size(8 * lanes), aligned(8)));

// Rows of the levels present, up to a multiple of the lanes.
struct ToneRows {
    std::vector<double> level, number, weight, difference; // weight: n_i s_i
    std::vector<double> moment;                            // i n_i
    std::vector<double> holds;                             // 1, 0 beyond the last row

    explicit ToneRows(i64 ng)
        : level(ng + lanes), number(level), weight(level), difference(level), moment(level),
          holds(level) {}
};

struct PairSums {
    double steps, complexity;
};

// Sums over pairs of rows of |i n_i - j n_j| and of |i - j| (n_i s_i + n_j s_j) / (n_i + n_j).
PYRAD_CLONES PairSums pair_rows(const double *level, const double *number, const double *weight,
                                const double *moment, const double *holds, i64 rows) {
    const auto at = [](const double *x, i64 k) { return *reinterpret_cast<const Lanes *>(x + k); };
    const auto size = [](const Lanes &x) -> Lanes { return x < 0 ? -x : x; };
    Lanes steps = {}, complexity = {}, own_steps = {}, own_complexity = {};
    for (i64 k = 0; k < rows; ++k) {
        const i64 block = k / lanes * lanes;
        const Lanes of_level = Lanes{} + level[k], of_moment = Lanes{} + moment[k];
        const Lanes of_number = Lanes{} + number[k], of_weight = Lanes{} + weight[k];
        for (i64 m = 0; m < block; m += lanes) {
            steps += size(of_moment - at(moment, m));
            complexity += size(of_level - at(level, m)) * (of_weight + at(weight, m)) /
                          (of_number + at(number, m));
        }
        // Pairs within a block come twice.
        own_steps += size(of_moment - at(moment, block)) * at(holds, block);
        own_complexity += size(of_level - at(level, block)) * at(holds, block) *
                          (of_weight + at(weight, block)) / (of_number + at(number, block));
    }
    steps += own_steps * .5;
    complexity += own_complexity * .5;
    return {(steps[0] + steps[1]) + (steps[2] + steps[3]),
            (complexity[0] + complexity[1]) + (complexity[2] + complexity[3])};
}

// Differences of the voxels that count, in units, and their number.
typedef i64 Row __attribute__((vector_size(16)));

PYRAD_CLONES void differences(const u32 *words, const u32 *around, const i64 *share, i64 length,
                              i64 *out) {
    for (i64 k = 0; k < length; ++k) {
        const i32 level = static_cast<i32>(words[k] & sum_mask);
        const i32 near = static_cast<i32>(around[k] >> number_shift);
        out[k] = std::abs(level * near - static_cast<i32>(around[k] & sum_mask)) * share[near];
    }
}

class ToneTable {
  public:
    using Word = u32;

    ToneTable(i64 ng, bool alone, const NeighbourPlanes &planes)
        : ng_(ng), alone_(alone), length_(planes.length), share_(most_neighbours + 1),
          rows_of_(2 * ng + 2), apart_(planes.count * planes.length), now_(planes.length),
          rows_(ng) {
        for (i64 n = 1; n <= most_neighbours; ++n)
            share_[n] = unit / n;
    }

    template <class L> static u32 word(L level) {
        return level ? (u32(1) << number_shift) + level : 0;
    }

    void sums(const u32 *, const u32 *other, const std::vector<i64> &steps, i64 length,
              u32 *out) const {
        add_words(other, steps.data(), static_cast<i64>(steps.size()), length, out);
    }

    // Places outside the region fall into level 0.
    void enter(i64 slot, const u32 *words, const u32 *around, i64 length) {
        i64 *const apart = apart_.data() + slot * length_;
        differences(words, around, share_.data(), length, apart);
        for (i64 k = 0; k < length; ++k)
            row(words, k) += Row{apart[k], counts(around[k])};
    }

    void leave(i64 slot, const u32 *words, const u32 *around, i64 length) {
        const i64 *const apart = apart_.data() + slot * length_;
        for (i64 k = 0; k < length; ++k)
            row(words, k) -= Row{apart[k], counts(around[k])};
    }

    template <int by>
    void change(i64 slot, const u32 *words, const u32 *change, u32 *around, i64 length) {
        i64 *const apart = apart_.data() + slot * length_, *const now = now_.data();
        for (i64 k = 0; !alone_ && k < length; ++k)
            row(words, k) += Row{0, counts(around[k] + by * change[k]) - counts(around[k])};
        for (i64 k = 0; k < length; ++k)
            around[k] += by * change[k];
        differences(words, around, share_.data(), length, now);
        for (i64 k = 0; k < length; ++k) {
            row(words, k)[0] += now[k] - apart[k];
            apart[k] = now[k];
        }
    }

    void wipe() { std::fill(rows_of_.begin(), rows_of_.end(), Row{}); }

    void features(double *out) {
        i64 rows = 0, n = 0, levels = 0, level_squares = 0, moment = 0, square = 0, spread = 0;
        double weighted = 0;
        ToneRows &r = rows_;
        for (i64 i = 1; i <= ng_; ++i) {
            const Row both = rows_of_[2 * i] + rows_of_[2 * i + 1];
            const i64 of_level = both[1];
            if (!of_level)
                continue;
            r.level[rows] = static_cast<double>(i);
            r.number[rows] = static_cast<double>(of_level);
            r.weight[rows] = static_cast<double>(of_level) * static_cast<double>(both[0]) / unit;
            r.moment[rows] = static_cast<double>(i * of_level);
            r.holds[rows] = 1;
            weighted += r.weight[rows];
            n += of_level;
            levels += i;
            level_squares += i * i;
            moment += i * of_level;
            square += i * i * of_level;
            spread += both[0];
            ++rows;
        }
        if (!rows)
            return void(
                std::fill_n(out, ngtdm_feature_count, std::numeric_limits<double>::quiet_NaN()));
        for (i64 k = rows; k % lanes; ++k) {
            r.level[k] = r.weight[k] = r.moment[k] = r.holds[k] = 0;
            r.number[k] = 1;
        }
        const PairSums pairs = pair_rows(r.level.data(), r.number.data(), r.weight.data(),
                                         r.moment.data(), r.holds.data(), rows);
        const double total = static_cast<double>(n);
        NgtdmSums s;
        s.weighted = weighted / total;
        s.spread = static_cast<double>(spread) / unit;
        s.present = static_cast<double>(rows);
        s.contrast = static_cast<double>(n * square - moment * moment) / (total * total);
        s.steps = pairs.steps;
        s.complexity = pairs.complexity;
        s.strength =
            static_cast<double>(rows * square - 2 * moment * levels + n * level_squares) / total;
        ngtdm_finish(s, total, out);
    }

  private:
    i64 counts(u32 around) const { return alone_ | (around != 0); }

    // Every other place has a row of its own, since an addition waits for the one before it.
    Row &row(const u32 *words, i64 k) { return rows_of_[2 * (words[k] & sum_mask) + (k & 1)]; }

    i64 ng_;
    bool alone_;
    i64 length_;
    std::vector<i64> share_;   // unit / neighbours
    std::vector<Row> rows_of_; // two per level
    std::vector<i64> apart_;   // per slot and place: the difference in units
    std::vector<i64> now_;
    ToneRows rows_;
};

} // namespace

bool tones_roll(const LocalSteps &steps, i64 ng) {
    return ng <= most_rolling_levels && 2 * steps.count <= most_neighbours;
}

template <class L>
void rolling_tones(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &steps,
                   i64 ng, bool alone, double *out) {
    const NeighbourPlanes planes(steps, levels.shape.data());
    std::vector<ToneTable> tables(max_workers(), ToneTable(ng, alone, planes));
    parallel_for(count, 256, [&](i64 begin, i64 end, int worker) {
        NeighbourWindow<L, ToneTable> window(levels, planes, tables[worker]);
        for (i64 c = begin; c < end; ++c) {
            poll();
            window.move_to(centres[c]);
            tables[worker].features(out + c * ngtdm_feature_count);
        }
    });
}

template void rolling_tones(View<const u8, 3>, const i64 *, i64, const LocalSteps &, i64, bool,
                            double *);
template void rolling_tones(View<const u16, 3>, const i64 *, i64, const LocalSteps &, i64, bool,
                            double *);

} // namespace pyrad
