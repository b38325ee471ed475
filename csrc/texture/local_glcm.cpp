// One direction after the other, a window moves along the centres of a tile: the plane of pairs
// ahead of it enters its table, the one behind leaves it. Where the next centre is further away
// than the window is wide, the table starts anew. Its sums are exact, so a value does not depend on
// where the window came from.
#include "texture/local_glcm.hpp"

#include "base/pool.hpp"
#include "texture/rolling_pairs.hpp"
#include "texture/window_features.hpp"

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
    i64 planes() const { return high - low + 1; }
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
            sum += d.planes() * static_cast<i64>(d.steps.size());
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

// The planes of pairs in the window of a group: those of one direction take turns, the one that
// leaves makes place for the one that enters.
class PlaneLists {
  public:
    explicit PlaneLists(const Group &group) {
        size_t pairs = 0;
        for (const Direction &d : group.directions)
            pairs += d.planes() * d.steps.size();
        pairs_.resize(pairs);
        u32 *next = pairs_.data();
        for (const Direction &d : group.directions) {
            turns_.push_back({static_cast<i64>(lists_.size()), 0});
            for (i64 k = 0; k < d.planes(); ++k, next += d.steps.size())
                lists_.push_back({next, 0, {}, {}});
        }
    }

    PairList &at(size_t direction, i64 plane) { return lists_[turns_[direction].first + plane]; }
    PairList &oldest(size_t direction) { return at(direction, turns_[direction].oldest); }
    void turn(size_t direction, i64 planes) {
        i64 &oldest = turns_[direction].oldest;
        oldest = oldest + 1 == planes ? 0 : oldest + 1;
    }
    std::vector<PairList> &all() { return lists_; }

  private:
    struct Turn {
        i64 first, oldest;
    };
    std::vector<u32> pairs_;
    std::vector<PairList> lists_;
    std::vector<Turn> turns_;
};

// The window of one group on its way.
template <class L, class Cell> class Window {
  public:
    Window(const L *levels, const Group &group, const PairPlan &plan, RollingPairs<Cell> &table,
           i64 width)
        : levels_(levels), group_(group), plan_(plan), table_(table), lists_(group), width_(width) {
    }

    void move_to(i64 centre) {
        if (at_ < 0 || centre - at_ >= width_)
            start(centre);
        for (; at_ < centre; ++at_)
            for (size_t g = 0; g < group_.directions.size(); ++g) {
                const Direction &d = group_.directions[g];
                PairList &list = lists_.oldest(g);
                table_.remove(list);
                fill(list, d, at_ + 1 + d.high);
                lists_.turn(g, d.planes());
            }
    }

    void clear() {
        if (at_ < 0)
            return;
        at_ = -1;
        if (table_.wipes())
            return table_.wipe();
        for (const PairList &list : lists_.all())
            table_.remove(list);
    }

  private:
    void start(i64 centre) {
        clear();
        for (size_t g = 0; g < group_.directions.size(); ++g) {
            const Direction &d = group_.directions[g];
            for (i64 x = d.low; x <= d.high; ++x)
                fill(lists_.oldest(g), d, centre + x), lists_.turn(g, d.planes());
        }
        at_ = centre;
    }

    void fill(PairList &list, const Direction &d, i64 base) {
        const i64 size = static_cast<i64>(d.steps.size());
        list_pairs(PairPlane<L>{levels_ + base, d.steps.data(), size, d.offset}, plan_, list);
        table_.add(list);
    }

    const L *levels_;
    const Group &group_;
    const PairPlan &plan_;
    RollingPairs<Cell> &table_;
    PlaneLists lists_;
    i64 width_, at_ = -1;
};

// What one worker needs. `mcc` holds that of every group and window of a tile, NaN without pairs.
template <class Cell> struct Scratch {
    RollingPairs<Cell> table;
    EigenQueue queue;
    WindowFeatures averages;
    std::vector<i64> sums; // of a group's windows
    std::vector<double> mcc;
};

struct Centres {
    const i64 *at;
    i64 count, width; // of the window
};

