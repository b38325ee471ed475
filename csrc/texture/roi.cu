// CUDA twin of roi.cpp: every thread scans voxels, every block merges in shared memory, then one
// atomic per value and block. box: minima then maxima of (z, y, x), starting at the far ends;
// counts: voxels of the label, invalid values, first invalid flat index (starting at the size).
#include "base/portable.hpp"

namespace {

using namespace pyrad;

template <class T> __device__ bool is_label(T x) { return static_cast<i64>(x) >= 0; }
template <> __device__ bool is_label(float x) { return x >= 0 && x == floorf(x) && x < 9e18f; }
template <> __device__ bool is_label(double x) { return x >= 0 && x == floor(x) && x < 9e18; }

template <class T>
__device__ void mask_bounds(const T *mask, i64 ny, i64 nx, i64 size, double label, int *box,
                            unsigned long long *counts) {
    __shared__ int lowest[3], highest[3];
    __shared__ unsigned long long found[3];
    if (threadIdx.x < 3) {
        lowest[threadIdx.x] = 2147483647;
        highest[threadIdx.x] = -1;
        found[threadIdx.x] = threadIdx.x == 2 ? static_cast<unsigned long long>(size) : 0ull;
    }
    __syncthreads();
    int low[3] = {2147483647, 2147483647, 2147483647}, high[3] = {-1, -1, -1};
    unsigned long long equal = 0, invalid = 0, first = static_cast<unsigned long long>(size);
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 v = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; v < size; v += step) {
        const T value = mask[v];
        if (!is_label(value)) {
            ++invalid;
            first = min_of(first, static_cast<unsigned long long>(v));
        }
        if (!(value == static_cast<T>(label)))
            continue;
        ++equal;
        const int at[3] = {static_cast<int>(v / (ny * nx)), static_cast<int>(v / nx % ny),
                           static_cast<int>(v % nx)};
        for (int d = 0; d < 3; ++d) {
            low[d] = min_of(low[d], at[d]);
            high[d] = max_of(high[d], at[d]);
        }
    }
    if (equal) {
        for (int d = 0; d < 3; ++d) {
            atomicMin(&lowest[d], low[d]);
            atomicMax(&highest[d], high[d]);
        }
        atomicAdd(&found[0], equal);
    }
    if (invalid) {
        atomicAdd(&found[1], invalid);
        atomicMin(&found[2], first);
    }
    __syncthreads();
    if (threadIdx.x < 3) {
        atomicMin(&box[threadIdx.x], lowest[threadIdx.x]);
        atomicMax(&box[3 + threadIdx.x], highest[threadIdx.x]);
    }
    if (threadIdx.x < 2)
        atomicAdd(&counts[threadIdx.x], found[threadIdx.x]);
    if (threadIdx.x == 2)
        atomicMin(&counts[2], found[2]);
}

// out: (blocks, 3) minimum, maximum, number of values that are not finite, where mask != 0.
template <class T>
__device__ void masked_range(const T *values, const unsigned char *mask, i64 size, double *out) {
    __shared__ double lows[256], highs[256], wrong[256];
    const double infinity = -log(0.0); // NVRTC knows no name for it
    double low = infinity, high = -infinity, nonfinite = 0;
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 v = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; v < size; v += step) {
        if (!mask[v])
            continue;
        const T value = values[v];
        if (!(value - value == T(0))) {
            nonfinite += 1;
            continue;
        }
        low = min_of(low, static_cast<double>(value));
        high = max_of(high, static_cast<double>(value));
    }
    lows[threadIdx.x] = low;
    highs[threadIdx.x] = high;
    wrong[threadIdx.x] = nonfinite;
    for (int width = blockDim.x / 2; width > 0; width /= 2) {
        __syncthreads();
        if (static_cast<int>(threadIdx.x) >= width)
            continue;
        lows[threadIdx.x] = min_of(lows[threadIdx.x], lows[threadIdx.x + width]);
        highs[threadIdx.x] = max_of(highs[threadIdx.x], highs[threadIdx.x + width]);
        wrong[threadIdx.x] += wrong[threadIdx.x + width];
    }
    if (threadIdx.x == 0) {
        out[3 * blockIdx.x] = lows[0];
        out[3 * blockIdx.x + 1] = highs[0];
        out[3 * blockIdx.x + 2] = wrong[0];
    }
}

} // namespace

PYRAD_KERNEL(masked_range_f32)
(const float *values, const unsigned char *mask, long long size, double *out) {
    masked_range(values, mask, size, out);
}

PYRAD_KERNEL(masked_range_f64)
(const double *values, const unsigned char *mask, long long size, double *out) {
    masked_range(values, mask, size, out);
}

PYRAD_KERNEL(mask_bounds_u8)
(const unsigned char *mask, long long ny, long long nx, long long size, double label, int *box,
 unsigned long long *counts) {
    mask_bounds(mask, ny, nx, size, label, box, counts);
}

PYRAD_KERNEL(mask_bounds_u16)
(const unsigned short *mask, long long ny, long long nx, long long size, double label, int *box,
 unsigned long long *counts) {
    mask_bounds(mask, ny, nx, size, label, box, counts);
}

PYRAD_KERNEL(mask_bounds_i16)
(const short *mask, long long ny, long long nx, long long size, double label, int *box,
 unsigned long long *counts) {
    mask_bounds(mask, ny, nx, size, label, box, counts);
}

PYRAD_KERNEL(mask_bounds_i32)
(const int *mask, long long ny, long long nx, long long size, double label, int *box,
 unsigned long long *counts) {
    mask_bounds(mask, ny, nx, size, label, box, counts);
}

PYRAD_KERNEL(mask_bounds_i64)
(const long long *mask, long long ny, long long nx, long long size, double label, int *box,
 unsigned long long *counts) {
    mask_bounds(mask, ny, nx, size, label, box, counts);
}

PYRAD_KERNEL(mask_bounds_f32)
(const float *mask, long long ny, long long nx, long long size, double label, int *box,
 unsigned long long *counts) {
    mask_bounds(mask, ny, nx, size, label, box, counts);
}

PYRAD_KERNEL(mask_bounds_f64)
(const double *mask, long long ny, long long nx, long long size, double label, int *box,
 unsigned long long *counts) {
    mask_bounds(mask, ny, nx, size, label, box, counts);
}
