// One window after the other: the levels of the window are copied once; per direction its pairs
// update counters that are as large as the full table but touched (and cleared) only where pairs
// fall. Entropies grow with each count by c log2 c - (c - 1) log2 (c - 1), looked up in a table, so
// no pass over the table is needed: the cost is that of the pairs.
#include "texture/local_glcm.hpp"

#include "base/pool.hpp"
#include "texture/glcm_math.hpp"
#include "texture/lane_eigen.hpp"
#include "texture/pair_graph_math.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace pyrad {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Weights of the features that are linear in the histogram of |i - j|.
struct DifferenceWeights {
    double id, idn, idm, idmn, inverse;
};

// What all windows share.
struct Plan {
    std::vector<double> log_step; // log_step[c] = c log2 c - (c - 1) log2 (c - 1)
    std::vector<double> root;     // square roots of counts
    std::vector<DifferenceWeights> weights;

    Plan(i64 ng, i64 most_pairs)
        : log_step(2 * most_pairs + 2), root(log_step.size()), weights(ng) {
        for (size_t c = 1; c < root.size(); ++c)
            root[c] = std::sqrt(static_cast<double>(c));
        for (size_t c = 2; c < log_step.size(); ++c) {
            const double x = static_cast<double>(c);
            log_step[c] = x * std::log2(x) - (x - 1) * std::log2(x - 1);
        }
        for (i64 k = 0; k < ng; ++k) {
            const double d = static_cast<double>(k), top = static_cast<double>(ng);
            weights[k] = {1 / (1 + d), 1 / (1 + d / top), 1 / (1 + d * d),
                          1 / (1 + d * d / (top * top)), k ? 1 / (d * d) : 0.0};
        }
    }
};

// Counters of one table and what is known of it so far.
class LocalTable {
  public:
    LocalTable(const Plan &plan, i64 ng, i64 most_pairs)
        : plan_(plan), ng_(ng), joint_(ng * ng), marginal_(ng), sum_(2 * ng), difference_(ng),
          rank_(ng) {
        first_.reserve(most_pairs);
        second_.reserve(most_pairs);
    }

    void clear_pairs() {
        first_.clear();
        second_.clear();
        level_sum_ = 0;
    }

    void add(i32 i, i32 j) { // levels from 1
        first_.push_back(i - 1);
        second_.push_back(j - 1);
        level_sum_ += i + j;
    }

    i64 pairs() const { return static_cast<i64>(first_.size()); }

    GlcmSums sums() {
        GlcmSums g;
        g.n = 2.0 * pairs();
        g.origin = std::round(level_sum_ / g.n);
        for (i64 p = 0; p < pairs(); ++p) {
            add_moments(first_[p], second_[p], g);
            add_counts(first_[p], second_[p], g);
        }
        symmetrise(g);
        return g;
    }

    // *result = Mcc, once the queue has been flushed
    void mcc(double n, EigenQueue &queue, double *result);

    void clear_counts() {
        for (i64 p = 0; p < pairs(); ++p) {
            const i32 i = first_[p], j = second_[p];
            joint_[cell(i, j)] = 0;
            marginal_[i] = marginal_[j] = 0;
            sum_[i + j] = 0;
            difference_[std::abs(i - j)] = 0;
        }
    }

  private:
    i64 cell(i32 i, i32 j) const { return std::min(i, j) * ng_ + std::max(i, j); }

    void add_moments(i32 i, i32 j, GlcmSums &g) const {
        const double a = i + 1 - g.origin, b = j + 1 - g.origin, s = a + b, s2 = s * s;
        const i32 d = std::abs(i - j);
        const DifferenceWeights &w = plan_.weights[d];
        g.a += s;
        g.aa += a * a + b * b;
        g.ab += a * b;
        g.s2 += s2;
        g.s3 += s2 * s;
        g.s4 += s2 * s2;
        g.d1 += d;
        g.d2 += static_cast<double>(d) * d;
        g.id += w.id;
        g.idn += w.idn;
        g.idm += w.idm;
        g.idmn += w.idmn;
        g.inverse += w.inverse;
    }

    // One more pair in each counter. Pairs i != j stand in two cells, i = i counts twice in one.
    void add_counts(i32 i, i32 j, GlcmSums &g) {
        const auto &step = plan_.log_step;
        const i32 u = ++joint_[cell(i, j)];
        const bool twice = i == j;
        g.joint_log += twice ? step[2 * u] + step[2 * u - 1] : 2 * step[u];
        g.squares += twice ? 8.0 * u - 4 : 4.0 * u - 2;
        g.largest = std::max(g.largest, twice ? 2.0 * u : 1.0 * u);
        g.x_log += step[++marginal_[i]];
        g.x_log += step[++marginal_[j]];
        const i32 s = ++sum_[i + j], d = ++difference_[std::abs(i - j)];
        g.sum_log += step[2 * s] + step[2 * s - 1];
        g.difference_log += step[2 * d] + step[2 * d - 1];
    }

    // Sums over the pairs become sums over the cells of table + transpose.
    static void symmetrise(GlcmSums &g) {
        g.b = g.a;
        g.bb = g.aa;
        for (double *sum :
             {&g.ab, &g.s2, &g.s3, &g.s4, &g.d1, &g.d2, &g.id, &g.idn, &g.idm, &g.idmn, &g.inverse})
            *sum *= 2;
        g.y_log = g.x_log;
    }

    const Plan &plan_;
    i64 ng_;
    std::vector<i32> joint_, marginal_, sum_, difference_, first_, second_;
    i64 level_sum_ = 0;
    std::vector<i32> levels_, rank_, parent_; // levels of the window and their places in the list
    void list_levels();
    bool graph_connected();
};

