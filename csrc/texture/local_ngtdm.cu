// CUDA twin of local_ngtdm.cpp: a warp takes a window; pairs add to both voxels with integer
// atomics, the first voxel of each level sums up those of its level, in their order.
#include "texture/local_lanes.hpp"
#include "texture/ngtdm_math.hpp"

namespace {

using namespace pyrad;

struct Window {
    int *seen, *near, *sum;
    double *difference, *level, *number, *spread; // the first -1 where a voxel does not count
};

__device__ void add_pairs(const Window &w, const int *pairs, int pair_count) {
    for (int p = threadIdx.x; p < pair_count; p += window_lanes) {
        const int i = pairs[2 * p], j = pairs[2 * p + 1];
        if (!w.seen[i] || !w.seen[j])
            continue;
        atomicAdd(&w.near[i], 1);
        atomicAdd(&w.near[j], 1);
        atomicAdd(&w.sum[i], w.seen[j]);
        atomicAdd(&w.sum[j], w.seen[i]);
    }
}

// Row of level seen[v] at its first voxel; n = 0 elsewhere.
__device__ void make_row(const Window &w, int size, int v) {
    w.level[v] = w.seen[v];
    w.number[v] = w.spread[v] = 0;
    if (w.difference[v] < 0)
        return;
    for (int u = 0; u < v; ++u)
        if (w.seen[u] == w.seen[v] && w.difference[u] >= 0)
            return;
    for (int u = v; u < size; ++u)
        if (w.seen[u] == w.seen[v] && w.difference[u] >= 0) {
            w.number[v] += 1;
            w.spread[v] += w.difference[u];
        }
}

__device__ void window_features(const Window &w, int size, double *out) {
    double total = 0;
    for (int v = threadIdx.x; v < size; v += window_lanes)
        total += w.number[v];
    total = lanes_sum(total);
    NgtdmSums s;
    for (int v = threadIdx.x; v < size && total > 0; v += window_lanes)
        ngtdm_add_row(v, w.level, w.number, w.spread, total, s);
    s = {lanes_sum(s.weighted), lanes_sum(s.spread), lanes_sum(s.present),
         lanes_sum(s.contrast), lanes_sum(s.steps),  lanes_sum(s.complexity),
         lanes_sum(s.strength)};
    if (threadIdx.x == 0) {
        if (total > 0)
            ngtdm_finish(s, total, out);
        else
            for (int f = 0; f < ngtdm_feature_count; ++f)
                out[f] = nan("");
    }
}

// scratch: 3 ints per voxel of the windows, rows: 4 doubles.
template <class L>
__device__ void local_ngtdm(const L *levels, const long long *centres, long long count,
                            const long long *window, int size, const int *pairs, int pair_count,
                            int alone, int *scratch, double *rows, double *out) {
    const i64 index = static_cast<i64>(blockIdx.x) * windows_per_block + threadIdx.y;
    if (index >= count)
        return;
    int *const ints = scratch + index * 3 * size;
    double *const doubles = rows + index * 4 * size;
    const Window w{ints,           ints + size,        ints + 2 * size,   doubles,
                   doubles + size, doubles + 2 * size, doubles + 3 * size};
    copy_window(levels + centres[index], window, size, w.seen);
    for (int v = threadIdx.x; v < size; v += window_lanes)
        w.near[v] = w.sum[v] = 0;
    __syncwarp();
    add_pairs(w, pairs, pair_count);
    __syncwarp();
    for (int v = threadIdx.x; v < size; v += window_lanes) {
        const double near = w.near[v], apart = w.seen[v] * near - w.sum[v];
        const bool counts = w.seen[v] && (w.near[v] || alone);
        w.difference[v] = !counts ? -1.0 : w.near[v] ? fabs(apart) / near : 0.0;
    }
    __syncwarp();
    for (int v = threadIdx.x; v < size; v += window_lanes)
        make_row(w, size, v);
    __syncwarp();
    window_features(w, size, out + index * ngtdm_feature_count);
}

} // namespace

PYRAD_KERNEL(local_ngtdm_u8)
(const unsigned char *levels, const long long *centres, long long count, const long long *window,
 int size, const int *pairs, int pair_count, int alone, int *scratch, double *rows, double *out) {
    local_ngtdm(levels, centres, count, window, size, pairs, pair_count, alone, scratch, rows, out);
}

PYRAD_KERNEL(local_ngtdm_u16)
(const unsigned short *levels, const long long *centres, long long count, const long long *window,
 int size, const int *pairs, int pair_count, int alone, int *scratch, double *rows, double *out) {
    local_ngtdm(levels, centres, count, window, size, pairs, pair_count, alone, scratch, rows, out);
}
