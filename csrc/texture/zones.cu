// CUDA twin of zones.cpp and border_distance.cpp. Label equivalence with atomics (Komura 2015,
// doi:10.1016/j.cpc.2015.04.015): every voxel is linked to its equal neighbours that come before
// it, the smaller index wins, so a zone's label is its first voxel, as on the CPU.
#include "texture/label_union.hpp"

namespace {

using namespace pyrad;

// Links within the volume of `size` voxels, of which the margin is 0; steps: the neighbours before.
template <class L>
__device__ void zones_link(const L *levels, i64 size, const long long *steps, int count,
                           int *parent) {
    const i64 jump = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 v = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; v < size; v += jump) {
        const L level = levels[v];
        if (!level)
            continue;
        for (int k = 0; k < count; ++k)
            if (levels[v + steps[k]] == level)
                unite(parent, static_cast<int>(v), static_cast<int>(v + steps[k]));
    }
}

// voxels, distance: per first voxel of a zone.
template <class L>
__device__ void zones_measure(const L *levels, i64 size, const int *parent,
                              const unsigned short *distances, int has_distances, int *voxels,
                              int *distance) {
    const i64 jump = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 v = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; v < size; v += jump) {
        if (!levels[v])
            continue;
        const int root = find(parent, static_cast<int>(v));
        atomicAdd(&voxels[root], 1);
        if (has_distances)
            atomicMin(&distance[root], static_cast<int>(distances[v]));
    }
}

// The same of the region blockIdx.y; a region's labels count from its own first voxel.
// shapes: (first voxel, nz, ny, nx, levels) of each region.
template <class L>
__device__ void zones_link_batch(const L *levels, const long long *shapes, int in_plane,
                                 int *parent) {
    const long long *const s = shapes + 5 * blockIdx.y;
    long long steps[13];
    int count = 0;
    for (int k = in_plane ? 9 : 0; k < 13; ++k)
        steps[count++] = ((k / 9 - 1) * s[2] + k / 3 % 3 - 1) * s[3] + k % 3 - 1;
    zones_link(levels + s[0], s[1] * s[2] * s[3], steps, count, parent + s[0]);
}

template <class L>
__device__ void zones_measure_batch(const L *levels, const long long *shapes, const int *parent,
                                    int *voxels) {
    const long long *const s = shapes + 5 * blockIdx.y;
    zones_measure(levels + s[0], s[1] * s[2] * s[3], parent + s[0], nullptr, 0, voxels + s[0],
                  nullptr);
}

} // namespace

PYRAD_KERNEL(zones_link_batch_u8)
(const unsigned char *levels, const long long *shapes, int in_plane, int *parent) {
    zones_link_batch(levels, shapes, in_plane, parent);
}

PYRAD_KERNEL(zones_link_batch_u16)
(const unsigned short *levels, const long long *shapes, int in_plane, int *parent) {
    zones_link_batch(levels, shapes, in_plane, parent);
}

PYRAD_KERNEL(zones_measure_batch_u8)
(const unsigned char *levels, const long long *shapes, const int *parent, int *voxels) {
    zones_measure_batch(levels, shapes, parent, voxels);
}

PYRAD_KERNEL(zones_measure_batch_u16)
(const unsigned short *levels, const long long *shapes, const int *parent, int *voxels) {
    zones_measure_batch(levels, shapes, parent, voxels);
}

PYRAD_KERNEL(zones_link_u8)
(const unsigned char *levels, long long size, const long long *steps, int count, int *parent) {
    zones_link(levels, size, steps, count, parent);
}

PYRAD_KERNEL(zones_link_u16)
(const unsigned short *levels, long long size, const long long *steps, int count, int *parent) {
    zones_link(levels, size, steps, count, parent);
}

PYRAD_KERNEL(zones_measure_u8)
(const unsigned char *levels, long long size, const int *parent, const unsigned short *distances,
 int has_distances, int *voxels, int *distance) {
    zones_measure(levels, size, parent, distances, has_distances, voxels, distance);
}

PYRAD_KERNEL(zones_measure_u16)
(const unsigned short *levels, long long size, const int *parent, const unsigned short *distances,
 int has_distances, int *voxels, int *distance) {
    zones_measure(levels, size, parent, distances, has_distances, voxels, distance);
}

// One thread per line: d(k) = min(d(k), d(k -+ 1) + 1) forwards and backwards. Lines start at
// (a * a_step + b * b_step), a the fast one.
PYRAD_KERNEL(border_distance_lines)
(unsigned short *distance, long long lines, long long fast, long long fast_step,
 long long slow_step, long long length, long long step) {
    const i64 line = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (line >= lines)
        return;
    unsigned short *d = distance + line % fast * fast_step + line / fast * slow_step;
    for (i64 k = 1; k < length; ++k)
        d[k * step] = static_cast<unsigned short>(min_of<int>(d[k * step], d[(k - 1) * step] + 1));
    for (i64 k = length - 1; k-- > 0;)
        d[k * step] = static_cast<unsigned short>(min_of<int>(d[k * step], d[(k + 1) * step] + 1));
}
