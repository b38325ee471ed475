// CUDA twin of subspace_mix.cpp: one thread per location and lane; up to 16 coefficients stay in
// registers, more are mixed from a copy in `scratch`.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

constexpr int most = 16;

template <class T> __device__ Complex<T> entry(const Complex<T> *m, int k, int l) {
    return k >= l ? m[k * (k + 1) / 2 + l] : conj(m[l * (l + 1) / 2 + k]);
}

template <class T>
__device__ void mix_spectra(const Complex<T> *matrices, int rank, i64 cells, int lanes,
                            const Complex<T> *copy, Complex<T> *grids) {
    const i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x, frame = cells * lanes;
    if (at >= frame)
        return;
    const Complex<T> *m = matrices + at / lanes * (rank * (rank + 1) / 2);
    if (rank <= most) {
        Complex<T> x[most];
#pragma unroll
        for (int l = 0; l < most; ++l)
            if (l < rank)
                x[l] = grids[l * frame + at];
        for (int k = 0; k < rank; ++k) {
            Complex<T> sum{0, 0};
#pragma unroll
            for (int l = 0; l < most; ++l)
                if (l < rank)
                    sum = sum + entry(m, k, l) * x[l];
            grids[k * frame + at] = sum;
        }
        return;
    }
    for (int k = 0; k < rank; ++k) {
        Complex<T> sum{0, 0};
        for (int l = 0; l < rank; ++l)
            sum = sum + entry(m, k, l) * copy[l * frame + at];
        grids[k * frame + at] = sum;
    }
}

} // namespace

PYRAD_KERNEL(mix_spectra_c64)(const pyrad::Complex<float> *matrices, int rank, pyrad::i64 cells,
                              int lanes, const pyrad::Complex<float> *copy,
                              pyrad::Complex<float> *grids) {
    mix_spectra(matrices, rank, cells, lanes, copy, grids);
}

PYRAD_KERNEL(mix_spectra_c128)(const pyrad::Complex<double> *matrices, int rank, pyrad::i64 cells,
                               int lanes, const pyrad::Complex<double> *copy,
                               pyrad::Complex<double> *grids) {
    mix_spectra(matrices, rank, cells, lanes, copy, grids);
}
