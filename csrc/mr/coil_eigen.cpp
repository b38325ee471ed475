// Coil maps from matrices that are stored (Walsh) or made on the spot (ESPIRiT), block by block of
// coil_eigen_block.cpp. ESPIRiT's matrices are Fourier series: a block keeps the coefficients of
// its columns and walks down the rows, so that no matrix reaches memory.
#include "mr/coil_eigen.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/coil_eigen_block.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 band = 32; // rows of one task

// Pixels [first, first + count) of a row of complex numbers; those beyond repeat the last.
template <class T> void gather(const T *row, i64 first, i64 count, LanePair<T> &out) {
    for (i64 p = 0; p < Lanes<T>::count; ++p) {
        const T *from = row + 2 * (first + std::min(p, count - 1));
        out.re[p] = from[0];
        out.im[p] = from[1];
    }
}

// h[pair] = sum_l waves[l] strip[pair][l]
template <class T>
PYRAD_CLONES void sum_series(const LanePair<T> *strip, const T *waves, i64 pairs, i64 lags,
                             LanePair<T> *h) {
    for (i64 pair = 0; pair < pairs; ++pair, strip += lags) {
        LanePair<T> sum{};
        for (i64 l = 0; l < lags; ++l) {
            const T re = waves[2 * l], im = waves[2 * l + 1];
            sum.re += re * strip[l].re - im * strip[l].im;
            sum.im += re * strip[l].im + im * strip[l].re;
        }
        h[pair] = sum;
    }
}

} // namespace

template <class T>
void coil_eigenvectors(const T *matrices, i64 coils, i64 pixels, i64 maps, i64 iterations,
                       const T *reference, T *vectors, T *values) {
    constexpr i64 side = Lanes<T>::count;
    const i64 pairs = coils * (coils + 1) / 2;
    parallel_for((pixels + side - 1) / side, 8, [&](i64 begin, i64 end, int) {
        EigenBlock<T> block(coils, maps, iterations);
        for (i64 b = begin; b < end; ++b) {
            const i64 first = b * side, count = std::min(side, pixels - first);
            for (i64 pair = 0; pair < pairs; ++pair)
                gather(matrices + 2 * pair * pixels, first, count, block.matrix()[pair]);
            block.solve(0);
            block.store({reference, 0, pixels, first, count, vectors, values});
            poll();
        }
    });
}

template <class T>
void espirit_maps(const T *lags, const T *waves, const T *reference, double crop,
                  const SeriesShape &n, T *vectors, T *values) {
    constexpr i64 side = Lanes<T>::count;
    const i64 pairs = n.coils * (n.coils + 1) / 2, bands = (n.rows + band - 1) / band;
    const i64 blocks = (n.columns + side - 1) / side, pixels = n.rows * n.columns;
    parallel_for(blocks * bands, 1, [&](i64 begin, i64 end, int) {
        EigenBlock<T> block(n.coils, n.maps, n.iterations);
        std::vector<LanePair<T>> strip(pairs * n.lags);
        for (i64 task = begin; task < end; ++task) {
            const i64 first = task % blocks * side, count = std::min(side, n.columns - first);
            for (i64 row = 0; row < pairs * n.lags; ++row)
                gather(lags + 2 * row * n.columns, first, count, strip[row]);
            const i64 top = task / blocks * band, bottom = std::min(top + band, n.rows);
            for (i64 y = top; y < bottom; ++y) {
                sum_series(strip.data(), waves + 2 * y * n.lags, pairs, n.lags, block.matrix());
                block.solve(static_cast<T>(crop));
                block.store({reference, static_cast<T>(crop), n.planes * pixels,
                             n.plane * pixels + y * n.columns + first, count, vectors, values});
                poll();
            }
        }
    });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void coil_eigenvectors(const T *, i64, i64, i64, i64, const T *, T *, T *);           \
    template void espirit_maps(const T *, const T *, const T *, double, const SeriesShape &, T *,  \
                               T *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad
