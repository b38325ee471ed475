// Kernels for test_emulator.py: one for each thing the emulator must do or must notice.
#include "base/portable.hpp"

using namespace pyrad;

PYRAD_KERNEL(shared_sum)(const float *x, int n, float *out) {
    __shared__ float part[128];
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    part[threadIdx.x] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half)
            part[threadIdx.x] += part[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0)
        atomicAdd(out, part[0]);
}

// Neighbour's value without the barrier that it needs.
PYRAD_KERNEL(missing_barrier)(const float *x, float *out) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    out[threadIdx.x] = threadIdx.x ? tile[threadIdx.x - 1] : 0.0f;
}

template <class T> __device__ T warp_sum(T value) {
    for (int delta = 16; delta > 0; delta /= 2)
        value += __shfl_down_sync(0xffffffffu, value, delta);
    return value;
}

PYRAD_KERNEL(warp_sums)(const double *x, double *out) {
    const double sum = warp_sum(x[blockIdx.x * blockDim.x + threadIdx.x]);
    if (threadIdx.x % 32 == 0)
        atomicAdd(out, sum);
}

PYRAD_KERNEL(shuffles)(const int *x, int *out) {
    const int n = blockDim.x, t = threadIdx.x, v = x[t];
    out[t] = __shfl_sync(0xffffffffu, v, 3);
    out[n + t] = __shfl_up_sync(0xffffffffu, v, 2);
    out[2 * n + t] = __shfl_xor_sync(0xffffffffu, v, 5, 8);
    out[3 * n + t] = __shfl_sync(0xffffffffu, v, 1, 16);
    out[4 * n + t] = __ballot_sync(0xffffffffu, v & 1);
    out[5 * n + t] = __all_sync(0xffffffffu, v >= 0) + 2 * __any_sync(0xffffffffu, v == 7);
    // Lanes of two halves meet separately.
    out[6 * n + t] = __ballot_sync(t % 32 < 16 ? 0xffffu : 0xffff0000u, 1);
    out[7 * n + t] = __syncthreads_count(v & 1) + 1000 * __syncthreads_or(v == 7);
}

PYRAD_KERNEL(histogram)(const u8 *x, long long size, u32 *bins) {
    __shared__ u32 local[256];
    for (int bin = threadIdx.x; bin < 256; bin += blockDim.x)
        local[bin] = 0;
    __syncthreads();
    const i64 step = i64(gridDim.x) * blockDim.x;
    for (i64 i = i64(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step)
        atomicAdd(&local[x[i]], 1u);
    __syncthreads();
    for (int bin = threadIdx.x; bin < 256; bin += blockDim.x)
        atomicAdd(&bins[bin], local[bin]);
}

PYRAD_KERNEL(reversed_f32)(const float *x, float *out) {
    PYRAD_DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

PYRAD_KERNEL(reversed_c64)(const pyrad::c64 *x, pyrad::c64 *out) {
    PYRAD_DYNAMIC_SHARED(pyrad::c64, tile);
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

// What a block finds in shared memory that it has not written.
PYRAD_KERNEL(unwritten)(float *fixed, float *dynamic) {
    __shared__ float left_over[32];
    PYRAD_DYNAMIC_SHARED(float, also);
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    fixed[i] = left_over[threadIdx.x];
    dynamic[i] = also[threadIdx.x];
    left_over[threadIdx.x] = also[threadIdx.x] = 1.0f;
}

PYRAD_KERNEL(divergent)(int *out) {
    if (threadIdx.x < 7)
        return;
    __syncthreads();
    out[threadIdx.x] = 1;
}

PYRAD_KERNEL(two_barriers)(int *out) {
    if (threadIdx.x % 2)
        __syncthreads();
    else
        __syncthreads();
    out[threadIdx.x] = 1;
}

PYRAD_KERNEL(warp_deadlock)(int *out) {
    if (threadIdx.x == 0)
        __syncwarp();
    else
        __syncthreads();
    out[threadIdx.x] = 1;
}

PYRAD_KERNEL(exited_lanes)(int n, int *out) {
    if (threadIdx.x >= n)
        return;
    __syncwarp();
    out[threadIdx.x] = __ballot_sync(0xffffffffu, 1);
}

PYRAD_KERNEL(indices)(int *out) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x, width = gridDim.x * blockDim.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y, height = gridDim.y * blockDim.y;
    const int z = blockIdx.z * blockDim.z + threadIdx.z;
    out[(z * height + y) * width + x] = 100 * z + 10 * y + x;
}

PYRAD_KERNEL(endless)(int *out) {
    for (;;) {
        __syncthreads();
        if (out[0])
            break;
    }
}

PYRAD_KERNEL(maths)(const float *x, float *out) {
    float s, c;
    sincosf(x[0], &s, &c);
    out[0] = s * s + c * c;
    out[1] = rsqrtf(4.0f) + sinpif(0.5f) + cospif(1.0f) + fmaf(2.0f, 3.0f, 4.0f);
    out[2] = __float2int_rd(-1.5f) + __float2int_rn(2.5f) + __popc(255u) + __ffs(8) + __clz(1);
    out[3] = min(3.0f, 4.5) + max(1u, 7u) + __expf(0.0f) + __fdividef(1.0f, 4.0f);
    out[4] = __ldg(&x[1]) + make_float4(1, 2, 3, 4).w + warpSize;
}

PYRAD_KERNEL(atomics)(int *numbers, u64 *wide, float *real) {
    const int t = threadIdx.x;
    atomicMin(&numbers[0], -t);
    atomicMax(&numbers[1], t);
    atomicOr(&numbers[2], 1 << t % 8);
    int seen = numbers[3], old;
    do
        old = seen, seen = atomicCAS(&numbers[3], old, old + 2);
    while (seen != old);
    atomicMax(&wide[0], u64(t) << 40);
    atomicAdd(&wide[1], u64(1) << 33);
    atomicAdd(&real[0], 0.5f);
    atomicExch(&real[1], 3.0f);
}
