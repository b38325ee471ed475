// One direction after the other, a window moves along the centres of a tile. The volume's run
// lengths, up to each voxel and from it on, are known: where the plane ahead enters, each of its
// voxels prolongs a run or begins one; where the plane behind leaves, runs lose their first voxel.
#include "texture/rolling_runs.hpp"

#include "base/pool.hpp"
#include "texture/rolling_sizes.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr u8 longest_known = 255; // longer than any window

// Lengths of the runs along one direction that end at a voxel, and that begin there.
template <class L> struct RunVolumes {
    std::vector<u8> ending, beginning;

    RunVolumes(View<const L, 3> levels, const i32 *step)
        : ending(levels.size()), beginning(levels.size()) {
        const i64 *const shape = levels.shape.data();
        const i64 offset = (step[0] * shape[1] + step[1]) * shape[2] + step[2];
        const i64 low = std::max(0, step[2]), high = shape[2] + std::min(0, step[2]);
        const auto each_row = [&](i64 z, i64 y) {
            const i64 row = (z * shape[1] + y) * shape[2];
            const bool known = z >= step[0] && y - step[1] >= 0 && y - step[1] < shape[1];
            for (i64 x = 0; x < shape[2]; ++x) {
                const L level = levels.data[row + x];
                const bool goes_on = known && x >= low && x < high && level &&
                                     levels.data[row + x - offset] == level;
                const u8 before = goes_on ? ending[row + x - offset] : u8(0);
                ending[row + x] = level ? u8(before + (before < longest_known)) : u8(0);
            }
        };
        for (i64 z = 0; z < shape[0]; ++z)
            for (i64 y = 0; y < shape[1]; ++y)
                each_row(z, y);
        for (i64 v = levels.size() - 1; v >= 0; --v)
            if (levels.data[v]) {
                beginning[v] = std::max<u8>(beginning[v], 1);
                if (ending[v] > 1)
                    beginning[v - offset] = beginning[v] + (beginning[v] < longest_known);
            }
    }
};

// The planes of one x within a window, and the steps that remain within it before and after each
// of their voxels, along one direction whose x does not fall.
struct PlanePlan {
    std::vector<i64> steps;
    std::vector<i32> before, after;
    i64 step[3], reach[3];
    bool crosses; // runs go from plane to plane

    PlanePlan(const i32 *offset, const i64 *reaches, const i64 *shape) {
        const i64 sign = offset[2] < 0 ? -1 : 1;
        for (int axis = 0; axis < 3; ++axis) {
            step[axis] = sign * offset[axis];
            reach[axis] = reaches[axis];
        }
        crosses = step[2] != 0;
        for (i64 z = -reach[0]; z <= reach[0]; ++z)
            for (i64 y = -reach[1]; y <= reach[1]; ++y) {
                steps.push_back((z * shape[1] + y) * shape[2]);
                before.push_back(room(z, y, -1));
                after.push_back(room(z, y, 1));
            }
    }

  private:
    // Steps from (z, y) along sign * step within the plane's extent.
    i32 room(i64 z, i64 y, i64 sign) const {
        i64 least = longest_known;
        const i64 at[2] = {z, y};
        for (int axis = 0; axis < 2; ++axis)
            if (const i64 by = sign * step[axis])
                least = std::min(least, by > 0 ? reach[axis] - at[axis] : reach[axis] + at[axis]);
        return static_cast<i32>(least);
    }
};

