// Grids of one to three axes as the CUDA kernels of total variation see them: a thread owns voxels.
#pragma once

#include "base/portable.hpp"

namespace pyrad::volume {

// Sizes as the launcher gives them; axis 0 is the slowest of D.
struct Sizes {
    long long nz, ny, nx;
};

// One number per axis, slowest first; unused ones are 0.
template <class T> struct Axes {
    T values[3];
};

template <int D> struct Voxel {
    long long index, voxels;
    long long at[D], size[D], stride[D];

    __device__ Voxel(const Sizes &sizes, long long z, long long y, long long x) {
        const long long all_at[3] = {z, y, x}, all_size[3] = {sizes.nz, sizes.ny, sizes.nx};
        const long long all_stride[3] = {sizes.ny * sizes.nx, sizes.nx, 1};
        for (int d = 0; d < D; ++d) {
            at[d] = all_at[3 - D + d];
            size[d] = all_size[3 - D + d];
            stride[d] = all_stride[3 - D + d];
        }
        index = (z * sizes.ny + y) * sizes.nx + x;
        voxels = sizes.nz * sizes.ny * sizes.nx;
    }

    __device__ bool has_next(int d) const { return at[d] + 1 < size[d]; }
};

// Calls body(z, y, x) for this thread's voxels: x and y by the block, z by the grid.
template <class Body> __device__ void for_each_voxel(const Sizes &sizes, Body &&body) {
    const long long x = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const long long y = static_cast<long long>(blockIdx.y) * blockDim.y + threadIdx.y;
    if (x < sizes.nx && y < sizes.ny)
        for (long long z = blockIdx.z; z < sizes.nz; z += gridDim.z)
            body(z, y, x);
}

// parts[Terms block + i]: this block's share of term i, the first `summed` of which add up and the
// others keep their maximum. Blocks have 256 threads; every thread of the block calls it.
template <int Terms>
__device__ void store_block_terms(const double (&total)[Terms], int summed, double *parts) {
    __shared__ double shared[Terms][256];
    const int thread = threadIdx.y * blockDim.x + threadIdx.x;
    for (int i = 0; i < Terms; ++i)
        shared[i][thread] = total[i];
    for (int half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (thread < half)
            for (int i = 0; i < Terms; ++i) {
                const double other = shared[i][thread + half];
                shared[i][thread] =
                    i < summed ? shared[i][thread] + other : max_of(shared[i][thread], other);
            }
    }
    if (thread == 0) {
        const long long block =
            (static_cast<long long>(blockIdx.z) * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
        for (int i = 0; i < Terms; ++i)
            parts[Terms * block + i] = shared[i][0];
    }
}

template <int Value> struct Int {
    static constexpr int value = Value;
};

// Calls body(D, C) with compile-time constants.
template <class Body> __device__ void dispatch(int dims, int channels, Body &&body) {
#define PYRAD_CASE(D, C)                                                                           \
    if (dims == D && channels == C)                                                                \
        body(Int<D>{}, Int<C>{});
    PYRAD_CASE(1, 1)
    PYRAD_CASE(2, 1)
    PYRAD_CASE(3, 1)
    PYRAD_CASE(1, 2)
    PYRAD_CASE(2, 2)
    PYRAD_CASE(3, 2)
#undef PYRAD_CASE
}

} // namespace pyrad::volume
