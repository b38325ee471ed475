// CUDA twin of glcm.cpp. A block counts a group of offsets over a stretch of rows into tables in
// shared memory and flushes the cells that are not 0 with one atomic each; tables too large for
// shared memory are counted with atomics in global memory. Integers: the counts equal the CPU's.
//   grid: (stretches, groups of offsets, slices when by_slice); of a batch: regions in z
#include "base/portable.hpp"

namespace {

using namespace pyrad;

struct Volume {
    i64 nz, ny, nx; // padded
    i64 pad;
};

template <class C> __device__ void add(C *to, unsigned int count);
template <> __device__ void add(unsigned int *to, unsigned int count) { atomicAdd(to, count); }
template <> __device__ void add(unsigned long long *to, unsigned int count) {
    atomicAdd(to, static_cast<unsigned long long>(count));
}

template <class L, class C>
__device__ void glcm_count(const L *levels, Volume n, const int *offsets, int count, int ng,
                           int by_slice, int group, int use_shared, C *out) {
    PYRAD_DYNAMIC_SHARED(unsigned int, tables);
    const int first = blockIdx.y * group, mine = min_of(group, count - first);
    const i64 cells = static_cast<i64>(ng) * ng;
    C *const to = out + ((by_slice ? blockIdx.z * static_cast<i64>(count) : 0) + first) * cells;
    if (use_shared)
        for (i64 c = threadIdx.x; c < mine * cells; c += blockDim.x)
            tables[c] = 0;
    __syncthreads();

    const i64 inner_y = n.ny - 2 * n.pad, inner_x = n.nx - 2 * n.pad;
    const i64 slice = inner_y * inner_x, size = by_slice ? slice : (n.nz - 2 * n.pad) * slice;
    const i64 begin = by_slice ? blockIdx.z * slice : 0;
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 k = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
        const i64 v = begin + k, z = v / slice + n.pad;
        const i64 y = v / inner_x % inner_y + n.pad, x = v % inner_x + n.pad;
        const i64 at = (z * n.ny + y) * n.nx + x;
        const int i = levels[at];
        if (!i)
            continue;
        for (int o = 0; o < mine; ++o) {
            const int *offset = offsets + 3 * (first + o);
            const int j = levels[at + (offset[0] * n.ny + offset[1]) * n.nx + offset[2]];
            if (!j)
                continue;
            const i64 cell = o * cells + static_cast<i64>(i - 1) * ng + j - 1;
            if (use_shared)
                atomicAdd(&tables[cell], 1u);
            else
                add(&to[cell], 1u);
        }
    }
    __syncthreads();
    if (use_shared)
        for (i64 c = threadIdx.x; c < mine * cells; c += blockDim.x)
            if (tables[c])
                add(&to[c], tables[c]);
}

// shapes: (first voxel, nz, ny, nx, levels) of each region, starts: of its tables.
template <class L>
__device__ void glcm_count_batch(const L *levels, const long long *shapes, i64 pad,
                                 const int *offsets, int count, const long long *starts, int group,
                                 int use_shared, unsigned int *out) {
    const long long *const s = shapes + 5 * blockIdx.z;
    glcm_count(levels + s[0], Volume{s[1], s[2], s[3], pad}, offsets, count, static_cast<int>(s[4]),
               0, group, use_shared, out + starts[blockIdx.z]);
}

} // namespace

PYRAD_KERNEL(glcm_count_batch_u8)
(const unsigned char *levels, const long long *shapes, long long pad, const int *offsets, int count,
 const long long *starts, int group, int use_shared, unsigned int *out) {
    glcm_count_batch(levels, shapes, pad, offsets, count, starts, group, use_shared, out);
}

PYRAD_KERNEL(glcm_count_batch_u16)
(const unsigned short *levels, const long long *shapes, long long pad, const int *offsets,
 int count, const long long *starts, int group, int use_shared, unsigned int *out) {
    glcm_count_batch(levels, shapes, pad, offsets, count, starts, group, use_shared, out);
}

PYRAD_KERNEL(glcm_count_u8_u32)
(const unsigned char *levels, long long nz, long long ny, long long nx, long long pad,
 const int *offsets, int count, int ng, int by_slice, int group, int use_shared,
 unsigned int *out) {
    glcm_count(levels, Volume{nz, ny, nx, pad}, offsets, count, ng, by_slice, group, use_shared,
               out);
}

PYRAD_KERNEL(glcm_count_u8_u64)
(const unsigned char *levels, long long nz, long long ny, long long nx, long long pad,
 const int *offsets, int count, int ng, int by_slice, int group, int use_shared,
 unsigned long long *out) {
    glcm_count(levels, Volume{nz, ny, nx, pad}, offsets, count, ng, by_slice, group, use_shared,
               out);
}

PYRAD_KERNEL(glcm_count_u16_u32)
(const unsigned short *levels, long long nz, long long ny, long long nx, long long pad,
 const int *offsets, int count, int ng, int by_slice, int group, int use_shared,
 unsigned int *out) {
    glcm_count(levels, Volume{nz, ny, nx, pad}, offsets, count, ng, by_slice, group, use_shared,
               out);
}

PYRAD_KERNEL(glcm_count_u16_u64)
(const unsigned short *levels, long long nz, long long ny, long long nx, long long pad,
 const int *offsets, int count, int ng, int by_slice, int group, int use_shared,
 unsigned long long *out) {
    glcm_count(levels, Volume{nz, ny, nx, pad}, offsets, count, ng, by_slice, group, use_shared,
               out);
}
