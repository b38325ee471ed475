// CUDA twins of grappa_gram.cpp and grappa_weights.cpp.
// Gram: one thread per entry of the upper triangle by blocks of cells (a <= b), which sums its
// window positions; neighbouring threads share a source and read neighbouring coils.
// Weights: one block per pattern; the extended matrix stands in global memory, rows are eliminated
// downwards (the same triangle as on the CPU, in another order).
#include "base/portable.hpp"

namespace {

using namespace pyrad;

// cells[z][y][x][coil]
__device__ Complex<double> sum_positions(const Complex<double> *x, const Complex<double> *y,
                                         const i64 *positions, const i64 *step) {
    Complex<double> sum{0, 0};
    for (i64 pz = 0; pz < positions[0]; ++pz)
        for (i64 py = 0; py < positions[1]; ++py) {
            const i64 row = pz * step[0] + py * step[1];
            for (i64 px = 0; px < positions[2]; ++px)
                sum = sum + conj(x[row + px * step[2]]) * y[row + px * step[2]];
        }
    return sum;
}

template <class T>
__device__ void weights_of(const Complex<double> *gram, int coils, i64 side, const int *from, int n,
                           int centre, double ridge, int lanes, Complex<double> *u,
                           Complex<T> *out) {
    constexpr double lost = 1e-14;
    const int width = n + coils, thread = threadIdx.x, threads = blockDim.x;
    for (i64 i = thread; i < static_cast<i64>(n) * width; i += threads) {
        const int k = static_cast<int>(i / width), j = static_cast<int>(i % width);
        const i64 row = static_cast<i64>(from[k / coils]) * coils + k % coils;
        const i64 cell = j < n ? from[j / coils] : centre;
        Complex<double> value = gram[row * side + cell * coils + j % coils];
        if (j == k)
            value.re += ridge;
        u[i] = value;
    }
    __syncthreads();
    for (int k = 0; k < n; ++k) {
        const i64 source = static_cast<i64>(from[k / coils]) * coils + k % coils;
        const double diagonal = gram[source * side + source].re + ridge;
        Complex<double> *const row = u + static_cast<i64>(k) * width;
        const double pivot = row[k].re;
        const double inverse = pivot > lost * diagonal ? 1 / sqrt(pivot) : 0.0;
        __syncthreads();
        for (int j = k + 1 + thread; j < width; j += threads)
            row[j] = inverse * row[j];
        if (thread == 0)
            row[k] = {inverse, 0};
        __syncthreads();
        const int rest = width - k - 1;
        for (i64 i = thread; i < static_cast<i64>(n - k - 1) * rest; i += threads) {
            const int r = k + 1 + static_cast<int>(i / rest),
                      j = k + 1 + static_cast<int>(i % rest);
            if (j >= r) {
                Complex<double> &to = u[static_cast<i64>(r) * width + j];
                to = to - conj(row[r]) * row[j];
            }
        }
        __syncthreads();
    }
    for (int k = n - 1; k >= 0; --k) { // row k is done: take it out of those above
        Complex<double> *const y = u + static_cast<i64>(k) * width + n;
        const double inverse = u[static_cast<i64>(k) * width + k].re;
        for (int c = thread; c < coils; c += threads)
            y[c] = inverse * y[c];
        __syncthreads();
        for (i64 i = thread; i < static_cast<i64>(k) * coils; i += threads) {
            const i64 r = i / coils, c = i % coils;
            u[r * width + n + c] = u[r * width + n + c] - u[r * width + k] * y[c];
        }
        __syncthreads();
    }
    for (i64 i = thread; i < static_cast<i64>(n) * lanes; i += threads) {
        const i64 k = i / lanes, c = i % lanes;
        const Complex<double> w = c < coils ? u[k * width + n + c] : Complex<double>{0, 0};
        out[i] = {static_cast<T>(w.re), static_cast<T>(w.im)};
    }
}

template <class T>
__device__ void grappa_weights(const Complex<double> *gram, int coils, int window,
                               const int *sources, const long long *begin, int centre, double ridge,
                               int lanes, i64 room, i64 patterns, Complex<double> *scratch,
                               Complex<T> *weights) {
    for (i64 p = blockIdx.x; p < patterns; p += gridDim.x) {
        const int n = static_cast<int>(begin[p + 1] - begin[p]) * coils;
        weights_of(gram, coils, static_cast<i64>(window) * coils, sources + begin[p], n, centre,
                   ridge, lanes, scratch + blockIdx.x * room, weights + begin[p] * coils * lanes);
        __syncthreads();
    }
}

} // namespace

PYRAD_KERNEL(grappa_gram)(const pyrad::Complex<double> *cells, int coils, long long nz,
                          long long ny, long long nx, int kz, int ky, int kx,
                          pyrad::Complex<double> *gram) {
    using namespace pyrad;
    const int window = kz * ky * kx;
    const i64 side = static_cast<i64>(window) * coils;
    const i64 entry = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (entry >= side * side)
        return;
    const int j = static_cast<int>(entry % coils), b = static_cast<int>(entry / coils % window);
    const int i = static_cast<int>(entry / side % coils),
              a = static_cast<int>(entry / side / coils);
    if (a > b)
        return;
    const i64 step[3] = {ny * nx * coils, nx * coils, coils};
    const i64 positions[3] = {nz - kz + 1, ny - ky + 1, nx - kx + 1};
    const i64 first = a / (ky * kx) * step[0] + a / kx % ky * step[1] + a % kx * step[2];
    const i64 second = b / (ky * kx) * step[0] + b / kx % ky * step[1] + b % kx * step[2];
    const Complex<double> sum =
        sum_positions(cells + first + i, cells + second + j, positions, step);
    gram[entry] = sum;
    if (a < b)
        gram[(static_cast<i64>(b) * coils + j) * side + static_cast<i64>(a) * coils + i] =
            conj(sum);
}

PYRAD_KERNEL(grappa_weights_c64)(const pyrad::Complex<double> *gram, int coils, int window,
                                 const int *sources, const long long *begin, int centre,
                                 double ridge, int lanes, long long room, long long patterns,
                                 pyrad::Complex<double> *scratch, pyrad::Complex<float> *weights) {
    grappa_weights(gram, coils, window, sources, begin, centre, ridge, lanes, room, patterns,
                   scratch, weights);
}

PYRAD_KERNEL(grappa_weights_c128)(const pyrad::Complex<double> *gram, int coils, int window,
                                  const int *sources, const long long *begin, int centre,
                                  double ridge, int lanes, long long room, long long patterns,
                                  pyrad::Complex<double> *scratch,
                                  pyrad::Complex<double> *weights) {
    grappa_weights(gram, coils, window, sources, begin, centre, ridge, lanes, room, patterns,
                   scratch, weights);
}
