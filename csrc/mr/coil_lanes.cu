// CUDA twin of coil_lanes.cpp: squares of 32 x 32 pass through shared memory, so that both sides
// are read and written along their last axis. One block per 32 cells, 32 x 8 threads.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

constexpr int side = 32;

template <class T>
__device__ void interleave_coils(const Complex<T> *planar, int coils, i64 cells, int lanes,
                                 Complex<T> *out, u8 *sampled) {
    __shared__ Complex<T> square[side][side + 1];
    __shared__ int seen[side];
    const i64 first = static_cast<i64>(blockIdx.x) * side;
    if (threadIdx.y == 0)
        seen[threadIdx.x] = 0;
    for (int c0 = 0; c0 < lanes; c0 += side) {
        __syncthreads();
        for (int c = threadIdx.y; c < side; c += blockDim.y) {
            Complex<T> x{T(0), T(0)};
            if (c0 + c < coils && first + threadIdx.x < cells)
                x = planar[(c0 + c) * cells + first + threadIdx.x];
            square[c][threadIdx.x] = x;
            if (x.re != T(0) || x.im != T(0))
                seen[threadIdx.x] = 1; // every writer writes the same
        }
        __syncthreads();
        for (int i = threadIdx.y; i < side; i += blockDim.y)
            if (first + i < cells && c0 + static_cast<int>(threadIdx.x) < lanes)
                out[(first + i) * lanes + c0 + threadIdx.x] = square[threadIdx.x][i];
    }
    if (threadIdx.y == 0 && first + threadIdx.x < cells)
        sampled[first + threadIdx.x] = static_cast<u8>(seen[threadIdx.x]);
}

template <class T>
__device__ void separate_coils(const Complex<T> *lanes_last, i64 cells, int lanes, int coils,
                               Complex<T> *out) {
    __shared__ Complex<T> square[side][side + 1];
    const i64 first = static_cast<i64>(blockIdx.x) * side;
    for (int c0 = 0; c0 < coils; c0 += side) {
        __syncthreads();
        for (int i = threadIdx.y; i < side; i += blockDim.y)
            if (first + i < cells && c0 + static_cast<int>(threadIdx.x) < coils)
                square[i][threadIdx.x] = lanes_last[(first + i) * lanes + c0 + threadIdx.x];
        __syncthreads();
        for (int c = threadIdx.y; c < side; c += blockDim.y)
            if (c0 + c < coils && first + threadIdx.x < cells)
                out[(c0 + c) * cells + first + threadIdx.x] = square[threadIdx.x][c];
    }
}

} // namespace

PYRAD_KERNEL(interleave_coils_c64)(const pyrad::Complex<float> *planar, int coils, long long cells,
                                   int lanes, pyrad::Complex<float> *out, unsigned char *sampled) {
    interleave_coils(planar, coils, cells, lanes, out, sampled);
}

PYRAD_KERNEL(interleave_coils_c128)(const pyrad::Complex<double> *planar, int coils,
                                    long long cells, int lanes, pyrad::Complex<double> *out,
                                    unsigned char *sampled) {
    interleave_coils(planar, coils, cells, lanes, out, sampled);
}

PYRAD_KERNEL(separate_coils_c64)(const pyrad::Complex<float> *lanes_last, long long cells,
                                 int lanes, int coils, pyrad::Complex<float> *out) {
    separate_coils(lanes_last, cells, lanes, coils, out);
}

PYRAD_KERNEL(separate_coils_c128)(const pyrad::Complex<double> *lanes_last, long long cells,
                                  int lanes, int coils, pyrad::Complex<double> *out) {
    separate_coils(lanes_last, cells, lanes, coils, out);
}
