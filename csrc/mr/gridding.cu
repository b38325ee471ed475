// CUDA twin of gridding.cpp. Coil lanes are neighbouring threads, so that a cell is one coalesced
// access. Weights are evaluated once per sample, by all threads of a block, into shared memory.
//
// spread_tile: a block adds samples of one tile to a copy of the tile and its surroundings in
// shared memory, without atomics: a footprint of width^dims cells holds every residue (z mod width,
// y mod width, x mod width) exactly once, so each thread owns one residue of one lane and nobody
// else touches its cells. The finished copy is added to the grid atomically. Several blocks share
// the samples of a tile, batch by batch.
#include "mr/gridding_math.hpp"

namespace {

using namespace pyrad;

// Sample s, coil lane l of planar (order given) or interleaved (order null) samples.
__device__ i64 sample_at(const int *order, i64 samples, i64 s, int lanes, int lane) {
    return order ? static_cast<i64>(lane) * samples + order[s] : s * lanes + lane;
}

__device__ i64 wrapped(i64 at, i64 cells) { return at >= cells ? at - cells : at; }

// weights[sample][dims][width] of samples [begin, begin + count), by all threads of the block.
template <class T>
__device__ void evaluate(const T *offset, const T *coefficients, int degree, int dims, int width,
                         i64 begin, int count, T *weights) {
    for (int i = threadIdx.x; i < count * dims * width; i += blockDim.x)
        weights[i] =
            grid_weight(coefficients, degree, width, i % width, offset[begin * dims + i / width]);
}

// A block takes blockDim.x / lanes samples.
template <class T>
__device__ void interpolate(const Complex<T> *grid, i64 cells0, i64 cells1, i64 cells2, int lanes,
                            const int *start, const T *offset, const T *coefficients, int degree,
                            int dims, int width, const int *order, i64 samples, int coils,
                            Complex<T> *out) {
    PYRAD_DYNAMIC_SHARED(T, weights);
    const int each = blockDim.x / lanes;
    const i64 begin = static_cast<i64>(blockIdx.x) * each;
    const int count = static_cast<int>(min_of<i64>(each, samples - begin));
    evaluate(offset, coefficients, degree, dims, width, begin, count, weights);
    __syncthreads();
    const int own = threadIdx.x / lanes, lane = threadIdx.x % lanes;
    if (own >= count || (order && lane >= coils))
        return;
    const i64 s = begin + own;
    const int *first = start + s * dims;
    const T *wx = weights + (own * dims + dims - 1) * width;
    const T *wy = wx - (dims > 1 ? width : 0), *wz = wy - (dims > 2 ? width : 0);
    const i64 x0 = first[dims - 1], before = min_of<i64>(width, cells2 - x0);
    Complex<T> sum{0, 0};
    for (int z = 0; z < (dims > 2 ? width : 1); ++z) {
        const i64 plane = dims > 2 ? wrapped(first[0] + z, cells0) * cells1 : 0;
        for (int y = 0; y < (dims > 1 ? width : 1); ++y) {
            const i64 row = dims > 1 ? plane + wrapped(first[dims - 2] + y, cells1) : 0;
            const Complex<T> *cell = grid + (row * cells2 + x0) * lanes + lane;
            Complex<T> line{0, 0};
            for (int x = 0; x < width; ++x, cell += lanes) {
                if (x == before)
                    cell -= cells2 * lanes;
                line = line + wx[x] * *cell;
            }
            const T weight = (dims > 2 ? wz[z] : T(1)) * (dims > 1 ? wy[y] : T(1));
            sum = sum + weight * line;
        }
    }
    out[sample_at(order, samples, s, lanes, lane)] = sum;
}

// Cells [first, first + extent) of one axis that the samples of a tile may touch.
struct Span {
    i64 first;
    int extent;
};
__device__ Span span_of(i64 tile, i64 tiles, i64 cells, int width) {
    const i64 first = tile_start(tile, tiles, cells);
    return {first, static_cast<int>(tile_start(tile + 1, tiles, cells) - first) + width - 1};
}

template <class T>
__device__ void spread_tile(const Complex<T> *in, const T *density, const int *start,
                            const T *offset, const T *coefficients, int degree, int dims, int width,
                            const int *order, const long long *bins, i64 samples, int coils,
                            i64 tiles0, i64 tiles1, i64 tiles2, i64 cells0, i64 cells1, i64 cells2,
                            int lanes, int group, int batch, i64 weights_at, Complex<T> *grid) {
    PYRAD_DYNAMIC_SHARED(Complex<T>, local);
    T *weights = reinterpret_cast<T *>(local + weights_at);                // [batch][dims][width]
    int *corner = reinterpret_cast<int *>(weights + batch * dims * width); // [batch][dims]
    const i64 tile = blockIdx.x;
    const i64 end = bins[tile + 1];
    i64 begin = bins[tile] + static_cast<i64>(blockIdx.y) * batch;
    if (begin >= end)
        return;
    const Span x = span_of(tile % tiles2, tiles2, cells2, width),
               y = span_of(tile / tiles2 % tiles1, tiles1, cells1, dims > 1 ? width : 1),
               z = span_of(tile / tiles2 / tiles1, tiles0, cells0, dims > 2 ? width : 1);
    const int size = x.extent * y.extent * z.extent * group;
    for (int i = threadIdx.x; i < size; i += blockDim.x)
        local[i] = {0, 0};

    const int lane0 = blockIdx.z * group;
    const int wy_count = dims > 1 ? width : 1, wz_count = dims > 2 ? width : 1;
    for (; begin < end; begin += static_cast<i64>(gridDim.y) * batch) {
        const int count = static_cast<int>(min_of<i64>(batch, end - begin));
        __syncthreads();
        evaluate(offset, coefficients, degree, dims, width, begin, count, weights);
        for (int i = threadIdx.x; i < count * dims; i += blockDim.x) {
            const int d = i % dims;
            const i64 first = d == dims - 1 ? x.first : d == dims - 2 ? y.first : z.first;
            corner[i] = static_cast<int>(start[begin * dims + i] - first);
        }
        __syncthreads();
        for (int own = threadIdx.x; own < width * wy_count * wz_count * group; own += blockDim.x) {
            const int lane = own % group, rx = own / group % width,
                      ry = own / group / width % wy_count, rz = own / group / width / wy_count;
            if (lane0 + lane >= (order ? coils : lanes))
                continue;
            for (int i = 0; i < count; ++i) {
                const int *at = corner + i * dims;
                const T *w = weights + i * dims * width;
                const int ox = at[dims - 1], oy = dims > 1 ? at[dims - 2] : 0,
                          oz = dims > 2 ? at[0] : 0;
                // The j with (o + j) mod width == residue.
                const int jx = (rx + width - ox % width) % width,
                          jy = (ry + wy_count - oy % wy_count) % wy_count,
                          jz = (rz + wz_count - oz % wz_count) % wz_count;
                T weight = w[(dims - 1) * width + jx];
                if (dims > 1)
                    weight *= w[(dims - 2) * width + jy];
                if (dims > 2)
                    weight *= w[jz];
                const i64 s = begin + i;
                if (density)
                    weight *= density[s];
                Complex<T> &cell =
                    local[(((oz + jz) * y.extent + oy + jy) * x.extent + ox + jx) * group + lane];
                cell = cell + weight * in[sample_at(order, samples, s, lanes, lane0 + lane)];
            }
        }
    }
    __syncthreads();

    for (int i = threadIdx.x; i < size; i += blockDim.x) {
        const int lane = lane0 + i % group, cell = i / group;
        const Complex<T> value = local[i];
        if (lane >= lanes || (value.re == 0 && value.im == 0))
            continue;
        const i64 gx = (x.first + cell % x.extent) % cells2,
                  gy = (y.first + cell / x.extent % y.extent) % cells1,
                  gz = (z.first + cell / x.extent / y.extent) % cells0;
        Complex<T> &target = grid[((gz * cells1 + gy) * cells2 + gx) * lanes + lane];
        atomicAdd(&target.re, value.re);
        atomicAdd(&target.im, value.im);
    }
}

template <class T>
__device__ void spread_direct(const Complex<T> *in, const T *density, const int *start,
                              const T *offset, const T *coefficients, int degree, int dims,
                              int width, const int *order, i64 samples, int coils, i64 cells0,
                              i64 cells1, i64 cells2, int lanes, Complex<T> *grid) {
    PYRAD_DYNAMIC_SHARED(T, weights);
    const int each = blockDim.x / lanes;
    const i64 begin = static_cast<i64>(blockIdx.x) * each;
    const int count = static_cast<int>(min_of<i64>(each, samples - begin));
    evaluate(offset, coefficients, degree, dims, width, begin, count, weights);
    __syncthreads();
    const int own = threadIdx.x / lanes, lane = threadIdx.x % lanes;
    if (own >= count || (order && lane >= coils))
        return;
    const i64 s = begin + own;
    const int *first = start + s * dims;
    const T *w = weights + own * dims * width;
    const Complex<T> value =
        (density ? density[s] : T(1)) * in[sample_at(order, samples, s, lanes, lane)];
    for (int z = 0; z < (dims > 2 ? width : 1); ++z) {
        const i64 plane = dims > 2 ? wrapped(first[0] + z, cells0) * cells1 : 0;
        for (int y = 0; y < (dims > 1 ? width : 1); ++y) {
            const i64 row = dims > 1 ? plane + wrapped(first[dims - 2] + y, cells1) : 0;
            const T weight =
                (dims > 2 ? w[z] : T(1)) * (dims > 1 ? w[(dims - 2) * width + y] : T(1));
            for (int x = 0; x < width; ++x) {
                const Complex<T> add = (weight * w[(dims - 1) * width + x]) * value;
                const i64 column = wrapped(first[dims - 1] + x, cells2);
                Complex<T> &target = grid[(row * cells2 + column) * lanes + lane];
                atomicAdd(&target.re, add.re);
                atomicAdd(&target.im, add.im);
            }
        }
    }
}

} // namespace

