#include "texture/discretise.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

template <class T, class L>
PYRAD_CLONES void uniform_row(const T *values, const u8 *mask, i64 n, const UniformBins &rule,
                              L *out) {
    const UniformBins bins = rule;
    for (i64 x = 0; x < n; ++x) {
        const i32 level = uniform_level(static_cast<double>(values[x]), bins);
        out[x] = static_cast<L>(mask[x] ? level : 0);
    }
}

template <class T, class L>
PYRAD_CLONES void step_row(const T *values, const u8 *mask, i64 n, const StepBins &rule, L *out) {
    const StepBins bins = rule;
    for (i64 x = 0; x < n; ++x) {
        const i32 level = step_level(static_cast<double>(values[x]), bins);
        out[x] = static_cast<L>(mask[x] ? level : 0);
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
        uniform_row(values.data + at, mask.data + at, n, bins, line);
    });
}

template <class T, class L>
void discretise_steps(View<const T, 3> values, View<const u8, 3> mask, const StepBins &bins,
                      i64 pad, View<L, 3> out) {
    fill_padded<L>(mask, pad, out, [&](i64 at, i64 n, L *line) {
        step_row(values.data + at, mask.data + at, n, bins, line);
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

// Eight bytes of outside voxels at a time are skipped; two counters per level, used in turn, so
// that equal neighbours do not wait for each other's store.
template <class L> void level_histogram(const L *levels, i64 size, i64 *out, i64 bins) {
    constexpr i64 group = 8 / sizeof(L);
    std::vector<std::vector<i64>> counts(max_workers());
    parallel_for(size, 1 << 16, [&](i64 begin, i64 end, int worker) {
        auto &mine = counts[worker];
        mine.resize(2 * bins, 0);
        for (i64 v = begin; v < end; v += group) {
            u64 word = 1;
            if (v + group <= end)
                std::memcpy(&word, levels + v, 8);
            if (word == 0) {
                mine[0] += group;
                continue;
            }
            for (i64 k = v; k < std::min(v + group, end); ++k)
                if (levels[k] < bins)
                    ++mine[2 * levels[k] + (k & 1)];
        }
    });
    std::fill(out, out + bins, 0);
    for (const auto &mine : counts)
        for (size_t g = 0; g < mine.size(); ++g)
            out[g / 2] += mine[g];
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
