// CUDA twin of coil_eigen.cpp: one thread per pixel; every array runs along pixels last, so that
// all accesses of a warp are coalesced. Plain power iteration: squared matrices would cost more
// traffic than the steps they save.
#include "mr/coil_eigen_math.hpp"

namespace {

using namespace pyrad;

// Everything of one pixel; neighbours of an array stand `stride` elements apart.
template <class T> struct Pixel {
    const Complex<T> *h;
    Complex<T> *w; // scratch, coils
    int coils, maps;
    i64 stride;
};

template <class T> __device__ void multiply(const Pixel<T> &at, const Complex<T> *v, i64 stride) {
    for (int i = 0; i < at.coils; ++i) {
        Complex<T> sum{0, 0};
        const Complex<T> *a = at.h + (i * (i + 1) / 2) * at.stride;
        for (int j = 0; j <= i; ++j, a += at.stride)
            sum = sum + *a * v[j * stride];
        a += i * at.stride; // entry (i + 1, i)
        for (int j = i + 1; j < at.coils; ++j) {
            sum = sum + conj(*a) * v[j * stride];
            a += (j + 1) * at.stride;
        }
        at.w[i * at.stride] = sum;
    }
}

template <class T>
__device__ Complex<T> inner(const Complex<T> *a, i64 a_stride, const Complex<T> *b, i64 b_stride,
                            int coils) {
    Complex<T> dot{0, 0};
    for (int c = 0; c < coils; ++c)
        dot = dot + conj(a[c * a_stride]) * b[c * b_stride];
    return dot;
}

// The largest eigenvalue is at most the Frobenius norm.
template <class T> __device__ T bound(const Pixel<T> &at) {
    T sum = 0;
    const Complex<T> *a = at.h;
    for (int i = 0; i < at.coils; ++i)
        for (int j = 0; j <= i; ++j, a += at.stride)
            sum += (i == j ? T(1) : T(2)) * norm2(*a);
    return sqrt(sum);
}

// v[m][c] `stride` apart; value[m] `value_stride` apart.
template <class T>
__device__ void eigen_pixel(const Pixel<T> &at, int iterations, const Complex<T> *reference, T crop,
                            Complex<T> *v, i64 stride, T *value, i64 value_stride) {
    const int coils = at.coils;
    if (crop > 0) {
        const T most = bound(at);
        if (most < T(0.999) * crop) {
            for (int m = 0; m < at.maps; ++m)
                value[m * value_stride] = most;
            for (int i = 0; i < at.maps * coils; ++i)
                v[i * stride] = {0, 0};
            return;
        }
    }
    for (int m = 0; m < at.maps; ++m)
        for (int c = 0; c < coils; ++c)
            v[(m * coils + c) * stride] = eigen_start<T>(c, coils, m);
    bool last = false;
    for (int i = 0;; ++i) {
        bool moving = false;
        for (int m = 0; m < at.maps; ++m) {
            Complex<T> *vm = v + m * coils * stride;
            multiply(at, vm, stride);
            if (last)
                value[m * value_stride] = inner(vm, stride, at.w, at.stride, coils).re;
            for (int l = 0; l < m; ++l) {
                const Complex<T> *vl = v + l * coils * stride;
                const Complex<T> dot = inner(vl, stride, at.w, at.stride, coils);
                for (int c = 0; c < coils; ++c)
                    at.w[c * at.stride] = at.w[c * at.stride] - dot * vl[c * stride];
            }
            const T overlap2 = norm2(inner<T>(vm, stride, at.w, at.stride, coils));
            const T length2 = inner<T>(at.w, at.stride, at.w, at.stride, coils).re;
            moving |= !eigen_done(overlap2, length2);
            const T scale = length2 > 0 ? T(1) / sqrt(length2) : T(0);
            for (int c = 0; c < coils; ++c)
                vm[c * stride] = scale * at.w[c * at.stride];
        }
        if (last)
            break;
        last = !moving || i + 1 >= iterations;
    }
    for (int m = 0; m < at.maps; ++m) {
        Complex<T> *vm = v + m * coils * stride;
        const Complex<T> turn = value[m * value_stride] < crop
                                    ? Complex<T>{0, 0}
                                    : turn_to_real(inner(reference, 1, vm, stride, coils));
        for (int c = 0; c < coils; ++c)
            vm[c * stride] = turn * vm[c * stride];
    }
}

template <class T>
__device__ void coil_eigenvectors(const Complex<T> *matrices, int coils, i64 pixels, int maps,
                                  int iterations, const Complex<T> *reference, Complex<T> *scratch,
                                  Complex<T> *vectors, T *values) {
    const i64 pixel = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (pixel >= pixels)
        return;
    const Pixel<T> at{matrices + pixel, scratch + pixel, coils, maps, pixels};
    eigen_pixel(at, iterations, reference, T(0), vectors + pixel, pixels, values + pixel, pixels);
}

template <class T>
__device__ void espirit_maps(const Complex<T> *lags, const Complex<T> *waves,
                             const Complex<T> *reference, T crop, int coils, int maps, int count,
                             i64 rows, i64 columns, i64 planes, i64 plane, int iterations,
                             Complex<T> *matrices, Complex<T> *scratch, Complex<T> *vectors,
                             T *values) {
    const i64 pixels = rows * columns;
    const i64 pixel = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (pixel >= pixels)
        return;
    const i64 y = pixel / columns, x = pixel % columns;
    const Complex<T> *wave = waves + y * count;
    for (int pair = 0; pair < coils * (coils + 1) / 2; ++pair) {
        const Complex<T> *lag = lags + static_cast<i64>(pair) * count * columns + x;
        Complex<T> sum{0, 0};
        for (int l = 0; l < count; ++l)
            sum = sum + wave[l] * lag[l * columns];
        matrices[pair * pixels + pixel] = sum;
    }
    const Pixel<T> at{matrices + pixel, scratch + pixel, coils, maps, pixels};
    const i64 first = plane * pixels + pixel, stride = planes * pixels;
    eigen_pixel(at, iterations, reference, crop, vectors + first, stride, values + first, stride);
}

} // namespace

