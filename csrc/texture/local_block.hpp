// What the CUDA kernels of zone, run, dependence and tone difference maps have in common: a block
// takes one window after the other. Its voxels lie in a box with a margin of -1 between and around
// rows and planes, so that a neighbour is a constant step away; numbers of equal things come from a
// hash table. Both lie in shared memory where they fit.
#pragma once

#include "texture/local_lanes.hpp"

namespace pyrad {

constexpr int most_window_threads = 128;

// window: flat steps from a centre to the voxels; place: theirs in the box; steps: from a place to
// neighbours that come later. words: of a block's memory in scratch; 0: it is shared memory.
struct BlockWindows {
    const long long *centres;
    long long count;
    const long long *window;
    const int *place;
    int size, places;
    const int *steps;
    int step_count;
    int *scratch;
    long long words;

    __device__ int *memory(int *shared) const {
        return words ? scratch + blockIdx.x * words : shared;
    }
};

template <class L>
__device__ inline void fill_box(const L *levels, i64 index, const BlockWindows &w, int *seen) {
    __syncthreads(); // the window before is done
    for (int p = threadIdx.x; p < w.places; p += blockDim.x)
        seen[p] = -1;
    __syncthreads();
    const L *const centre = levels + w.centres[index];
    for (int v = threadIdx.x; v < w.size; v += blockDim.x)
        seen[w.place[v]] = static_cast<int>(centre[w.window[v]]);
    __syncthreads();
}

// Sums over the block, for every thread, in an order that does not change.
template <int n> __device__ inline void block_sums(double *x) {
    __shared__ double partial[most_window_threads / window_lanes][n];
    const int warp = threadIdx.x / window_lanes, warps = blockDim.x / window_lanes;
#pragma unroll
    for (int f = 0; f < n; ++f)
        x[f] = lanes_sum(x[f]);
    if (warps == 1)
        return;
    __syncthreads();
#pragma unroll
    for (int f = 0; f < n; ++f)
        if (threadIdx.x % window_lanes == 0)
            partial[warp][f] = x[f];
    __syncthreads();
#pragma unroll
    for (int f = 0; f < n; ++f) {
        x[f] = partial[0][f];
        for (int k = 1; k < warps; ++k)
            x[f] += partial[k][f];
    }
}

// Open addressing, 1 << bits cells, a key of 0 is free.
struct HashTable {
    u32 *key;
    int *count;
    int bits;

    __device__ int cells() const { return 1 << bits; }

    __device__ void clear() const {
        for (int c = threadIdx.x; c < cells(); c += blockDim.x) {
            key[c] = 0;
            count[c] = 0;
        }
    }

    // The cell of a key, which it takes if there is none.
    __device__ int take(u32 wanted) const {
        const volatile u32 *const keys = key;
        for (int c = first(wanted);; c = (c + 1) & (cells() - 1)) {
            u32 there = keys[c];
            if (!there)
                there = atomicCAS(key + c, 0u, wanted);
            if (!there || there == wanted)
                return c;
        }
    }

    __device__ void add(u32 wanted) const { atomicAdd(count + take(wanted), 1); }

    // Of a key that is there.
    __device__ int number(u32 wanted) const {
        int c = first(wanted);
        while (key[c] != wanted)
            c = (c + 1) & (cells() - 1);
        return count[c];
    }

  private:
    __device__ int first(u32 wanted) const {
        return static_cast<int>(wanted * 2654435769u >> (32 - bits));
    }
};

} // namespace pyrad