void LocalTable::list_levels() {
    for (const i32 level : levels_)
        rank_[level] = 0;
    levels_.clear();
    for (const auto *side : {&first_, &second_})
        for (const i32 level : *side)
            if (!rank_[level]) {
                levels_.push_back(level);
                rank_[level] = static_cast<i32>(levels_.size());
            }
}

bool LocalTable::graph_connected() {
    parent_.resize(2 * levels_.size());
    DoubleCover cover(parent_.data(), static_cast<i32>(levels_.size()));
    for (i64 p = 0; p < pairs() && !cover.connected(); ++p)
        cover.add_pair(rank_[first_[p]] - 1, rank_[second_[p]] - 1);
    return cover.connected();
}

// As in glcm_features.cpp, over the levels of the window only.
void LocalTable::mcc(double n, EigenQueue &queue, double *result) {
    list_levels();
    const i32 size = static_cast<i32>(levels_.size());
    if (size < 2 || !graph_connected()) {
        *result = size < 2 ? 0 : 1;
        return;
    }
    const EigenQueue::Matrix matrix = queue.add(size, result);
    for (i32 r = 0; r < size; ++r) {
        const i32 i = levels_[r];
        const double root = plan_.root[marginal_[i]], inverse = 1 / root, share = root / n;
        for (i32 c = 0; c < r; ++c) {
            const i32 j = levels_[c];
            const double other = plan_.root[marginal_[j]];
            matrix(r, c) = joint_[cell(i, j)] * inverse / other - share * other;
        }
        matrix(r, r) = 2.0 * joint_[cell(i, i)] * inverse * inverse - share * root;
    }
}

// Mean over the groups, feature by feature, of the values that are defined.
struct Average {
    double sum[glcm_feature_count] = {};
    int count[glcm_feature_count] = {};

    void add(const double *values) {
        for (int f = 0; f < glcm_feature_count; ++f)
            if (values[f] == values[f]) {
                sum[f] += values[f];
                ++count[f];
            }
    }

    void write(double *out) const {
        for (int f = 0; f < glcm_feature_count; ++f)
            out[f] = count[f] ? sum[f] / count[f] : nan;
    }
};

// What one worker needs. `mcc` holds that of every window of a tile and group, NaN without pairs.
struct Scratch {
    LocalTable table;
    EigenQueue queue;
    std::vector<i32> seen;
    std::vector<double> mcc;
};

template <class L>
void one_window(const L *centre, const LocalWindow &w, bool ibsi, Scratch &scratch, double *mcc,
                double *out) {
    for (i64 v = 0; v < w.window_size; ++v)
        scratch.seen[v] = centre[w.window[v]];
    LocalTable &table = scratch.table;
    Average average;
    double values[glcm_feature_count];
    for (i64 g = 0; g < w.groups; ++g) {
        table.clear_pairs();
        for (i64 p = w.starts[g]; p < w.starts[g + 1]; ++p) {
            const i32 i = scratch.seen[w.pairs[2 * p]], j = scratch.seen[w.pairs[2 * p + 1]];
            if (i && j)
                table.add(i, j);
        }
        if (!table.pairs())
            continue;
        glcm_finish(table.sums(), ibsi ? nan : 1.0, ibsi ? nan : 0.0, values);
        values[glcm_mcc] = nan;
        if (mcc)
            table.mcc(2.0 * table.pairs(), scratch.queue, mcc + g);
        table.clear_counts();
        average.add(values);
    }
    average.write(out);
}

// Mean over the groups that have pairs.
double mean_mcc(const double *values, i64 groups) {
    double sum = 0;
    i64 defined = 0;
    for (i64 g = 0; g < groups; ++g)
        if (values[g] == values[g]) {
            sum += values[g];
            ++defined;
        }
    return defined ? sum / defined : nan;
}

} // namespace

template <class L>
void local_glcm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalWindow &window,
                i64 ng, bool ibsi, bool mcc, double *out) {
    i64 most_pairs = 0;
    for (i64 g = 0; g < window.groups; ++g)
        most_pairs = std::max<i64>(most_pairs, window.starts[g + 1] - window.starts[g]);
    const Plan plan(ng, most_pairs);
    const std::vector<i32> seen(window.window_size);
    std::vector<Scratch> workers(
        max_workers(),
        Scratch{LocalTable(plan, ng, most_pairs), EigenQueue(1.0 + 1e-12), seen, {}});
    parallel_for(count, 128, [&](i64 begin, i64 end, int worker) {
        Scratch &scratch = workers[worker];
        const i64 groups = window.groups;
        scratch.mcc.assign(mcc ? (end - begin) * groups : 0, nan);
        double *const first = mcc ? scratch.mcc.data() : nullptr;
        for (i64 c = begin; c < end; ++c)
            one_window(levels.data + centres[c], window, ibsi, scratch,
                       mcc ? first + (c - begin) * groups : nullptr, out + c * glcm_feature_count);
        scratch.queue.flush();
        for (i64 c = begin; mcc && c < end; ++c)
            out[c * glcm_feature_count + glcm_mcc] = mean_mcc(first + (c - begin) * groups, groups);
    });
}

template void local_glcm(View<const u8, 3>, const i64 *, i64, const LocalWindow &, i64, bool, bool,
                         double *);
template void local_glcm(View<const u16, 3>, const i64 *, i64, const LocalWindow &, i64, bool, bool,
                         double *);

} // namespace pyrad