struct Wanted {
    bool ibsi, histograms, mcc;
};

template <class L, class Cell>
void move_group(const L *levels, const Group &group, const PairPlan &plan, const Centres &centres,
                Scratch<Cell> &scratch, double *mcc) {
    constexpr i64 poll_step = 32;
    Window<L, Cell> window(levels, group, plan, scratch.table, centres.width);
    const i64 width = scratch.averages.width();
    scratch.sums.assign(centres.count * width, 0);
    for (i64 c = 0; c < centres.count; ++c) {
        if (c % poll_step == 0)
            poll();
        window.move_to(centres.at[c]);
        if (!scratch.table.pairs())
            continue;
        scratch.table.write_sums(scratch.sums.data() + c * width);
        if (mcc)
            scratch.table.mcc(scratch.queue, mcc + c);
    }
    window.clear();
    scratch.averages.add(scratch.sums.data(), centres.count, 0);
}

// Mean of those that are defined; they are `stride` apart.
double mean_of(const double *values, i64 count, i64 stride) {
    double sum = 0, defined = 0;
    for (i64 k = 0; k < count; ++k) {
        const double x = values[k * stride];
        sum += x == x ? x : 0.0;
        defined += x == x ? 1.0 : 0.0;
    }
    return defined > 0 ? sum / defined : nan;
}

template <class Cell, class L>
void move_windows(const L *levels, const i64 *centres, i64 count, const std::vector<Group> &groups,
                  const PairPlan &plan, i64 width, const Wanted &wanted, double *out) {
    const bool mcc = wanted.mcc;
    const Scratch<Cell> scratch_of_none{{plan, wanted.histograms, mcc},
                                        EigenQueue(1.0 + 1e-12),
                                        {plan, wanted.ibsi, wanted.histograms},
                                        {},
                                        {}};
    std::vector<Scratch<Cell>> workers(max_workers(), scratch_of_none);
    parallel_for(count, 256, [&](i64 begin, i64 end, int worker) {
        Scratch<Cell> &scratch = workers[worker];
        const i64 n = end - begin, size = static_cast<i64>(groups.size());
        scratch.averages.start(n);
        scratch.mcc.assign(mcc ? n * size : 0, nan);
        for (i64 g = 0; g < size; ++g)
            move_group(levels, groups[g], plan, {centres + begin, n, width}, scratch,
                       mcc ? scratch.mcc.data() + g * n : nullptr);
        scratch.queue.flush();
        for (i64 c = 0; c < n; ++c) {
            double *const to = out + (begin + c) * glcm_feature_count;
            scratch.averages.write(c, to);
            if (mcc)
                to[glcm_mcc] = mean_of(scratch.mcc.data() + c, size, n);
        }
    });
}

} // namespace

template <class L>
void local_glcm(View<const L, 3> levels, const i64 *centres, i64 count,
                const LocalDirections &directions, i64 ng, bool ibsi, bool histograms, bool mcc,
                double *out) {
    const i64 strides[3] = {levels.shape[1] * levels.shape[2], levels.shape[2], 1};
    const std::vector<Group> groups = groups_of(directions, strides);
    i64 most_pairs = 0;
    for (const Group &group : groups)
        most_pairs = std::max(most_pairs, group.pairs());
    const PairPlan plan(ng, most_pairs);
    const Wanted wanted{ibsi, histograms || mcc, mcc};
    const i64 width = 2 * directions.reach[2] + 1;
    const auto move = [&](auto cell) {
        move_windows<decltype(cell)>(levels.data, centres, count, groups, plan, width, wanted, out);
    };
    most_pairs <= most_pairs_of_u16 ? move(u16{}) : move(i32{});
}

template void local_glcm(View<const u8, 3>, const i64 *, i64, const LocalDirections &, i64, bool,
                         bool, bool, double *);
template void local_glcm(View<const u16, 3>, const i64 *, i64, const LocalDirections &, i64, bool,
                         bool, bool, double *);

} // namespace pyrad
