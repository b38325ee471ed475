// CUDA twin of first_order.cpp: block b sums tile b and writes its sums to out[b]; the launcher
// adds the tiles in order. Order statistics are a device sort (launcher).
#include "base/portable.hpp"

namespace {

using namespace pyrad;

constexpr int block = 256; // threads, as launched

// Sum over the block in a fixed tree; all threads get it.
__device__ double block_sum(double x) {
    __shared__ double part[block];
    part[threadIdx.x] = x;
    __syncthreads();
    for (int half = block / 2; half > 0; half /= 2) {
        if (threadIdx.x < half)
            part[threadIdx.x] += part[threadIdx.x + half];
        __syncthreads();
    }
    const double sum = part[0];
    __syncthreads();
    return sum;
}

__device__ double block_min(double x) {
    __shared__ double part[block];
    part[threadIdx.x] = x;
    __syncthreads();
    for (int half = block / 2; half > 0; half /= 2) {
        if (threadIdx.x < half)
            part[threadIdx.x] = min_of(part[threadIdx.x], part[threadIdx.x + half]);
        __syncthreads();
    }
    const double least = part[0];
    __syncthreads();
    return least;
}

struct Tile {
    i64 begin, end;
    __device__ Tile(i64 n, i64 tile)
        : begin(blockIdx.x * tile + threadIdx.x), end(min_of((blockIdx.x + i64(1)) * tile, n)) {}
};

template <class T>
__device__ void sums(const T *x, i64 n, i64 tile_size, double shift, double *out) {
    const Tile tile(n, tile_size);
    double sum = 0, squares = 0, low = static_cast<double>(x[blockIdx.x * tile_size]), high = low;
    for (i64 v = tile.begin; v < tile.end; v += block) {
        const double value = static_cast<double>(x[v]), shifted = value + shift;
        sum += value;
        squares += shifted * shifted;
        low = min_of(low, value);
        high = max_of(high, value);
    }
    const double found[4] = {block_sum(sum), block_min(low), -block_min(-high), block_sum(squares)};
    if (threadIdx.x < 4)
        out[4 * static_cast<i64>(blockIdx.x) + threadIdx.x] = found[threadIdx.x];
}

template <class T>
__device__ void moments(const T *x, i64 n, i64 tile_size, double mean, double median, double low,
                        double high, double *out) {
    const Tile tile(n, tile_size);
    double sum[7] = {};
    for (i64 v = tile.begin; v < tile.end; v += block) {
        const double value = static_cast<double>(x[v]), c = value - mean, c2 = c * c;
        const double inside = value >= low && value <= high ? 1.0 : 0.0;
        sum[0] += c2;
        sum[1] += c2 * c;
        sum[2] += c2 * c2;
        sum[3] += fabs(c);
        sum[4] += fabs(value - median);
        sum[5] += inside;
        sum[6] += inside * c;
    }
    for (int m = 0; m < 7; ++m) {
        const double total = block_sum(sum[m]);
        if (threadIdx.x == 0)
            out[7 * static_cast<i64>(blockIdx.x) + m] = total;
    }
}

template <class T>
__device__ void deviation(const T *x, i64 n, i64 tile_size, double centre, double low, double high,
                          double *out) {
    const Tile tile(n, tile_size);
    double sum = 0;
    for (i64 v = tile.begin; v < tile.end; v += block) {
        const double value = static_cast<double>(x[v]);
        sum += value >= low && value <= high ? fabs(value - centre) : 0.0;
    }
    const double total = block_sum(sum);
    if (threadIdx.x == 0)
        out[blockIdx.x] = total;
}

} // namespace

PYRAD_KERNEL(value_sums_f32)(const float *x, long long n, long long tile, double shift,
                             double *out) {
    sums(x, n, tile, shift, out);
}

PYRAD_KERNEL(value_moments_f32)
(const float *x, long long n, long long tile, double mean, double median, double low, double high,
 double *out) {
    moments(x, n, tile, mean, median, low, high, out);
}

PYRAD_KERNEL(value_deviation_f32)
(const float *x, long long n, long long tile, double centre, double low, double high, double *out) {
    deviation(x, n, tile, centre, low, high, out);
}

PYRAD_KERNEL(value_sums_f64)(const double *x, long long n, long long tile, double shift,
                             double *out) {
    sums(x, n, tile, shift, out);
}

PYRAD_KERNEL(value_moments_f64)
(const double *x, long long n, long long tile, double mean, double median, double low, double high,
 double *out) {
    moments(x, n, tile, mean, median, low, high, out);
}

PYRAD_KERNEL(value_deviation_f64)
(const double *x, long long n, long long tile, double centre, double low, double high,
 double *out) {
    deviation(x, n, tile, centre, low, high, out);
}