template <class L> class Window {
  public:
    Window(View<const L, 3> levels, const RunVolumes<L> &runs, const PlanePlan &plan, bool reversed,
           RollingSizes &table)
        : levels_(levels), plan_(plan), table_(table),
          ending_(reversed ? runs.beginning.data() : runs.ending.data()),
          beginning_(reversed ? runs.ending.data() : runs.beginning.data()) {}

    void move_to(i64 centre) {
        const i64 reach = plan_.reach[2];
        if (at_ < 0 || centre - at_ > 2 * reach) {
            table_.wipe();
            for (i64 x = -reach; x <= reach; ++x)
                enter(centre + x, x + reach);
            at_ = centre;
        }
        for (; at_ < centre; ++at_) {
            leave(at_ - reach);
            enter(at_ + 1 + reach, 2 * reach);
        }
    }

    // Whether a line holds two voxels of the region.
    bool holds_pair() const {
        if (table_.sizes() > table_.entries())
            return true;
        const i64 *const r = plan_.reach, *const step = plan_.step,
                         *const shape = levels_.shape.data();
        const auto inside = [&](const i64 *at) {
            return std::abs(at[0]) <= r[0] && std::abs(at[1]) <= r[1] && std::abs(at[2]) <= r[2];
        };
        const auto level = [&](const i64 *at) {
            return levels_.data[at_ + (at[0] * shape[1] + at[1]) * shape[2] + at[2]];
        };
        for (i64 z = -r[0]; z <= r[0]; ++z)
            for (i64 y = -r[1]; y <= r[1]; ++y)
                for (i64 x = -r[2]; x <= r[2]; ++x) {
                    i64 at[3] = {z, y, x};
                    if (!level(at))
                        continue;
                    for (int a = 0; a < 3; ++a)
                        at[a] += step[a];
                    for (; inside(at); at[0] += step[0], at[1] += step[1], at[2] += step[2])
                        if (level(at))
                            return true;
                }
        return false;
    }

  private:
    // The plane at x enters; `known` planes before it are in the window.
    void enter(i64 x, i64 known) {
        if (!plan_.crosses)
            return whole_runs<true>(x);
        const i64 size = static_cast<i64>(plan_.steps.size());
        for (i64 k = 0; k < size; ++k) {
            const i64 at = x + plan_.steps[k], level = levels_.data[at];
            if (!level)
                continue;
            const i64 length =
                std::min<i64>(ending_[at], 1 + std::min<i64>(known, plan_.before[k]));
            if (length > 1)
                table_.remove(level, length - 1);
            table_.add(level, length);
        }
    }

    void leave(i64 x) {
        if (!plan_.crosses)
            return whole_runs<false>(x);
        const i64 size = static_cast<i64>(plan_.steps.size()), planes = 2 * plan_.reach[2];
        for (i64 k = 0; k < size; ++k) {
            const i64 at = x + plan_.steps[k], level = levels_.data[at];
            if (!level)
                continue;
            const i64 length =
                std::min<i64>(beginning_[at], 1 + std::min<i64>(planes, plan_.after[k]));
            table_.remove(level, length);
            if (length > 1)
                table_.add(level, length - 1);
        }
    }

    // Runs within the plane, each at its last voxel.
    template <bool enters> void whole_runs(i64 x) {
        const i64 size = static_cast<i64>(plan_.steps.size());
        for (i64 k = 0; k < size; ++k) {
            const i64 at = x + plan_.steps[k], level = levels_.data[at];
            if (!level || (plan_.after[k] > 0 && beginning_[at] > 1))
                continue;
            const i64 length = std::min<i64>(ending_[at], 1 + plan_.before[k]);
            if (enters)
                table_.add(level, length);
            else
                table_.remove(level, length);
        }
    }

    View<const L, 3> levels_;
    const PlanePlan &plan_;
    RollingSizes &table_;
    const u8 *ending_, *beginning_;
    i64 at_ = -1;
};

} // namespace

template <class L>
void rolling_runs(View<const L, 3> levels, const i64 *centres, i64 count,
                  const RunDirections &directions, i64 ng, double *out) {
    const i64 *const reach = directions.reach;
    const i64 most = (2 * reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1);
    const i64 longest = 2 * std::max({reach[0], reach[1], reach[2]}) + 1;
    std::vector<RollingSizes> tables(max_workers(), RollingSizes(ng, longest, most));
    std::vector<i32> defined(count, 0);
    std::fill_n(out, count * size_feature_count, 0.0);
    for (i64 d = 0; d < directions.count; ++d) {
        const i32 *const step = directions.offsets + 3 * d;
        const RunVolumes<L> runs(levels, step);
        const PlanePlan plan(step, reach, levels.shape.data());
        parallel_for(count, 256, [&](i64 begin, i64 end, int worker) {
            RollingSizes &table = tables[worker];
            Window<L> window(levels, runs, plan, step[2] < 0, table);
            double values[size_feature_count];
            for (i64 c = begin; c < end; ++c) {
                poll();
                window.move_to(centres[c]);
                if (!table.entries() || (directions.left_out && !window.holds_pair()))
                    continue;
                table.features(true, values);
                for (int f = 0; f < size_feature_count; ++f)
                    out[c * size_feature_count + f] += values[f];
                ++defined[c];
            }
        });
    }
    for (i64 c = 0; c < count; ++c)
        for (int f = 0; f < size_feature_count; ++f) // NaN without any
            out[c * size_feature_count + f] /= static_cast<double>(defined[c]);
}

template void rolling_runs(View<const u8, 3>, const i64 *, i64, const RunDirections &, i64,
                           double *);
template void rolling_runs(View<const u16, 3>, const i64 *, i64, const RunDirections &, i64,
                           double *);

} // namespace pyrad
