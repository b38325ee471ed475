// CUDA twin of coil_mixing.cpp: one thread per pixel, neighbours side by side.
#include "mr/coil_eigen_math.hpp"

namespace {

using namespace pyrad;

__device__ i64 thread_index() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }

// blockIdx.y: eight outputs at a time, so that a coil's sample is read once for them.
template <class T>
__device__ void mix_coils(const Complex<T> *matrices, const Complex<T> *data, int outputs,
                          int coils, i64 outer, i64 axis, i64 inner, Complex<T> *out) {
    constexpr int group = 8;
    const i64 volume = outer * axis * inner, pixel = thread_index();
    if (pixel >= volume)
        return;
    const i64 position = pixel / inner % axis;
    const int first = blockIdx.y * group, count = min_of(group, outputs - first);
    Complex<T> sum[group];
    for (int v = 0; v < group; ++v)
        sum[v] = {0, 0};
    for (int c = 0; c < coils; ++c) {
        const Complex<T> x = data[c * volume + pixel];
#pragma unroll
        for (int v = 0; v < group; ++v)
            if (v < count)
                sum[v] = sum[v] +
                         matrices[(static_cast<i64>(first + v) * coils + c) * axis + position] * x;
    }
#pragma unroll
    for (int v = 0; v < group; ++v)
        if (v < count)
            out[(first + v) * volume + pixel] = sum[v];
}

template <class T>
__device__ void combine_maps_of(const Complex<T> *images, const Complex<T> *maps, int coils,
                                i64 pixels, Complex<T> *out) {
    const i64 pixel = thread_index();
    if (pixel >= pixels)
        return;
    Complex<T> sum{0, 0};
    T size = 0;
    for (int c = 0; c < coils; ++c) {
        const Complex<T> s = maps[c * pixels + pixel];
        sum = sum + conj(s) * images[c * pixels + pixel];
        size += norm2(s);
    }
    out[pixel] = (size > 0 ? T(1) / size : T(0)) * sum;
}

template <class T>
__device__ void combine_squares(const Complex<T> *images, int coils, i64 pixels, T *out) {
    const i64 pixel = thread_index();
    if (pixel >= pixels)
        return;
    T size = 0;
    for (int c = 0; c < coils; ++c)
        size += norm2(images[c * pixels + pixel]);
    out[pixel] = sqrt(size);
}

template <class T>
__device__ void normalize_maps(const Complex<T> *images, int coils, i64 pixels, Complex<T> *maps,
                               Complex<T> *combined) {
    const i64 pixel = thread_index();
    if (pixel >= pixels)
        return;
    T size = 0;
    for (int c = 0; c < coils; ++c)
        size += norm2(maps[c * pixels + pixel]);
    size = size > 0 ? T(1) / sqrt(size) : T(0);
    Complex<T> sum{0, 0};
    for (int c = 0; c < coils; ++c) {
        const Complex<T> s = size * maps[c * pixels + pixel];
        maps[c * pixels + pixel] = s;
        sum = sum + conj(s) * images[c * pixels + pixel];
    }
    combined[pixel] = sum;
}

template <class T>
__device__ void turn_maps(const Complex<T> *reference, int coils, i64 pixels, Complex<T> *maps,
                          Complex<T> *combined) {
    const i64 pixel = thread_index();
    if (pixel >= pixels)
        return;
    Complex<T> overlap{0, 0};
    for (int c = 0; c < coils; ++c)
        overlap = overlap + conj(reference[c]) * maps[c * pixels + pixel];
    const Complex<T> turn = turn_to_real(overlap);
    for (int c = 0; c < coils; ++c)
        maps[c * pixels + pixel] = turn * maps[c * pixels + pixel];
    combined[pixel] = conj(turn) * combined[pixel];
}

} // namespace

PYRAD_KERNEL(mix_coils_c64)(const pyrad::Complex<float> *matrices,
                            const pyrad::Complex<float> *data, int outputs, int coils,
                            long long outer, long long axis, long long inner,
                            pyrad::Complex<float> *out) {
    mix_coils(matrices, data, outputs, coils, outer, axis, inner, out);
}

PYRAD_KERNEL(mix_coils_c128)(const pyrad::Complex<double> *matrices,
                             const pyrad::Complex<double> *data, int outputs, int coils,
                             long long outer, long long axis, long long inner,
                             pyrad::Complex<double> *out) {
    mix_coils(matrices, data, outputs, coils, outer, axis, inner, out);
}

PYRAD_KERNEL(combine_maps_of_c64)(const pyrad::Complex<float> *images,
                                  const pyrad::Complex<float> *maps, int coils, long long pixels,
                                  pyrad::Complex<float> *out) {
    combine_maps_of(images, maps, coils, pixels, out);
}

PYRAD_KERNEL(combine_maps_of_c128)(const pyrad::Complex<double> *images,
                                   const pyrad::Complex<double> *maps, int coils, long long pixels,
                                   pyrad::Complex<double> *out) {
    combine_maps_of(images, maps, coils, pixels, out);
}

PYRAD_KERNEL(combine_squares_c64)(const pyrad::Complex<float> *images, int coils, long long pixels,
                                  float *out) {
    combine_squares(images, coils, pixels, out);
}

PYRAD_KERNEL(combine_squares_c128)(const pyrad::Complex<double> *images, int coils,
                                   long long pixels, double *out) {
    combine_squares(images, coils, pixels, out);
}

PYRAD_KERNEL(normalize_maps_c64)(const pyrad::Complex<float> *images, int coils, long long pixels,
                                 pyrad::Complex<float> *maps, pyrad::Complex<float> *combined) {
    normalize_maps(images, coils, pixels, maps, combined);
}

PYRAD_KERNEL(normalize_maps_c128)(const pyrad::Complex<double> *images, int coils, long long pixels,
                                  pyrad::Complex<double> *maps, pyrad::Complex<double> *combined) {
    normalize_maps(images, coils, pixels, maps, combined);
}

PYRAD_KERNEL(turn_maps_c64)(const pyrad::Complex<float> *reference, int coils, long long pixels,
                            pyrad::Complex<float> *maps, pyrad::Complex<float> *combined) {
    turn_maps(reference, coils, pixels, maps, combined);
}

PYRAD_KERNEL(turn_maps_c128)(const pyrad::Complex<double> *reference, int coils, long long pixels,
                             pyrad::Complex<double> *maps, pyrad::Complex<double> *combined) {
    turn_maps(reference, coils, pixels, maps, combined);
}
