// Galloway, CGIP 4 (1975) 172, doi:10.1016/S0146-664X(75)80008-6. Windows roll (rolling_runs.cpp)
// where each direction has a table of few levels. Else one window after the other: in the window's
// order a voxel comes after the one before it on its line, so it takes over the length of that
// one's run, or begins one.
#include "texture/local_matrices.hpp"
#include "texture/local_sizes.hpp"
#include "texture/rolling_runs.hpp"
#include "texture/rolling_sizes.hpp"

#include "base/pool.hpp"

namespace pyrad {
namespace {

// The window's voxels (flat steps from its centre, in C order), and for each direction and voxel
// the position of the voxel before it on its line, -1 outside the window.
struct LocalLines {
    std::vector<i64> offsets;
    std::vector<i32> before;
    i64 size, directions;
    bool merged, left_out;

    LocalLines(const RunDirections &from, const i64 *shape)
        : directions(from.count), merged(from.merged), left_out(from.left_out) {
        const i64 *const r = from.reach;
        each_voxel(
            r, [&](i64 z, i64 y, i64 x) { offsets.push_back((z * shape[1] + y) * shape[2] + x); });
        size = static_cast<i64>(offsets.size());
        for (i64 d = 0; d < directions; ++d) {
            const i32 *const step = from.offsets + 3 * d;
            each_voxel(r, [&](i64 z, i64 y, i64 x) {
                z += r[0] - step[0];
                y += r[1] - step[1];
                x += r[2] - step[2];
                const bool inside =
                    z >= 0 && z <= 2 * r[0] && y >= 0 && y <= 2 * r[1] && x >= 0 && x <= 2 * r[2];
                const i64 place = (z * (2 * r[1] + 1) + y) * (2 * r[2] + 1) + x;
                before.push_back(inside ? static_cast<i32>(place) : -1);
            });
        }
    }

  private:
    template <class Work> static void each_voxel(const i64 *reach, const Work &work) {
        for (i64 z = -reach[0]; z <= reach[0]; ++z)
            for (i64 y = -reach[1]; y <= reach[1]; ++y)
                for (i64 x = -reach[2]; x <= reach[2]; ++x)
                    work(z, y, x);
    }
};

struct Scratch {
    LocalSizes table;
    std::vector<i32> levels, length; // voxel v at v + 1; before the first: no voxel
};

// Voxels of the longest line.
i64 longest(const LocalLines &lines) {
    i64 most = 1;
    std::vector<i64> place(lines.size);
    for (i64 d = 0; d < lines.directions; ++d)
        for (i64 v = 0; v < lines.size; ++v) {
            const i32 b = lines.before[d * lines.size + v];
            place[v] = b < 0 ? 1 : place[b] + 1;
            most = std::max(most, place[v]);
        }
    return most;
}

// Whether a line of the direction holds two voxels of the region.
bool holds_pair(const i32 *before, const std::vector<i32> &levels) {
    for (size_t v = 0; v + 1 < levels.size(); ++v)
        if (levels[v + 1])
            for (i32 b = before[v]; b >= 0; b = before[b])
                if (levels[b + 1])
                    return true;
    return false;
}

void add_runs(const LocalLines &lines, const i32 *before, Scratch &s) {
    if (lines.left_out && !holds_pair(before, s.levels))
        return;
    i32 *const levels = s.levels.data(), *const length = s.length.data();
    for (i64 v = 0; v < lines.size; ++v) { // position -1 holds a level of its own
        const i32 b = before[v], same = levels[b + 1] == levels[v + 1];
        length[v + 1] = 1 + (length[b + 1] & -same);
        length[b + 1] &= same - 1;
    }
    for (i64 v = 1; v <= lines.size; ++v)
        s.table.add_if((levels[v] != 0) & (length[v] != 0), levels[v], length[v]);
}

void one_window(const LocalLines &lines, Scratch &s, double *out) {
    double sums[size_feature_count] = {}, values[size_feature_count];
    i64 defined = 0;
    for (i64 d = 0; d < lines.directions; ++d) {
        add_runs(lines, lines.before.data() + d * lines.size, s);
        if (s.table.empty() || (lines.merged && d + 1 < lines.directions))
            continue;
        s.table.features(true, values);
        for (int f = 0; f < size_feature_count; ++f)
            sums[f] += values[f];
        ++defined;
    }
    for (int f = 0; f < size_feature_count; ++f)
        out[f] = sums[f] / static_cast<double>(defined); // NaN without any
}

} // namespace

template <class L>
void local_glrlm(View<const L, 3> levels, const i64 *centres, i64 count,
                 const RunDirections &directions, i64 ng, double *out) {
    if (!directions.merged && ng <= most_rolling_levels)
        return rolling_runs(levels, centres, count, directions, ng, out);
    const LocalLines lines(directions, levels.shape.data());
    const std::vector<i32> voxels(lines.size + 1, -1);
    const i64 entries = lines.size * (lines.merged ? lines.directions : 1);
    std::vector<Scratch> workers(
        max_workers(),
        Scratch{LocalSizes(ng, lines.size, longest(lines), entries), voxels, voxels});
    parallel_for(count, 32, [&](i64 begin, i64 end, int worker) {
        Scratch &s = workers[worker];
        for (i64 c = begin; c < end; ++c) {
            poll();
            copy_window(levels.data + centres[c], lines.offsets.data(), lines.size,
                        s.levels.data() + 1);
            one_window(lines, s, out + c * size_feature_count);
        }
    });
}

template void local_glrlm(View<const u8, 3>, const i64 *, i64, const RunDirections &, i64,
                          double *);
template void local_glrlm(View<const u16, 3>, const i64 *, i64, const RunDirections &, i64,
                          double *);

} // namespace pyrad
