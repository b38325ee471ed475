// CUDA twin of locally_low_rank.cpp: one block of threads per matrix. Its Gram matrix, eigenvectors
// and samples stand in shared memory where they fit, else in `scratch`. Rotations of disjoint pairs
// run at once, in the order of a round-robin tournament.
#include "prox/locally_low_rank_math.hpp"

namespace {

using namespace pyrad;

constexpr int threads = 128;

struct Pair {
    int p, q;
};

// Pair i of a round among `players` (even) columns; columns from n on do not exist.
__device__ Pair pair_of(int round, int i, int players) {
    const int ring = players - 1;
    const int a = i == 0 ? ring : (round + i) % ring, b = (round - i + ring) % ring;
    return a < b ? Pair{a, b} : Pair{b, a};
}

__device__ void rotate_columns(const Rotation &r, c128 &a, c128 &b) {
    const c128 turned = c128{r.w_re, r.w_im} * b, former = a;
    a = r.c * former - r.s * turned;
    b = r.s * former + r.c * turned;
}

__device__ double sum_over_block(double value, double *sums) {
    __syncthreads();
    sums[threadIdx.x] = value;
    for (int half = threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    __syncthreads();
    return sums[0];
}

__device__ void jacobi(int n, c128 *g, c128 *v, Rotation *rotations, double *sums) {
    const int players = n + n % 2, pairs = players / 2;
    for (int i = threadIdx.x; i < n * n; i += threads)
        v[i] = {i / n == i % n ? 1.0 : 0.0, 0.0};
    for (int sweep = 0; sweep < jacobi_sweeps; ++sweep) {
        double off = 0, on = 0;
        for (int i = threadIdx.x; i < n * n; i += threads)
            (i / n == i % n ? on : off) += norm2(g[i]);
        const double all_off = sum_over_block(off, sums), all_on = sum_over_block(on, sums);
        if (all_off <= 2 * jacobi_tolerance * all_on)
            return;
        for (int round = 0; round < players - 1; ++round) {
            for (int i = threadIdx.x; i < pairs; i += threads) {
                const Pair k = pair_of(round, i, players);
                if (k.q < n)
                    rotations[i] = jacobi_rotation(g[k.p * n + k.p].re, g[k.q * n + k.q].re,
                                                   g[k.p * n + k.q].re, g[k.p * n + k.q].im);
            }
            __syncthreads();
            for (int i = threadIdx.x; i < pairs * n; i += threads) {
                const Pair k = pair_of(round, i % pairs, players);
                const int row = i / pairs;
                if (k.q < n) {
                    rotate_columns(rotations[i % pairs], g[row * n + k.p], g[row * n + k.q]);
                    rotate_columns(rotations[i % pairs], v[row * n + k.p], v[row * n + k.q]);
                }
            }
            __syncthreads();
            for (int i = threadIdx.x; i < pairs * n; i += threads) {
                const Pair k = pair_of(round, i / n, players);
                const int column = i % n;
                if (k.q < n) {
                    c128 a = conj(g[k.p * n + column]), b = conj(g[k.q * n + column]);
                    rotate_columns(rotations[i / n], a, b);
                    g[k.p * n + column] = conj(a);
                    g[k.q * n + column] = conj(b);
                }
            }
            __syncthreads();
        }
    }
}

// One matrix: m is [i][l], i along the shorter side.
template <class T>
__device__ double shrink_one(const Complex<T> *x, const SeriesBlocks &blocks, double threshold,
                             i64 matrix, c128 *g, c128 *v, Complex<T> *m, Rotation *rotations,
                             double *factors, double *sums, Complex<T> *out) {
    const int n = static_cast<int>(blocks.shorter()), length = static_cast<int>(blocks.longer());
    const i64 frame = blocks.batch * blocks.image_pixels();
    const bool frames_first = blocks.frames_first();
    const auto place = [&](int i, int l) { // of (shorter, longer) in the series, or -1
        const i64 at = blocks.offset(matrix, frames_first ? l : i);
        return at < 0 ? at : at + (frames_first ? i : l) * frame;
    };
    for (int e = threadIdx.x; e < n * length; e += threads) {
        const i64 at = place(e / length, e % length);
        m[e] = at < 0 ? Complex<T>{0, 0} : x[at];
    }
    __syncthreads();
    for (int e = threadIdx.x; e < n * n; e += threads) {
        const Complex<T> *a = m + e / n * length, *b = m + e % n * length;
        c128 sum{0, 0};
        for (int l = 0; l < length; ++l)
            sum = sum + c128{a[l].re, -double(a[l].im)} * c128{b[l].re, b[l].im};
        g[e] = sum;
    }
    __syncthreads();
    jacobi(n, g, v, rotations, sums);

    double own = 0;
    for (int k = threadIdx.x; k < n; k += threads) {
        const double value = sqrt(max_of(0.0, g[k * n + k].re));
        factors[k] = shrinkage(value, threshold);
        own += value;
    }
    const double total = sum_over_block(own, sums);
    for (int e = threadIdx.x; e < n * n; e += threads) { // the filter V f V^H
        const c128 *a = v + e / n * n, *b = v + e % n * n;
        c128 sum{0, 0};
        for (int k = 0; k < n; ++k)
            sum = sum + factors[k] * (a[k] * conj(b[k]));
        g[e] = sum;
    }
    __syncthreads();
    for (int e = threadIdx.x; e < n * length; e += threads) {
        const int j = e / length, l = e % length;
        const i64 at = place(j, l);
        if (at < 0)
            continue;
        Complex<T> sum{0, 0};
        for (int i = 0; i < n; ++i) {
            const c128 k = g[i * n + j];
            sum = sum + m[i * length + l] * Complex<T>{static_cast<T>(k.re), static_cast<T>(k.im)};
        }
        out[at] = sum;
    }
    __syncthreads();
    return total;
}

// Shared memory or scratch of one block of threads: g, v, rotations, factors, m.
template <class T>
__device__ void shrink_blocks(const Complex<T> *x, const SeriesBlocks &blocks, double threshold,
                              unsigned char *scratch, i64 scratch_bytes, double *totals,
                              Complex<T> *out) {
    PYRAD_DYNAMIC_SHARED(double, shared);
    const i64 n = blocks.shorter();
    double *const sums = shared;
    double *const room = scratch_bytes
                             ? reinterpret_cast<double *>(scratch + blockIdx.x * scratch_bytes)
                             : shared + threads;
    c128 *const g = reinterpret_cast<c128 *>(room), *const v = g + n * n;
    Rotation *const rotations = reinterpret_cast<Rotation *>(v + n * n);
    double *const factors = reinterpret_cast<double *>(rotations + (n + 1) / 2);
    Complex<T> *const m = reinterpret_cast<Complex<T> *>(factors + n + n % 2);
    for (i64 matrix = blockIdx.x; matrix < blocks.matrices(); matrix += gridDim.x) {
        const double total =
            shrink_one(x, blocks, threshold, matrix, g, v, m, rotations, factors, sums, out);
        if (threadIdx.x == 0)
            totals[matrix] = total;
    }
}

} // namespace

PYRAD_KERNEL(shrink_blocks_c64)(const pyrad::Complex<float> *x, pyrad::i64 frames, pyrad::i64 batch,
                                pyrad::i64 nz, pyrad::i64 ny, pyrad::i64 nx, pyrad::i64 bz,
                                pyrad::i64 by, pyrad::i64 bx, pyrad::i64 sz, pyrad::i64 sy,
                                pyrad::i64 sx, double threshold, unsigned char *scratch,
                                pyrad::i64 scratch_bytes, double *totals,
                                pyrad::Complex<float> *out) {
    const SeriesBlocks blocks{frames, batch, {nz, ny, nx}, {bz, by, bx}, {sz, sy, sx}};
    shrink_blocks(x, blocks, threshold, scratch, scratch_bytes, totals, out);
}

PYRAD_KERNEL(shrink_blocks_c128)(const pyrad::Complex<double> *x, pyrad::i64 frames,
                                 pyrad::i64 batch, pyrad::i64 nz, pyrad::i64 ny, pyrad::i64 nx,
                                 pyrad::i64 bz, pyrad::i64 by, pyrad::i64 bx, pyrad::i64 sz,
                                 pyrad::i64 sy, pyrad::i64 sx, double threshold,
                                 unsigned char *scratch, pyrad::i64 scratch_bytes, double *totals,
                                 pyrad::Complex<double> *out) {
    const SeriesBlocks blocks{frames, batch, {nz, ny, nx}, {bz, by, bx}, {sz, sy, sx}};
    shrink_blocks(x, blocks, threshold, scratch, scratch_bytes, totals, out);
}
