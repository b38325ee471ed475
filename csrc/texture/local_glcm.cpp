// One direction after the other, a window moves along the centres of a tile: the plane of pairs
// ahead of it enters its table, the one behind leaves it. Where the next centre is further away
// than the window is wide, the table starts anew. Its sums are exact, so a value does not depend on
// where the window came from.
#include "texture/local_glcm.hpp"

#include "base/pool.hpp"
#include "texture/rolling_pairs.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace pyrad {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// The pairs of an offset inside the window: first voxels `steps` (one x), x from low to high.
struct Direction {
    std::vector<i64> steps;
    i64 offset = 0, low = 0, high = -1;
};

// Pairs with one x; none for offsets that reach beyond the window.
Direction direction_of(const i32 *offset, const i64 *reach, const i64 *strides) {
    i64 low[3], high[3];
    Direction d;
    for (int axis = 0; axis < 3; ++axis) {
        low[axis] = -reach[axis] + std::max(0, -offset[axis]);
        high[axis] = reach[axis] - std::max(0, offset[axis]);
        d.offset += offset[axis] * strides[axis];
    }
    for (i64 z = low[0]; z <= high[0]; ++z)
        for (i64 y = low[1]; y <= high[1]; ++y)
            d.steps.push_back(z * strides[0] + y * strides[1]);
    d.low = low[2];
    d.high = d.steps.empty() ? low[2] - 1 : std::max(high[2], low[2] - 1);
    return d;
}

struct Group {
    std::vector<Direction> directions;
    i64 pairs() const {
        i64 sum = 0;
        for (const Direction &d : directions)
            sum += (d.high - d.low + 1) * static_cast<i64>(d.steps.size());
        return sum;
    }
};

std::vector<Group> groups_of(const LocalDirections &local, const i64 *strides) {
    std::vector<Group> groups(local.groups);
    for (i64 g = 0; g < local.groups; ++g)
        for (i64 d = local.starts[g]; d < local.starts[g + 1]; ++d) {
            Direction found = direction_of(local.offsets + 3 * d, local.reach, strides);
            if (found.high >= found.low)
                groups[g].directions.push_back(std::move(found));
        }
    return groups;
}

// The window of one group on its way.
template <class L> class Window {
  public:
    Window(const L *levels, const Group &group, RollingPairs &table, i64 width)
        : levels_(levels), group_(group), table_(table), width_(width) {}

    void move_to(i64 centre) {
        if (at_ < 0 || centre - at_ >= width_) {
            clear();
            each_plane(centre, [&](const PairPlane<L> &plane) { table_.add(plane); });
            at_ = centre;
        }
        while (at_ < centre) {
            for (const Direction &d : group_.directions) {
                table_.remove(plane_at(d, at_ + d.low));
                table_.add(plane_at(d, at_ + 1 + d.high));
            }
            ++at_;
        }
    }

    void clear() {
        if (at_ >= 0)
            each_plane(at_, [&](const PairPlane<L> &plane) { table_.remove(plane); });
        at_ = -1;
    }

  private:
    PairPlane<L> plane_at(const Direction &d, i64 base) const {
        return {levels_ + base, d.steps.data(), static_cast<i64>(d.steps.size()), d.offset};
    }

    template <class Work> void each_plane(i64 centre, const Work &work) const {
        for (const Direction &d : group_.directions)
            for (i64 x = d.low; x <= d.high; ++x)
                work(plane_at(d, centre + x));
    }

    const L *levels_;
    const Group &group_;
    RollingPairs &table_;
    i64 width_, at_ = -1;
};

// Sums over the groups, feature by feature, of the values that are defined.
struct Average {
    double sum[glcm_feature_count] = {}, count[glcm_feature_count] = {};

    void add(const double *values) {
        for (int f = 0; f < glcm_feature_count; ++f) {
            const bool defined = values[f] == values[f];
            sum[f] += defined ? values[f] : 0.0;
            count[f] += defined ? 1.0 : 0.0;
        }
    }

    void write(double *out) const {
        for (int f = 0; f < glcm_feature_count; ++f)
            out[f] = count[f] > 0 ? sum[f] / count[f] : nan;
    }
};

// What one worker needs. `mcc` holds that of every group and window of a tile, NaN without pairs.
struct Scratch {
    RollingPairs table;
    EigenQueue queue;
    std::vector<Average> averages;
    std::vector<double> mcc;
};

template <class L>
void move_group(const L *levels, const Group &group, const i64 *centres, i64 count, i64 width,
                bool ibsi, bool histograms, Scratch &scratch, double *mcc) {
    Window<L> window(levels, group, scratch.table, width);
    double values[glcm_feature_count];
    for (i64 c = 0; c < count; ++c) {
        poll();
        window.move_to(centres[c]);
        if (!scratch.table.pairs())
            continue;
        std::fill_n(values, glcm_feature_count, nan);
        const GlcmSums sums = scratch.table.sums();
        glcm_moment_features(sums, ibsi ? nan : 1.0, values);
        if (histograms)
            glcm_entropy_features(sums, ibsi ? nan : 0.0, values);
        scratch.averages[c].add(values);
        if (mcc)
            scratch.table.mcc(scratch.queue, mcc + c);
    }
    window.clear();
}

} // namespace

template <class L>
void local_glcm(View<const L, 3> levels, const i64 *centres, i64 count,
                const LocalDirections &directions, i64 ng, bool ibsi, bool histograms, bool mcc,
                double *out) {
    histograms = histograms || mcc;
    const i64 strides[3] = {levels.shape[1] * levels.shape[2], levels.shape[2], 1};
    const std::vector<Group> groups = groups_of(directions, strides);
    i64 most_pairs = 0;
    for (const Group &group : groups)
        most_pairs = std::max(most_pairs, group.pairs());
    const PairPlan plan(ng, most_pairs);
    const i64 width = 2 * directions.reach[2] + 1;
    std::vector<Scratch> workers(
        max_workers(),
        Scratch{
            RollingPairs(plan, ng, most_pairs, histograms, mcc), EigenQueue(1.0 + 1e-12), {}, {}});
    parallel_for(count, 256, [&](i64 begin, i64 end, int worker) {
        Scratch &scratch = workers[worker];
        const i64 n = end - begin;
        scratch.averages.assign(n, {});
        scratch.mcc.assign(mcc ? n * groups.size() : 0, nan);
        for (size_t g = 0; g < groups.size(); ++g)
            move_group(levels.data, groups[g], centres + begin, n, width, ibsi, histograms, scratch,
                       mcc ? scratch.mcc.data() + g * n : nullptr);
        scratch.queue.flush();
        for (size_t g = 0; mcc && g < groups.size(); ++g)
            for (i64 c = 0; c < n; ++c) {
                const double value = scratch.mcc[g * n + c];
                const bool defined = value == value;
                scratch.averages[c].sum[glcm_mcc] += defined ? value : 0.0;
                scratch.averages[c].count[glcm_mcc] += defined ? 1.0 : 0.0;
            }
        for (i64 c = 0; c < n; ++c)
            scratch.averages[c].write(out + (begin + c) * glcm_feature_count);
    });
}

template void local_glcm(View<const u8, 3>, const i64 *, i64, const LocalDirections &, i64, bool,
                         bool, bool, double *);
template void local_glcm(View<const u16, 3>, const i64 *, i64, const LocalDirections &, i64, bool,
                         bool, bool, double *);

} // namespace pyrad
