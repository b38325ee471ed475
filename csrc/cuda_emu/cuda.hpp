// Lets g++ compile a .cu file unchanged; the first include of every generated plugin.
//
// Not offered: textures, cub, half, cooperative groups. Kernels that use them need a path for
// PYRAD_EMULATE. Differences from a GPU: no fused multiply-add unless written as fmaf(), no flush
// of float32 denormals, no memory model (a missing __threadfence is invisible), and
// __activemask() returns the calling lane alone, which CUDA allows it to do.
#pragma once

// All standard headers come before the macros below, some of which they use as plain words.
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <math.h> // the global overloads floor(float), abs(double), ...
#include <type_traits>

#include "cuda_emu/block.hpp"
#include "cuda_emu/kernel.hpp"

#define __global__
#define __device__
#define __host__
#define __constant__
// One copy per OS thread, since an OS thread runs one block at a time.
#define __shared__ static thread_local
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__

#define threadIdx (::pyrad::emu::self().index)
#define blockIdx (::pyrad::emu::self().block->index)
#define blockDim (::pyrad::emu::self().block->size)
#define gridDim (::pyrad::emu::self().block->grid)
static constexpr int warpSize = 32;

#define PYRAD_DYNAMIC_SHARED(type, name)                                                           \
    type *const name = static_cast<type *>(::pyrad::emu::self().block->dynamic_shared)

#include "cuda_emu/atomics.hpp"
#include "cuda_emu/intrinsics.hpp"
#include "cuda_emu/warp.hpp"
