// CUDA twin of run_lengths.cpp. A thread that stands on the first voxel of a run walks to its end.
// A block takes one direction and a stretch of rows; its table is in shared memory if it fits.
//   grid: (stretches, directions, slices when by_slice); of a batch: regions in z
#include "base/portable.hpp"

namespace {

using namespace pyrad;

struct Volume {
    i64 nz, ny, nx; // padded
    i64 pad;
};

template <class L>
__device__ void run_lengths(const L *levels, Volume n, const int *offsets, int count, int ng,
                            int longest, int by_slice, int use_shared, unsigned long long *out) {
    PYRAD_DYNAMIC_SHARED(unsigned int, table);
    const i64 cells = static_cast<i64>(ng) * longest;
    const int *offset = offsets + 3 * blockIdx.y;
    const i64 step = (offset[0] * n.ny + offset[1]) * n.nx + offset[2];
    unsigned long long *const to =
        out + ((by_slice ? blockIdx.z * static_cast<i64>(count) : 0) + blockIdx.y) * cells;
    if (use_shared)
        for (i64 c = threadIdx.x; c < cells; c += blockDim.x)
            table[c] = 0;
    __syncthreads();

    const i64 inner_y = n.ny - 2 * n.pad, inner_x = n.nx - 2 * n.pad;
    const i64 slice = inner_y * inner_x, size = by_slice ? slice : (n.nz - 2 * n.pad) * slice;
    const i64 begin = by_slice ? blockIdx.z * slice : 0;
    const i64 jump = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 k = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += jump) {
        const i64 v = begin + k, z = v / slice + n.pad;
        const i64 y = v / inner_x % inner_y + n.pad, x = v % inner_x + n.pad;
        const L *at = levels + (z * n.ny + y) * n.nx + x;
        const L level = *at;
        if (!level || at[-step] == level)
            continue;
        int length = 1;
        for (at += step; *at == level; at += step)
            ++length;
        const i64 cell = (level - static_cast<i64>(1)) * longest + length - 1;
        if (use_shared)
            atomicAdd(&table[cell], 1u);
        else
            atomicAdd(&to[cell], 1ull);
    }
    __syncthreads();
    if (use_shared)
        for (i64 c = threadIdx.x; c < cells; c += blockDim.x)
            if (table[c])
                atomicAdd(&to[c], static_cast<unsigned long long>(table[c]));
}

// shapes: (first voxel, nz, ny, nx, levels) of each region, starts: of its tables.
template <class L>
__device__ void run_lengths_batch(const L *levels, const long long *shapes, i64 pad,
                                  const int *offsets, int count, const long long *starts,
                                  int use_shared, unsigned long long *out) {
    const long long *const s = shapes + 5 * blockIdx.z;
    const i64 longest = max_of(s[1], max_of(s[2], s[3])) - 2 * pad;
    run_lengths(levels + s[0], Volume{s[1], s[2], s[3], pad}, offsets, count,
                static_cast<int>(s[4]), static_cast<int>(longest), 0, use_shared,
                out + starts[blockIdx.z]);
}

} // namespace

PYRAD_KERNEL(run_lengths_batch_u8)
(const unsigned char *levels, const long long *shapes, long long pad, const int *offsets, int count,
 const long long *starts, int use_shared, unsigned long long *out) {
    run_lengths_batch(levels, shapes, pad, offsets, count, starts, use_shared, out);
}

PYRAD_KERNEL(run_lengths_batch_u16)
(const unsigned short *levels, const long long *shapes, long long pad, const int *offsets,
 int count, const long long *starts, int use_shared, unsigned long long *out) {
    run_lengths_batch(levels, shapes, pad, offsets, count, starts, use_shared, out);
}

PYRAD_KERNEL(run_lengths_u8)
(const unsigned char *levels, long long nz, long long ny, long long nx, long long pad,
 const int *offsets, int count, int ng, int longest, int by_slice, int use_shared,
 unsigned long long *out) {
    run_lengths(levels, Volume{nz, ny, nx, pad}, offsets, count, ng, longest, by_slice, use_shared,
                out);
}

PYRAD_KERNEL(run_lengths_u16)
(const unsigned short *levels, long long nz, long long ny, long long nx, long long pad,
 const int *offsets, int count, int ng, int longest, int by_slice, int use_shared,
 unsigned long long *out) {
    run_lengths(levels, Volume{nz, ny, nx, pad}, offsets, count, ng, longest, by_slice, use_shared,
                out);
}
