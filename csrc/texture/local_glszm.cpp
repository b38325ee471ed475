// Thibault et al., Int. J. Pattern Recogn. Artif. Intell. 27 (2013) 1357002,
// doi:10.1142/S0218001413570024. One window after the other: equal neighbours are united, the
// smaller position wins, so that one pass over the window counts the zones' voxels.
#include "texture/local_matrices.hpp"
#include "texture/local_sizes.hpp"

#include "base/pool.hpp"

namespace pyrad {
namespace {

struct Scratch {
    LocalSizes table;
    std::vector<i32> levels, parent, voxels;
};

i32 find(i32 *parent, i32 v) {
    while (parent[v] != v)
        v = parent[v] = parent[parent[v]];
    return v;
}

void one_window(const LocalPairs &window, Scratch &s, double *out) {
    for (i64 v = 0; v < window.size; ++v) {
        s.parent[v] = static_cast<i32>(v);
        s.voxels[v] = 0;
    }
    for (i64 p = 0; p < window.count; ++p) {
        i32 a = window.pairs[2 * p], b = window.pairs[2 * p + 1];
        if (s.levels[a] != s.levels[b] || !s.levels[a])
            continue;
        a = find(s.parent.data(), a);
        b = find(s.parent.data(), b);
        s.parent[std::max(a, b)] = std::min(a, b);
    }
    for (i32 v = 0; v < window.size; ++v)
        ++s.voxels[find(s.parent.data(), v)];
    for (i64 v = 0; v < window.size; ++v)
        s.table.add_if((s.levels[v] != 0) & (s.voxels[v] != 0), s.levels[v], s.voxels[v]);
    s.table.features(true, out);
}

} // namespace

template <class L>
void local_glszm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalPairs &window,
                 i64 ng, double *out) {
    const std::vector<i32> voxels(window.size);
    std::vector<Scratch> workers(
        max_workers(),
        Scratch{LocalSizes(ng, window.size, window.size, window.size), voxels, voxels, voxels});
    parallel_for(count, 64, [&](i64 begin, i64 end, int worker) {
        Scratch &s = workers[worker];
        for (i64 c = begin; c < end; ++c) {
            poll();
            copy_window(levels.data + centres[c], window.offsets, window.size, s.levels.data());
            one_window(window, s, out + c * size_feature_count);
        }
    });
}

template void local_glszm(View<const u8, 3>, const i64 *, i64, const LocalPairs &, i64, double *);
template void local_glszm(View<const u16, 3>, const i64 *, i64, const LocalPairs &, i64, double *);

} // namespace pyrad
