// Sun & Wee, CVGIP 23 (1983) 341, doi:10.1016/0734-189X(83)90032-4. One window after the other:
// every pair of neighbours in the window that depend on each other adds one to both.
#include "texture/local_matrices.hpp"
#include "texture/local_sizes.hpp"

#include "base/pool.hpp"

#include <cstdlib>

namespace pyrad {
namespace {

struct Scratch {
    LocalSizes table;
    std::vector<i32> levels, alike;
};

// Most voxels that can be alike: one and all its neighbours in the window.
i64 most_alike(const LocalPairs &window) {
    std::vector<i64> number(window.size, 1);
    for (i64 k = 0; k < 2 * window.count; ++k)
        ++number[window.pairs[k]];
    return number.empty() ? 1 : *std::max_element(number.begin(), number.end());
}

void one_window(const LocalPairs &window, i64 alpha, Scratch &s, double *out) {
    std::fill(s.alike.begin(), s.alike.end(), 1);
    for (i64 p = 0; p < window.count; ++p) {
        const i32 a = window.pairs[2 * p], b = window.pairs[2 * p + 1];
        const i32 i = s.levels[a], j = s.levels[b];
        const bool like = (i != 0) & (j != 0) & (std::abs(i - j) <= alpha);
        s.alike[a] += like;
        s.alike[b] += like;
    }
    for (i64 v = 0; v < window.size; ++v)
        s.table.add_if(s.levels[v] != 0, s.levels[v], s.alike[v]);
    s.table.features(false, out);
}

} // namespace

template <class L>
void local_ngldm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalPairs &window,
                 i64 ng, i64 alpha, double *out) {
    const std::vector<i32> voxels(window.size);
    std::vector<Scratch> workers(
        max_workers(),
        Scratch{LocalSizes(ng, window.size, most_alike(window), window.size), voxels, voxels});
    parallel_for(count, 64, [&](i64 begin, i64 end, int worker) {
        Scratch &s = workers[worker];
        for (i64 c = begin; c < end; ++c) {
            poll();
            copy_window(levels.data + centres[c], window.offsets, window.size, s.levels.data());
            one_window(window, alpha, s, out + c * size_feature_count);
        }
    });
}

template void local_ngldm(View<const u8, 3>, const i64 *, i64, const LocalPairs &, i64, i64,
                          double *);
template void local_ngldm(View<const u16, 3>, const i64 *, i64, const LocalPairs &, i64, i64,
                          double *);

} // namespace pyrad
