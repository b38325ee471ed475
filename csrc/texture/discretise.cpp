#include "texture/discretise.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
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

// Calls row(z, y, first voxel of the row in out) for the rows inside the margin; zeroes the rest.
template <class L, class Row>
void fill_padded(std::array<i64, 3> inner, i64 pad, View<L, 3> out, Row &&row) {
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
            std::fill(line, line + pad, L(0));
            row(z, y, line + pad);
            std::fill(line + width - pad, line + width, L(0));
        }
    });
}

} // namespace

template <class T, class L>
void discretise_uniform(View<const T, 3> values, View<const u8, 3> mask, const UniformBins &bins,
                        i64 pad, View<L, 3> out) {
    const i64 n = values.shape[2], height = values.shape[1];
    fill_padded<L>(values.shape, pad, out, [&](i64 z, i64 y, L *line) {
        const i64 at = (z * height + y) * n;
        uniform_row(values.data + at, mask.data + at, n, bins, line);
    });
}

template <class T, class L>
void discretise_steps(View<const T, 3> values, View<const u8, 3> mask, const StepBins &bins,
                      i64 pad, View<L, 3> out) {
    const i64 n = values.shape[2], height = values.shape[1];
    fill_padded<L>(values.shape, pad, out, [&](i64 z, i64 y, L *line) {
        const i64 at = (z * height + y) * n;
        step_row(values.data + at, mask.data + at, n, bins, line);
    });
}

template <class T, class L>
void discretise_edges(View<const T, 3> values, View<const u8, 3> mask, const double *edges,
                      i32 edge_count, i64 pad, View<L, 3> out) {
    const i64 n = values.shape[2], height = values.shape[1];
    const double range = edges[edge_count - 1] - edges[0];
    const double per_step = range > 0 ? (edge_count - 1) / range : 0.0;
    fill_padded<L>(values.shape, pad, out, [&](i64 z, i64 y, L *line) {
        const i64 at = (z * height + y) * n;
        for (i64 x = 0; x < n; ++x)
            line[x] =
                mask.data[at + x]
                    ? static_cast<L>(edge_level(values.data[at + x], edges, edge_count, per_step))
                    : L(0);
    });
}

// Four counters per level, used in turn: equal neighbours do not wait for each other's store.
template <class L> void level_histogram(const L *levels, i64 size, i64 *out, i64 bins) {
    std::vector<std::vector<i64>> counts(max_workers());
    parallel_for(size, 1 << 16, [&](i64 begin, i64 end, int worker) {
        auto &mine = counts[worker];
        mine.resize(4 * bins, 0);
        for (i64 v = begin; v < end; ++v)
            if (levels[v] < bins)
                ++mine[4 * levels[v] + (v & 3)];
    });
    std::fill(out, out + bins, 0);
    for (const auto &mine : counts)
        for (size_t g = 0; g < mine.size(); ++g)
            out[g / 4] += mine[g];
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
