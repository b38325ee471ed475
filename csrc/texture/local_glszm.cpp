// Thibault et al., Int. J. Pattern Recogn. Artif. Intell. 27 (2013) 1357002,
// doi:10.1142/S0218001413570024. Which earlier neighbours of a voxel are equal to it is known for
// the whole volume, a bit each. Of those that are neighbours of each other, hence of one zone
// already, one is enough (Wu et al., Pattern Anal. Appl. 12 (2009) 117,
// doi:10.1007/s10044-008-0109-y): a window's voxel mostly takes over one label and unites nothing.
#include "texture/local_matrices.hpp"
#include "texture/local_sizes.hpp"

#include "base/pool.hpp"

#include <numeric>

namespace pyrad {
namespace {

// Bit d of a voxel: the one before it along step d is equal, and not 0.
template <class L> std::vector<u16> equal_before(View<const L, 3> levels, const LocalSteps &steps) {
    std::vector<u16> equal(levels.size());
    const auto &shape = levels.shape;
    const auto add = [&](i64 z, i64 y, i64 d) {
        const i32 *const by = steps.offsets + 3 * d;
        const i64 before = y - by[1];
        if (z < by[0] || before < 0 || before >= shape[1])
            return;
        const i64 row = (z * shape[1] + y) * shape[2];
        const L *const own = levels.data + row;
        const L *const other = own - ((by[0] * shape[1] + by[1]) * shape[2] + by[2]);
        const i64 begin = std::max(0, by[2]), end = shape[2] + std::min(0, by[2]);
        for (i64 x = begin; x < end; ++x)
            equal[row + x] |= static_cast<u16>(((own[x] == other[x]) & (own[x] != 0)) << d);
    };
    parallel_for(shape[0] * shape[1], 64, [&](i64 begin, i64 end, int) {
        for (i64 row = begin; row < end; ++row)
            for (i64 d = 0; d < steps.count; ++d)
                add(row / shape[1], row % shape[1], d);
    });
    return equal;
}

// For each set of equal neighbours before a voxel, one of those that hang together without it.
std::vector<u16> one_of_each(const LocalSteps &steps) {
    std::vector<u16> touching(steps.count), one(size_t(1) << steps.count);
    for (i64 a = 0; a < steps.count; ++a)
        for (i64 b = 0; b < steps.count; ++b)
            for (i64 d = 0; d < steps.count; ++d) {
                const i32 *const p = steps.offsets + 3 * a, *const q = steps.offsets + 3 * b,
                                 *const by = steps.offsets + 3 * d;
                if (p[0] - q[0] == by[0] && p[1] - q[1] == by[1] && p[2] - q[2] == by[2]) {
                    touching[a] |= static_cast<u16>(1 << b);
                    touching[b] |= static_cast<u16>(1 << a);
                }
            }
    for (size_t set = 1; set < one.size(); ++set)
        for (u32 rest = static_cast<u32>(set); rest;) {
            u32 zone = rest & -rest, pending = zone;
            one[set] |= static_cast<u16>(zone);
            while (pending) {
                const u32 found = touching[__builtin_ctz(pending)] & rest & ~zone;
                pending = (pending & (pending - 1)) | found;
                zone |= found;
            }
            rest &= ~zone;
        }
    return one;
}

constexpr int most_steps = 13;
constexpr u32 own_label = 1 << most_steps;

// The window's voxels: flat steps from its centre; which of the voxels before them are in the
// window; and how many positions earlier these are, at the end the voxel itself.
struct Plan {
    std::vector<i64> offsets;
    std::vector<u16> inside, one;
    i32 back[most_steps + 1] = {};

    Plan(const LocalSteps &steps, const i64 *shape) : one(one_of_each(steps)) {
        const i64 *const r = steps.reach;
        steps.each_voxel([&](i64 z, i64 y, i64 x) {
            offsets.push_back((z * shape[1] + y) * shape[2] + x);
            u32 known = 0;
            for (i64 d = 0; d < steps.count; ++d) {
                const i32 *const by = steps.offsets + 3 * d;
                known |= u32(steps.inside(z - by[0], y - by[1], x - by[2])) << d;
            }
            inside.push_back(static_cast<u16>(known));
        });
        for (i64 d = 0; d < steps.count; ++d) {
            const i32 *const by = steps.offsets + 3 * d;
            back[d] = static_cast<i32>((by[0] * (2 * r[1] + 1) + by[1]) * (2 * r[2] + 1) + by[2]);
        }
    }

    i64 size() const { return static_cast<i64>(offsets.size()); }
};

struct Scratch {
    LocalSizes table;
    std::vector<i32> label, parent, voxels, level; // of voxels; of labels: themselves, 0, any
};

i32 find(i32 *parent, i32 v) {
    while (parent[v] != v)
        v = parent[v] = parent[parent[v]];
    return v;
}

i32 unite(i32 *parent, i32 a, i32 b) {
    a = find(parent, a);
    b = find(parent, b);
    return parent[std::max(a, b)] = std::min(a, b);
}

template <class L>
void one_window(const L *levels, const u16 *equal, const Plan &plan, Scratch &s, double *out) {
    i32 *const label = s.label.data(), *const parent = s.parent.data();
    i32 *const voxels = s.voxels.data(), labels = 0;
    const i64 size = plan.size();
    for (i64 v = 0; v < size; ++v) {
        const i64 at = plan.offsets[v];
        const L level = levels[at];
        if (!level)
            continue;
        label[v] = labels; // which it takes where no zone is before it
        const u32 before = plan.one[equal[at] & plan.inside[v]] | own_label;
        i32 zone = label[v - plan.back[__builtin_ctz(before)]];
        labels += before == own_label;
        for (u32 more = before & (before - 1); more & (own_label - 1); more &= more - 1)
            zone = unite(parent, zone, label[v - plan.back[__builtin_ctz(more)]]);
        ++voxels[zone];
        s.level[zone] = level;
        label[v] = zone;
    }
    for (i32 k = labels - 1; k >= 0; --k) { // the smaller label has won
        s.table.add_if(parent[k] == k, s.level[k], voxels[k]);
        voxels[parent[k]] += parent[k] == k ? 0 : voxels[k];
        voxels[k] = 0;
        parent[k] = k;
    }
    s.table.features(true, out);
}

} // namespace

template <class L>
void local_glszm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &steps,
                 i64 ng, double *out) {
    const Plan plan(steps, levels.shape.data());
    const std::vector<u16> equal = equal_before(levels, steps);
    const i64 size = plan.size();
    std::vector<i32> none(size), themselves(size);
    std::iota(themselves.begin(), themselves.end(), 0);
    std::vector<Scratch> workers(
        max_workers(), Scratch{LocalSizes(ng, size, size, size), none, themselves, none, none});
    parallel_for(count, 64, [&](i64 begin, i64 end, int worker) {
        for (i64 c = begin; c < end; ++c) {
            poll();
            one_window(levels.data + centres[c], equal.data() + centres[c], plan, workers[worker],
                       out + c * size_feature_count);
        }
    });
}

template void local_glszm(View<const u8, 3>, const i64 *, i64, const LocalSteps &, i64, double *);
template void local_glszm(View<const u16, 3>, const i64 *, i64, const LocalSteps &, i64, double *);

} // namespace pyrad