PYRAD_KERNEL(interpolate_c64)(const pyrad::Complex<float> *grid, long long cells0, long long cells1,
                              long long cells2, int lanes, const int *start, const float *offset,
                              const float *coefficients, int degree, int dims, int width,
                              const int *order, long long samples, int coils,
                              pyrad::Complex<float> *out) {
    interpolate(grid, cells0, cells1, cells2, lanes, start, offset, coefficients, degree, dims,
                width, order, samples, coils, out);
}

PYRAD_KERNEL(spread_tile_c64)(const pyrad::Complex<float> *in, const float *density,
                              const int *start, const float *offset, const float *coefficients,
                              int degree, int dims, int width, const int *order,
                              const long long *bins, long long samples, int coils, long long tiles0,
                              long long tiles1, long long tiles2, long long cells0,
                              long long cells1, long long cells2, int lanes, int group, int batch,
                              long long weights_at, pyrad::Complex<float> *grid) {
    spread_tile(in, density, start, offset, coefficients, degree, dims, width, order, bins, samples,
                coils, tiles0, tiles1, tiles2, cells0, cells1, cells2, lanes, group, batch,
                weights_at, grid);
}

PYRAD_KERNEL(spread_direct_c64)(const pyrad::Complex<float> *in, const float *density,
                                const int *start, const float *offset, const float *coefficients,
                                int degree, int dims, int width, const int *order,
                                long long samples, int coils, long long cells0, long long cells1,
                                long long cells2, int lanes, pyrad::Complex<float> *grid) {
    spread_direct(in, density, start, offset, coefficients, degree, dims, width, order, samples,
                  coils, cells0, cells1, cells2, lanes, grid);
}

