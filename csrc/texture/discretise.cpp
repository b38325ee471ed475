#include "texture/discretise.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 block = 128; // voxels whose levels are worked out at a time
constexpr i64 step = 16;   // loops of constant length leave no remainder

template <class T>
PYRAD_CLONES void uniform_levels(const T *values, i64 n, const UniformBins &rule, i32 *levels) {
    const UniformBins bins = rule;
    i64 x = 0;
    for (; x + step <= n; x += step)
        for (i64 k = x; k < x + step; ++k)
            levels[k] = uniform_level(static_cast<double>(values[k]), bins);
    for (; x < n; ++x)
        levels[x] = uniform_level(static_cast<double>(values[x]), bins);
}

template <class T>
PYRAD_CLONES void step_levels(const T *values, i64 n, const StepBins &rule, i32 *levels) {
    const StepBins bins = rule;
    i64 x = 0;
    for (; x + step <= n; x += step)
        for (i64 k = x; k < x + step; ++k)
            levels[k] = step_level(static_cast<double>(values[k]), bins);
    for (; x < n; ++x)
        levels[x] = step_level(static_cast<double>(values[x]), bins);
}

template <class L> PYRAD_CLONES void keep_inside(const i32 *levels, const u8 *mask, i64 n, L *out) {
    i64 x = 0;
    for (; x + step <= n; x += step)
        for (i64 k = x; k < x + step; ++k)
            out[k] = static_cast<L>(levels[k] & -static_cast<i32>(mask[k] != 0));
    for (; x < n; ++x)
        out[x] = static_cast<L>(levels[x] & -static_cast<i32>(mask[x] != 0));
}

// levels_of(first voxel, number, levels) in blocks, which may run on over `more` voxels.
template <class L, class Levels>
void fill_row(const u8 *mask, i64 n, i64 more, L *out, Levels &&levels_of) {
    i32 levels[block];
    for (i64 x = 0; x < n; x += block) {
        const i64 some = std::min(block, n - x), whole = (some + step - 1) / step * step;
        levels_of(x, x + whole <= n + more ? whole : some, levels);
        keep_inside(levels, mask + x, some, out + x);
    }
}

bool is_inside(u8 x) { return x != 0; }

// Calls row(first voxel in values and mask, number, first voxel in out) for the stretch of each row
// from its first to its last voxel in the mask; zeroes the rest of out.
template <class L, class Row>
void fill_padded(View<const u8, 3> mask, i64 pad, View<L, 3> out, Row &&row) {
    const std::array<i64, 3> inner = mask.shape;
    for (int d = 0; d < 3; ++d)
        if (out.shape[d] != inner[d] + 2 * pad)
            fail(ErrorKind::shape, "out has ", out.shape[d], " voxels along axis ", d,
                 ", expected ", inner[d] + 2 * pad);
    const i64 width = out.shape[2], height = out.shape[1];
    parallel_for(out.shape[0] * height, 64, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            L *line = out.data + r * width;
            const i64 z = r / height - pad, y = r % height - pad;
            if (z < 0 || z >= inner[0] || y < 0 || y >= inner[1]) {
                std::fill(line, line + width, L(0));
                continue;
            }
            const i64 at = (z * inner[1] + y) * inner[2];
            const u8 *inside = mask.data + at;
            const i64 first = std::find_if(inside, inside + inner[2], is_inside) - inside;
            i64 last = inner[2];
            while (last > first && !inside[last - 1])
                --last;
            std::fill(line, line + pad + first, L(0));
            row(at + first, last - first, line + pad + first);
            std::fill(line + pad + last, line + width, L(0));
        }
    });
}

} // namespace

template <class T, class L>
void discretise_uniform(View<const T, 3> values, View<const u8, 3> mask, const UniformBins &bins,
                        i64 pad, View<L, 3> out) {
    fill_padded<L>(mask, pad, out, [&](i64 at, i64 n, L *line) {
        fill_row(mask.data + at, n, values.size() - at - n, line,
                 [&](i64 x, i64 some, i32 *levels) {
                     uniform_levels(values.data + at + x, some, bins, levels);
                 });
    });
}

template <class T, class L>
void discretise_steps(View<const T, 3> values, View<const u8, 3> mask, const StepBins &bins,
                      i64 pad, View<L, 3> out) {
    fill_padded<L>(mask, pad, out, [&](i64 at, i64 n, L *line) {
        fill_row(mask.data + at, n, values.size() - at - n, line,
                 [&](i64 x, i64 some, i32 *levels) {
                     step_levels(values.data + at + x, some, bins, levels);
                 });
    });
}

template <class T, class L>
void discretise_edges(View<const T, 3> values, View<const u8, 3> mask, const double *edges,
                      i32 edge_count, i64 pad, View<L, 3> out) {
    const double range = edges[edge_count - 1] - edges[0];
    const double per_step = range > 0 ? (edge_count - 1) / range : 0.0;
    fill_padded<L>(mask, pad, out, [&](i64 at, i64 n, L *line) {
        for (i64 x = 0; x < n; ++x)
            line[x] =
                mask.data[at + x]
                    ? static_cast<L>(edge_level(values.data[at + x], edges, edge_count, per_step))
                    : L(0);
    });
}

// Eight bytes of outside voxels at a time are skipped; counters of their own for every second (u16)
// or fourth (u8) voxel, so that equal neighbours do not wait for each other's store.
template <class L> void level_histogram(const L *levels, i64 size, i64 *out, i64 bins) {
    constexpr i64 group = 8 / sizeof(L), copies = group / 2;
    const i64 known = sizeof(L) == 1 ? 256 : 65536; // no level is beyond
    std::vector<std::vector<u32>> counts(max_workers());
    std::mutex adding;
    std::fill(out, out + bins, 0);
    parallel_for(size, 1 << 18, [&](i64 begin, i64 end, int worker) {
        auto &mine = counts[worker];
        mine.assign(copies * known, 0);
        u32 *const table = mine.data();
        for (i64 v = begin; v < end; v += group) {
            u64 word = 1;
            if (v + group <= end)
                std::memcpy(&word, levels + v, 8);
            if (word == 0)
                table[0] += group;
            else if (v + group <= end)
                for (i64 k = 0; k < group; ++k)
                    ++table[(k & (copies - 1)) * known + levels[v + k]];
            else
                for (i64 k = v; k < end; ++k)
                    ++table[levels[k]];
        }
        const std::lock_guard<std::mutex> lock(adding);
        for (i64 c = 0; c < copies; ++c)
            for (i64 g = 0; g < std::min(bins, known); ++g)
                out[g] += table[c * known + g];
    });
}

#define PYRAD_DISCRETISE(T, L)                                                                     \
    template void discretise_uniform(View<const T, 3>, View<const u8, 3>, const UniformBins &,     \
                                     i64, View<L, 3>);                                             \
    template void discretise_steps(View<const T, 3>, View<const u8, 3>, const StepBins &, i64,     \
                                   View<L, 3>);                                                    \
    template void discretise_edges(View<const T, 3>, View<const u8, 3>, const double *, i32, i64,  \
                                   View<L, 3>);
PYRAD_DISCRETISE(float, u8)
PYRAD_DISCRETISE(float, u16)
PYRAD_DISCRETISE(double, u8)
PYRAD_DISCRETISE(double, u16)
#undef PYRAD_DISCRETISE
template void level_histogram(const u8 *, i64, i64 *, i64);
template void level_histogram(const u16 *, i64, i64 *, i64);

} // namespace pyrad
