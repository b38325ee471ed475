// CUDA twin of swt.cpp: a block's rows and the taps - 1 around them wait in shared memory.
#include "wavelet/tile.cuh"

namespace {

using namespace pyrad;

template <class T>
__device__ void analysis(const T *x, const double *filters, i64 n, i64 inner, int taps,
                         int tile_columns, int tile_steps, T *low, T *high) {
    PYRAD_DYNAMIC_SHARED(T, shared);
    const Tile tile(n, inner, tile_columns, tile_steps);
    T *const low_pass = shared, *const high_pass = shared + taps,
             *const samples = shared + 2 * taps;
    load_filters(filters, 2 * taps, T(1), shared);
    const i64 start = tile.begin + taps / 2 - (taps - 1);
    load_periodic(x, tile, start, tile.steps + taps - 1, n, inner, samples);
    __syncthreads();

    for (int i = threadIdx.x; i < tile.steps * tile.columns; i += blockDim.x) {
        T a = 0, d = 0;
        for (int j = 0; j < taps; ++j) {
            const T value = samples[(taps - 1 - j) * tile.columns + i];
            a += low_pass[j] * value;
            d += high_pass[j] * value;
        }
        const i64 k = tile.begin + i / tile.columns;
        const i64 at = (tile.outer * n + k) * inner + tile.column + i % tile.columns;
        low[at] = a;
        high[at] = d;
    }
}

template <class T>
__device__ void synthesis(const T *low, const T *high, const double *filters, i64 n, i64 inner,
                          int taps, int tile_columns, int tile_steps, T *out) {
    PYRAD_DYNAMIC_SHARED(T, shared);
    const Tile tile(n, inner, tile_columns, tile_steps);
    T *const low_pass = shared, *const high_pass = shared + taps;
    load_filters(filters, 2 * taps, T(0.5), shared);
    const int rows = tile.steps + taps - 1;
    T *const approximation = shared + 2 * taps, *const detail = approximation + rows * tile.columns;
    load_periodic(low, tile, tile.begin - taps / 2, rows, n, inner, approximation);
    load_periodic(high, tile, tile.begin - taps / 2, rows, n, inner, detail);
    __syncthreads();

    for (int i = threadIdx.x; i < tile.steps * tile.columns; i += blockDim.x) {
        T value = 0;
        for (int j = 0; j < taps; ++j) {
            const int at = (taps - 1 - j) * tile.columns + i;
            value += low_pass[j] * approximation[at];
            value += high_pass[j] * detail[at];
        }
        const i64 k = tile.begin + i / tile.columns;
        out[(tile.outer * n + k) * inner + tile.column + i % tile.columns] = value;
    }
}

} // namespace

PYRAD_KERNEL(swt_analysis_f32)(const float *x, const double *filters, long long n, long long inner,
                               int taps, int tile_columns, int tile_steps, float *low,
                               float *high) {
    analysis(x, filters, n, inner, taps, tile_columns, tile_steps, low, high);
}

PYRAD_KERNEL(swt_analysis_f64)(const double *x, const double *filters, long long n, long long inner,
                               int taps, int tile_columns, int tile_steps, double *low,
                               double *high) {
    analysis(x, filters, n, inner, taps, tile_columns, tile_steps, low, high);
}

PYRAD_KERNEL(swt_synthesis_f32)(const float *low, const float *high, const double *filters,
                                long long n, long long inner, int taps, int tile_columns,
                                int tile_steps, float *out) {
    synthesis(low, high, filters, n, inner, taps, tile_columns, tile_steps, out);
}

PYRAD_KERNEL(swt_synthesis_f64)(const double *low, const double *high, const double *filters,
                                long long n, long long inner, int taps, int tile_columns,
                                int tile_steps, double *out) {
    synthesis(low, high, filters, n, inner, taps, tile_columns, tile_steps, out);
}