PYRAD_KERNEL(interpolate_c128)(const pyrad::Complex<double> *grid, long long cells0,
                               long long cells1, long long cells2, int lanes, const int *start,
                               const double *offset, const double *coefficients, int degree,
                               int dims, int width, const int *order, long long samples, int coils,
                               pyrad::Complex<double> *out) {
    interpolate(grid, cells0, cells1, cells2, lanes, start, offset, coefficients, degree, dims,
                width, order, samples, coils, out);
}

PYRAD_KERNEL(spread_tile_c128)(const pyrad::Complex<double> *in, const double *density,
                               const int *start, const double *offset, const double *coefficients,
                               int degree, int dims, int width, const int *order,
                               const long long *bins, long long samples, int coils,
                               long long tiles0, long long tiles1, long long tiles2,
                               long long cells0, long long cells1, long long cells2, int lanes,
                               int group, int batch, long long weights_at,
                               pyrad::Complex<double> *grid) {
    spread_tile(in, density, start, offset, coefficients, degree, dims, width, order, bins, samples,
                coils, tiles0, tiles1, tiles2, cells0, cells1, cells2, lanes, group, batch,
                weights_at, grid);
}

PYRAD_KERNEL(spread_direct_c128)(const pyrad::Complex<double> *in, const double *density,
                                 const int *start, const double *offset, const double *coefficients,
                                 int degree, int dims, int width, const int *order,
                                 long long samples, int coils, long long cells0, long long cells1,
                                 long long cells2, int lanes, pyrad::Complex<double> *grid) {
    spread_direct(in, density, start, offset, coefficients, degree, dims, width, order, samples,
                  coils, cells0, cells1, cells2, lanes, grid);
}
