// What the CUDA kernels of feature maps have in common: a warp holds a window.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

constexpr int window_lanes = 32;
constexpr int windows_per_block = 4;

// Sum over the warp, for every lane, in an order that does not change.
template <class T> __device__ inline T lanes_sum(T x) {
    for (int step = window_lanes / 2; step > 0; step /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}

template <class L>
__device__ inline void copy_window(const L *centre, const long long *window, int size, int *seen) {
    for (int v = threadIdx.x; v < size; v += window_lanes)
        seen[v] = static_cast<int>(centre[window[v]]);
    __syncwarp();
}

} // namespace pyrad
