// CUDA twin of coil_eigen.cpp: one thread per pixel; every array runs along pixels last, so that
// all accesses of a warp are coalesced.
#include "mr/coil_eigen_math.hpp"

namespace {

using namespace pyrad;

template <class T>
__device__ void multiply(const Complex<T> *h, const Complex<T> *v, int coils, i64 pixels,
                         Complex<T> *w) {
    for (int i = 0; i < coils; ++i) {
        Complex<T> sum{0, 0};
        for (int j = 0; j < coils; ++j) {
            const int row = i > j ? i : j, column = i > j ? j : i;
            const Complex<T> a = h[(row * (row + 1) / 2 + column) * pixels];
            sum = sum + (i >= j ? a : conj(a)) * v[j * pixels];
        }
        w[i * pixels] = sum;
    }
}

template <class T>
__device__ Complex<T> inner(const Complex<T> *a, const Complex<T> *b, int coils, i64 pixels) {
    Complex<T> dot{0, 0};
    for (int c = 0; c < coils; ++c)
        dot = dot + conj(a[c * pixels]) * b[c * pixels];
    return dot;
}

template <class T>
__device__ void coil_eigenvectors(const Complex<T> *matrices, int coils, i64 pixels, int maps,
                                  int iterations, Complex<T> *scratch, Complex<T> *vectors,
                                  T *values) {
    const i64 pixel = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (pixel >= pixels)
        return;
    const Complex<T> *h = matrices + pixel;
    Complex<T> *w = scratch + pixel, *v = vectors + pixel;
    for (int m = 0; m < maps; ++m)
        for (int c = 0; c < coils; ++c)
            v[(m * coils + c) * pixels] = eigen_start<T>(c, coils, m);
    bool moving = true;
    for (int i = 0; i < iterations && moving; ++i) {
        moving = false;
        for (int m = 0; m < maps; ++m) {
            Complex<T> *vm = v + static_cast<i64>(m) * coils * pixels;
            multiply(h, vm, coils, pixels, w);
            for (int l = 0; l < m; ++l) {
                const Complex<T> *vl = v + static_cast<i64>(l) * coils * pixels;
                const Complex<T> dot = inner(vl, w, coils, pixels);
                for (int c = 0; c < coils; ++c)
                    w[c * pixels] = w[c * pixels] - dot * vl[c * pixels];
            }
            const T overlap2 = norm2(inner(vm, w, coils, pixels));
            const T length2 = inner(w, w, coils, pixels).re;
            moving |= !eigen_done(overlap2, length2);
            const T scale = length2 > 0 ? T(1) / sqrt(length2) : T(0);
            for (int c = 0; c < coils; ++c)
                vm[c * pixels] = scale * w[c * pixels];
            values[m * pixels + pixel] = sqrt(length2);
        }
    }
}

} // namespace

PYRAD_KERNEL(coil_eigenvectors_c64)(const pyrad::Complex<float> *matrices, int coils,
                                    long long pixels, int maps, int iterations,
                                    pyrad::Complex<float> *scratch, pyrad::Complex<float> *vectors,
                                    float *values) {
    coil_eigenvectors(matrices, coils, pixels, maps, iterations, scratch, vectors, values);
}

PYRAD_KERNEL(coil_eigenvectors_c128)(const pyrad::Complex<double> *matrices, int coils,
                                     long long pixels, int maps, int iterations,
                                     pyrad::Complex<double> *scratch,
                                     pyrad::Complex<double> *vectors, double *values) {
    coil_eigenvectors(matrices, coils, pixels, maps, iterations, scratch, vectors, values);
}
