// CUDA twin of coil_matrices.cpp: one thread per pixel, all accesses of a warp coalesced. Images of
// up to 32 coils would spill from registers, so four rows of the matrix are done at a time and the
// images are read once per four rows, from cache after the first.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

constexpr int rows = 4;

template <class T>
__device__ void coil_matrix_multiply(const Complex<T> *matrices, const Complex<T> *images,
                                     int coils, i64 pixels, Complex<T> *out) {
    const i64 pixel = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (pixel >= pixels)
        return;
    const Complex<T> *h = matrices + pixel, *x = images + pixel;
    for (int first = 0; first < coils; first += rows) {
        Complex<T> sum[rows];
        for (int r = 0; r < rows; ++r)
            sum[r] = {T(0), T(0)};
        for (int j = 0; j < coils; ++j) {
            const Complex<T> xj = x[j * pixels];
            for (int r = 0; r < rows; ++r) {
                const int i = first + r;
                if (i >= coils)
                    continue;
                const int low = min_of(i, j), high = max_of(i, j);
                const Complex<T> a = h[(static_cast<i64>(high) * (high + 1) / 2 + low) * pixels];
                if (i == j)
                    sum[r] = sum[r] + a.re * xj;
                else
                    sum[r] = sum[r] + (i > j ? a : conj(a)) * xj;
            }
        }
        for (int r = 0; r < rows; ++r)
            if (first + r < coils)
                out[(first + r) * pixels + pixel] = sum[r];
    }
}

} // namespace

PYRAD_KERNEL(coil_matrix_multiply_c64)(const pyrad::Complex<float> *matrices,
                                       const pyrad::Complex<float> *images, int coils,
                                       long long pixels, pyrad::Complex<float> *out) {
    coil_matrix_multiply(matrices, images, coils, pixels, out);
}

PYRAD_KERNEL(coil_matrix_multiply_c128)(const pyrad::Complex<double> *matrices,
                                        const pyrad::Complex<double> *images, int coils,
                                        long long pixels, pyrad::Complex<double> *out) {
    coil_matrix_multiply(matrices, images, coils, pixels, out);
}
