// y = H x per pixel, the step of SPIRiT that couples the coils (M. Lustig, J. M. Pauly, Magn.
// Reson. Med. 64 (2010), doi:10.1002/mrm.22428). Every stored entry serves H_ij x_j and conj(H_ij)
// x_i, so that half of the matrices is read once; a block of pixels keeps its images in the first
// cache level, real and imaginary parts apart.
#include "mr/coil_matrices.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr int side = 64; // pixels of a block; arrays of a block are [coil][re, im][side]

template <class T>
PYRAD_CLONES void split(const T *__restrict from, i64 count, T *__restrict re, T *__restrict im) {
    for (i64 p = 0; p < count; ++p) {
        re[p] = from[2 * p];
        im[p] = from[2 * p + 1];
    }
}

template <class T>
PYRAD_CLONES void join(const T *__restrict re, const T *__restrict im, i64 count,
                       T *__restrict to) {
    for (i64 p = 0; p < count; ++p) {
        to[2 * p] = re[p];
        to[2 * p + 1] = im[p];
    }
}

// y_i += h x_j and y_j += conj(h) x_i
template <class T>
PYRAD_CLONES void add_pair(const T *__restrict h, const T *__restrict xi, const T *__restrict xj,
                           T *__restrict yi, T *__restrict yj) {
    for (int p = 0; p < side; ++p) {
        const T re = h[p], im = h[side + p];
        yi[p] += re * xj[p] - im * xj[side + p];
        yi[side + p] += re * xj[side + p] + im * xj[p];
        yj[p] += re * xi[p] + im * xi[side + p];
        yj[side + p] += re * xi[side + p] - im * xi[p];
    }
}

template <class T>
PYRAD_CLONES void add_diagonal(const T *__restrict h, const T *__restrict x, T *__restrict y) {
    for (int p = 0; p < side; ++p) {
        y[p] += h[p] * x[p];
        y[side + p] += h[p] * x[side + p];
    }
}

} // namespace

template <class T>
void coil_matrix_multiply(const T *matrices, const T *images, i64 coils, i64 pixels, T *out) {
    parallel_for((pixels + side - 1) / side, 16, [&](i64 begin, i64 end, int) {
        std::vector<T> x(coils * 2 * side, T(0)), y(coils * 2 * side);
        T h[2 * side] = {};
        for (i64 b = begin; b < end; ++b) {
            const i64 first = b * side, count = std::min<i64>(side, pixels - first);
            for (i64 c = 0; c < coils; ++c)
                split(images + 2 * (c * pixels + first), count, &x[2 * c * side],
                      &x[(2 * c + 1) * side]);
            std::fill(y.begin(), y.end(), T(0));
            const T *entry = matrices + 2 * first;
            for (i64 i = 0; i < coils; ++i)
                for (i64 j = 0; j <= i; ++j, entry += 2 * pixels) {
                    split(entry, count, h, h + side);
                    if (j < i)
                        add_pair(h, &x[2 * i * side], &x[2 * j * side], &y[2 * i * side],
                                 &y[2 * j * side]);
                    else
                        add_diagonal(h, &x[2 * i * side], &y[2 * i * side]);
                }
            for (i64 c = 0; c < coils; ++c)
                join(&y[2 * c * side], &y[(2 * c + 1) * side], count,
                     out + 2 * (c * pixels + first));
            poll();
        }
    });
}

template void coil_matrix_multiply(const float *, const float *, i64, i64, float *);
template void coil_matrix_multiply(const double *, const double *, i64, i64, double *);

} // namespace pyrad
