// CUDA twin of neighbourhood.cpp: one thread per voxel looks at all neighbours; a block's tables
// are in shared memory if they fit. Integers: the tables equal the CPU's.
//   grid: (stretches, 1, slices when by_slice); of a batch: regions in z
#include "base/portable.hpp"

namespace {

using namespace pyrad;

struct Volume {
    i64 nz, ny, nx; // padded
    i64 pad;
};

template <class L>
__device__ void neighbourhood(const L *levels, Volume n, const int *offsets, int count, int ng,
                              int alpha, int by_slice, int use_shared, unsigned long long *tones,
                              unsigned long long *dependences) {
    PYRAD_DYNAMIC_SHARED(unsigned long long, tables);
    const int columns = count + 1;
    const i64 cells = static_cast<i64>(ng) * columns, slice_of_tables = by_slice ? blockIdx.z : 0;
    tones += 2 * slice_of_tables * cells;
    dependences += slice_of_tables * cells;
    if (use_shared)
        for (i64 c = threadIdx.x; c < 3 * cells; c += blockDim.x)
            tables[c] = 0;
    __syncthreads();
    unsigned long long *const tone = use_shared ? tables : tones;
    unsigned long long *const dependence = use_shared ? tables + 2 * cells : dependences;

    const i64 inner_y = n.ny - 2 * n.pad, inner_x = n.nx - 2 * n.pad;
    const i64 slice = inner_y * inner_x, size = by_slice ? slice : (n.nz - 2 * n.pad) * slice;
    const i64 begin = by_slice ? blockIdx.z * slice : 0;
    const i64 jump = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 k = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += jump) {
        const i64 v = begin + k, z = v / slice + n.pad;
        const i64 y = v / inner_x % inner_y + n.pad, x = v % inner_x + n.pad;
        const i64 at = (z * n.ny + y) * n.nx + x;
        const int level = levels[at];
        if (!level)
            continue;
        int present = 0, alike = 0, sum = 0;
        for (int o = 0; o < count; ++o) {
            const int *offset = offsets + 3 * o;
            const int other = levels[at + (offset[0] * n.ny + offset[1]) * n.nx + offset[2]];
            const int apart = level > other ? level - other : other - level;
            sum += other;
            present += other != 0;
            alike += other != 0 && apart <= alpha;
        }
        const i64 row = (level - static_cast<i64>(1)) * columns;
        const int own = level * present, difference = own > sum ? own - sum : sum - own;
        atomicAdd(&tone[2 * (row + present)], 1ull);
        atomicAdd(&tone[2 * (row + present) + 1], static_cast<unsigned long long>(difference));
        atomicAdd(&dependence[row + alike], 1ull);
    }
    __syncthreads();
    if (!use_shared)
        return;
    for (i64 c = threadIdx.x; c < 3 * cells; c += blockDim.x)
        if (tables[c])
            atomicAdd(c < 2 * cells ? &tones[c] : &dependences[c - 2 * cells], tables[c]);
}

// shapes: (first voxel, nz, ny, nx, levels) of each region, starts: of its dependences.
template <class L>
__device__ void neighbourhood_batch(const L *levels, const long long *shapes, i64 pad,
                                    const int *offsets, int count, int alpha,
                                    const long long *starts, int use_shared,
                                    unsigned long long *tones, unsigned long long *dependences) {
    const long long *const s = shapes + 5 * blockIdx.z;
    neighbourhood(levels + s[0], Volume{s[1], s[2], s[3], pad}, offsets, count,
                  static_cast<int>(s[4]), alpha, 0, use_shared, tones + 2 * starts[blockIdx.z],
                  dependences + starts[blockIdx.z]);
}

} // namespace

PYRAD_KERNEL(neighbourhood_batch_u8)
(const unsigned char *levels, const long long *shapes, long long pad, const int *offsets, int count,
 int alpha, const long long *starts, int use_shared, unsigned long long *tones,
 unsigned long long *dependences) {
    neighbourhood_batch(levels, shapes, pad, offsets, count, alpha, starts, use_shared, tones,
                        dependences);
}

PYRAD_KERNEL(neighbourhood_batch_u16)
(const unsigned short *levels, const long long *shapes, long long pad, const int *offsets,
 int count, int alpha, const long long *starts, int use_shared, unsigned long long *tones,
 unsigned long long *dependences) {
    neighbourhood_batch(levels, shapes, pad, offsets, count, alpha, starts, use_shared, tones,
                        dependences);
}

PYRAD_KERNEL(neighbourhood_u8)
(const unsigned char *levels, long long nz, long long ny, long long nx, long long pad,
 const int *offsets, int count, int ng, int alpha, int by_slice, int use_shared,
 unsigned long long *tones, unsigned long long *dependences) {
    neighbourhood(levels, Volume{nz, ny, nx, pad}, offsets, count, ng, alpha, by_slice, use_shared,
                  tones, dependences);
}

PYRAD_KERNEL(neighbourhood_u16)
(const unsigned short *levels, long long nz, long long ny, long long nx, long long pad,
 const int *offsets, int count, int ng, int alpha, int by_slice, int use_shared,
 unsigned long long *tones, unsigned long long *dependences) {
    neighbourhood(levels, Volume{nz, ny, nx, pad}, offsets, count, ng, alpha, by_slice, use_shared,
                  tones, dependences);
}
