// Normal operator of sampling in a temporal subspace: with x_t = sum_k b_k[t] c_k and masks m_t,
//
//     F^H Phi F,   Phi(location)[k][l] = sum_t m_t^2 conj(b_k[t]) b_l[t],
//
// so that the transforms run over coefficients, not over frames. J. I. Tamir et al., Magn. Reson.
// Med. 77 (2017) 180, doi:10.1002/mrm.26102.
#include "mr/subspace_mix.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

// One location: x and y are [coefficient][lanes], m is the lower triangle.
template <class T>
PYRAD_CLONES void mix_cell(const T *m, i64 rank, i64 lanes, const T *__restrict x,
                           T *__restrict y) {
    for (i64 k = 0; k < rank; ++k) {
        T *to = y + 2 * k * lanes;
        for (i64 l = 0; l < rank; ++l) {
            const T *pair = m + 2 * (k >= l ? k * (k + 1) / 2 + l : l * (l + 1) / 2 + k);
            const T re = pair[0], im = k >= l ? pair[1] : -pair[1];
            const T *from = x + 2 * l * lanes;
            for (i64 i = 0; i < lanes; ++i) {
                const T a = re * from[2 * i] - im * from[2 * i + 1];
                const T b = re * from[2 * i + 1] + im * from[2 * i];
                to[2 * i] = l ? to[2 * i] + a : a;
                to[2 * i + 1] = l ? to[2 * i + 1] + b : b;
            }
        }
    }
}

} // namespace

template <class T> void mix_spectra(const T *matrices, i64 rank, i64 cells, i64 lanes, T *grids) {
    const i64 pairs = rank * (rank + 1) / 2, width = 2 * lanes;
    parallel_for(cells, 2048, [&](i64 begin, i64 end, int) {
        std::vector<T> x(rank * width), y(rank * width);
        for (i64 cell = begin; cell < end; ++cell) {
            for (i64 k = 0; k < rank; ++k)
                std::copy_n(grids + (k * cells + cell) * width, width, x.data() + k * width);
            mix_cell(matrices + 2 * cell * pairs, rank, lanes, x.data(), y.data());
            for (i64 k = 0; k < rank; ++k)
                std::copy_n(y.data() + k * width, width, grids + (k * cells + cell) * width);
        }
    });
}

template void mix_spectra(const float *, i64, i64, i64, float *);
template void mix_spectra(const double *, i64, i64, i64, double *);

} // namespace pyrad
