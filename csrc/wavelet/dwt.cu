// CUDA twin of dwt.cpp: one block loads the samples of a tile and their surroundings into shared
// memory once, even and odd rows apart (no bank conflicts at stride two), then sums over the taps.
#include "wavelet/tile.cuh"

namespace {

using namespace pyrad;

template <class T>
__device__ void analysis(const T *x, const double *filters, i64 n, i64 inner, int taps, int mode,
                         int tile_columns, int tile_steps, T *low, T *high) {
    PYRAD_DYNAMIC_SHARED(T, shared);
    const i64 m = coefficient_length(n, taps, mode);
    const Tile tile(m, inner, tile_columns, tile_steps);
    T *const low_pass = shared, *const high_pass = shared + taps;
    load_filters(filters, 2 * taps, T(1), shared);

    // Row r of the tile is sample start + r; rows 0, 2, 4, ... come first, then 1, 3, 5, ...
    T *const samples = shared + 2 * taps;
    const int half_rows = tile.steps + taps / 2 - 1, size = half_rows * tile.columns;
    const i64 start = 2 * tile.begin + first_sample(taps, mode) - (taps - 1);
    const T *const from = x + tile.outer * n * inner + tile.column;
    for (int i = threadIdx.x; i < 2 * size; i += blockDim.x) {
        const int row = i / tile.columns, column = i % tile.columns;
        const i64 t = start + row;
        T value = 0;
        if (t >= 0 && t < n) {
            value = from[t * inner + column];
        } else {
            const Extension<T> e = extend<T>(mode, t, n);
            for (int s = 0; s < e.count; ++s)
                value += e.weight[s] * from[e.index[s] * inner + column];
        }
        samples[(row % 2) * size + row / 2 * tile.columns + column] = value;
    }
    __syncthreads();

    for (int i = threadIdx.x; i < tile.steps * tile.columns; i += blockDim.x) {
        T a = 0, d = 0;
        for (int q = 0; q < taps; ++q) {
            const T value = samples[(q % 2) * size + q / 2 * tile.columns + i];
            a += low_pass[taps - 1 - q] * value;
            d += high_pass[taps - 1 - q] * value;
        }
        const i64 k = tile.begin + i / tile.columns;
        const i64 at = (tile.outer * m + k) * inner + tile.column + i % tile.columns;
        low[at] = a;
        high[at] = d;
    }
}

template <class T>
__device__ void synthesis(const T *low, const T *high, const double *filters, i64 m, i64 inner,
                          int taps, int periodization, int tile_columns, int tile_steps, T *out) {
    PYRAD_DYNAMIC_SHARED(T, shared);
    const SynthesisPlan plan = plan_synthesis(m, taps, periodization != 0);
    const Tile tile(plan.pairs, inner, tile_columns, tile_steps);
    T *const low_pass = shared, *const high_pass = shared + taps;
    load_filters(filters, 2 * taps, T(1), shared);

    const int half = taps / 2, rows = tile.steps + half - 1;
    T *const approximation = shared + 2 * taps, *const detail = approximation + rows * tile.columns;
    load_periodic(low, tile, plan.start + tile.begin, rows, m, inner, approximation);
    load_periodic(high, tile, plan.start + tile.begin, rows, m, inner, detail);
    __syncthreads();

    const i64 n = 2 * plan.pairs;
    for (int i = threadIdx.x; i < tile.steps * tile.columns; i += blockDim.x) {
        T first = 0, second = 0;
        for (int q = 0; q < half; ++q) {
            const int j = taps - 2 - 2 * q;
            const T a = approximation[q * tile.columns + i], d = detail[q * tile.columns + i];
            first += low_pass[j] * a;
            first += high_pass[j] * d;
            second += low_pass[j + 1] * a;
            second += high_pass[j + 1] * d;
        }
        const i64 at = 2 * (tile.begin + i / tile.columns) + plan.first;
        T *const to = out + tile.outer * n * inner + tile.column + i % tile.columns;
        to[wrap(at, n) * inner] = first;
        to[wrap(at + 1, n) * inner] = second;
    }
}

// One thread per column; the samples of [0, n) are in out already.
template <class T>
__device__ void fold(const T *extended, i64 columns, i64 inner, i64 length, i64 start, i64 n,
                     int mode, T *out) {
    const i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (at >= columns)
        return;
    const T *const from = extended + at / inner * length * inner + at % inner;
    T *const to = out + at / inner * n * inner + at % inner;
    for (i64 i = 0; i < length; ++i) {
        if (i == -start)
            i += n;
        if (i == length)
            break;
        const Extension<T> e = extend<T>(mode, start + i, n);
        for (int s = 0; s < e.count; ++s)
            to[e.index[s] * inner] += e.weight[s] * from[i * inner];
    }
}

} // namespace

PYRAD_KERNEL(dwt_analysis_f32)(const float *x, const double *filters, long long n, long long inner,
                               int taps, int mode, int tile_columns, int tile_steps, float *low,
                               float *high) {
    analysis(x, filters, n, inner, taps, mode, tile_columns, tile_steps, low, high);
}

PYRAD_KERNEL(dwt_analysis_f64)(const double *x, const double *filters, long long n, long long inner,
                               int taps, int mode, int tile_columns, int tile_steps, double *low,
                               double *high) {
    analysis(x, filters, n, inner, taps, mode, tile_columns, tile_steps, low, high);
}

PYRAD_KERNEL(dwt_synthesis_f32)(const float *low, const float *high, const double *filters,
                                long long m, long long inner, int taps, int periodization,
                                int tile_columns, int tile_steps, float *out) {
    synthesis(low, high, filters, m, inner, taps, periodization, tile_columns, tile_steps, out);
}

PYRAD_KERNEL(dwt_synthesis_f64)(const double *low, const double *high, const double *filters,
                                long long m, long long inner, int taps, int periodization,
                                int tile_columns, int tile_steps, double *out) {
    synthesis(low, high, filters, m, inner, taps, periodization, tile_columns, tile_steps, out);
}

PYRAD_KERNEL(dwt_fold_f32)(const float *extended, long long columns, long long inner,
                           long long length, long long start, long long n, int mode, float *out) {
    fold(extended, columns, inner, length, start, n, mode, out);
}

PYRAD_KERNEL(dwt_fold_f64)(const double *extended, long long columns, long long inner,
                           long long length, long long start, long long n, int mode, double *out) {
    fold(extended, columns, inner, length, start, n, mode, out);
}