PYRAD_KERNEL(coil_eigenvectors_c64)(const pyrad::Complex<float> *matrices, int coils,
                                    long long pixels, int maps, int iterations,
                                    const pyrad::Complex<float> *reference,
                                    pyrad::Complex<float> *scratch, pyrad::Complex<float> *vectors,
                                    float *values) {
    coil_eigenvectors(matrices, coils, pixels, maps, iterations, reference, scratch, vectors,
                      values);
}

PYRAD_KERNEL(coil_eigenvectors_c128)(const pyrad::Complex<double> *matrices, int coils,
                                     long long pixels, int maps, int iterations,
                                     const pyrad::Complex<double> *reference,
                                     pyrad::Complex<double> *scratch,
                                     pyrad::Complex<double> *vectors, double *values) {
    coil_eigenvectors(matrices, coils, pixels, maps, iterations, reference, scratch, vectors,
                      values);
}

PYRAD_KERNEL(espirit_maps_c64)(const pyrad::Complex<float> *lags,
                               const pyrad::Complex<float> *waves,
                               const pyrad::Complex<float> *reference, float crop, int coils,
                               int maps, int count, long long rows, long long columns,
                               long long planes, long long plane, int iterations,
                               pyrad::Complex<float> *matrices, pyrad::Complex<float> *scratch,
                               pyrad::Complex<float> *vectors, float *values) {
    espirit_maps(lags, waves, reference, crop, coils, maps, count, rows, columns, planes, plane,
                 iterations, matrices, scratch, vectors, values);
}

PYRAD_KERNEL(espirit_maps_c128)(const pyrad::Complex<double> *lags,
                                const pyrad::Complex<double> *waves,
                                const pyrad::Complex<double> *reference, double crop, int coils,
                                int maps, int count, long long rows, long long columns,
                                long long planes, long long plane, int iterations,
                                pyrad::Complex<double> *matrices, pyrad::Complex<double> *scratch,
                                pyrad::Complex<double> *vectors, double *values) {
    espirit_maps(lags, waves, reference, crop, coils, maps, count, rows, columns, planes, plane,
                 iterations, matrices, scratch, vectors, values);
}
