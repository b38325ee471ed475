// Amadasun & King, IEEE Trans. SMC 19 (1989) 1264, doi:10.1109/21.44046. Windows roll where levels
// and neighbours are few. Else one window after the other: every pair of neighbours adds the
// other's level and presence, which share a word, to both.
#include "texture/local_matrices.hpp"
#include "texture/ngtdm_math.hpp"
#include "texture/rolling_tones.hpp"

#include "base/pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace pyrad {
namespace {

constexpr int number_shift = 40; // neighbours above it, the sum of their levels below
constexpr u64 sum_mask = (u64(1) << number_shift) - 1;

// Rows of the levels present.
struct Rows {
    std::vector<double> level, number, difference;

    void features(double *out) const {
        double total = 0;
        for (double n : number)
            total += n;
        if (total == 0) {
            std::fill_n(out, ngtdm_feature_count, std::numeric_limits<double>::quiet_NaN());
            return;
        }
        NgtdmSums sums;
        for (size_t k = 0; k < level.size(); ++k)
            ngtdm_add_row(static_cast<i64>(k), level.data(), number.data(), difference.data(),
                          total, sums);
        ngtdm_finish(sums, total, out);
    }

    void add(double of_level, double n, double s) {
        level.push_back(of_level);
        number.push_back(n);
        difference.push_back(s);
    }

    void clear() {
        level.clear();
        number.clear();
        difference.clear();
    }
};

struct Scratch {
    std::vector<i32> levels, rank; // rank: of the levels seen so far, from 1
    std::vector<u64> own, around;
    Rows rows;
};

void one_window(const LocalPairs &window, bool alone, Scratch &s, double *out) {
    for (i64 v = 0; v < window.size; ++v) {
        s.own[v] = s.levels[v] ? (u64(1) << number_shift) + static_cast<u64>(s.levels[v]) : 0;
        s.around[v] = 0;
    }
    for (size_t p = 0; p < window.pairs.size(); p += 2) {
        const i32 a = window.pairs[p], b = window.pairs[p + 1];
        s.around[a] += s.own[b];
        s.around[b] += s.own[a];
    }
    for (i64 v = 0; v < window.size; ++v) {
        const i32 level = s.levels[v];
        const double near = static_cast<double>(s.around[v] >> number_shift);
        if (!level || (near == 0 && !alone))
            continue;
        if (!s.rank[level]) {
            s.rows.add(level, 0, 0);
            s.rank[level] = static_cast<i32>(s.rows.level.size());
        }
        const i32 row = s.rank[level] - 1;
        s.rows.number[row] += 1;
        if (near > 0)
            s.rows.difference[row] +=
                std::abs(level * near - static_cast<double>(s.around[v] & sum_mask)) / near;
    }
    s.rows.features(out);
    for (double level : s.rows.level)
        s.rank[static_cast<i64>(level)] = 0;
    s.rows.clear();
}

} // namespace

template <class L>
void local_ngtdm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &steps,
                 i64 ng, bool alone, double *out) {
    if (tones_roll(steps, ng))
        return rolling_tones(levels, centres, count, steps, ng, alone, out);
    const LocalPairs window(steps, levels.shape.data());
    const std::vector<i32> voxels(window.size), rank(ng + 1);
    const std::vector<u64> words(window.size);
    std::vector<Scratch> workers(max_workers(), Scratch{voxels, rank, words, words, {}});
    parallel_for(count, 64, [&](i64 begin, i64 end, int worker) {
        Scratch &s = workers[worker];
        for (i64 c = begin; c < end; ++c) {
            poll();
            copy_window(levels.data + centres[c], window.offsets.data(), window.size,
                        s.levels.data());
            one_window(window, alone, s, out + c * ngtdm_feature_count);
        }
    });
}

void ngtdm_features(const double *number, const double *difference, i64 count, i64 ng,
                    double *out) {
    parallel_for(count, 1, [&](i64 t, i64, int) {
        Rows rows;
        for (i64 i = 0; i < ng; ++i)
            if (number[t * ng + i] > 0)
                rows.add(i + 1.0, number[t * ng + i], difference[t * ng + i]);
        rows.features(out + t * ngtdm_feature_count);
    });
}

template void local_ngtdm(View<const u8, 3>, const i64 *, i64, const LocalSteps &, i64, bool,
                          double *);
template void local_ngtdm(View<const u16, 3>, const i64 *, i64, const LocalSteps &, i64, bool,
                          double *);

} // namespace pyrad
