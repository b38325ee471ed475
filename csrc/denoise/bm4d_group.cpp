// Filter of one group: Haar across the blocks, a separable transform in each block, shrinkage, and
// back. The group is turned round in between, so that both are plain vector arithmetic: Haar on
// blocks of 64 voxels, the blocks' transform on 16 blocks side by side (bm4d_group.inl).
#include "denoise/bm4d_group.hpp"

#include "base/x86.hpp"

#include <algorithm>

namespace pyrad::bm4d {
namespace {

template <class T> struct Buffers {
    alignas(64) T blocks[largest_group * voxels]; // block by block
    alignas(64) T turned[largest_group * voxels]; // [half][voxel][block]
};

template <class T>
void gather(const T *image, const Stage<T> &stage, const Group<T> &group, T *blocks) {
    const i64 line = stage.size[2], plane = stage.size[1] * line, edge = stage.block[2];
    for (int k = 0; k < group.count; ++k)
        for (i64 z = 0; z < stage.block[0]; ++z)
            for (i64 y = 0; y < stage.block[1]; ++y, blocks += edge)
                std::copy_n(image + group.at[k] + z * plane + y * line, edge, blocks);
}

// In place: sums end at multiples of ever higher powers of two, differences behind them.
template <class T> PYRAD_CLONES void haar(T *x, i64 count) {
    for (i64 step = 1; step < count; step *= 2)
        for (i64 k = 0; k < count; k += 2 * step)
            for (i64 i = 0; i < voxels; ++i)
                haar_step(x[k * voxels + i], x[(k + step) * voxels + i]);
}

template <class T> PYRAD_CLONES void inverse_haar(T *x, i64 count) {
    for (i64 step = count / 2; step > 0; step /= 2)
        for (i64 k = 0; k < count; k += 2 * step)
            for (i64 i = 0; i < voxels; ++i)
                haar_step(x[k * voxels + i], x[(k + step) * voxels + i]);
}

template <class T> void turn(const T *blocks, i64 count, T *turned) {
    for (i64 h = 0; h * lanes < count; ++h)
        for (i64 v = 0; v < voxels; ++v)
            for (i64 k = 0; k < lanes; ++k) {
                const i64 block = h * lanes + k;
                turned[(h * voxels + v) * lanes + k] =
                    block < count ? blocks[block * voxels + v] : T(0);
            }
}

template <class T> void turn_back(const T *turned, i64 count, T *blocks) {
    for (i64 k = 0; k < count; ++k)
        for (i64 v = 0; v < voxels; ++v)
            blocks[k * voxels + v] = turned[(k / lanes * voxels + v) * lanes + k % lanes];
}

#define BM4D_SOURCE "denoise/bm4d_group.inl"
#include "denoise/bm4d_lanes.inl"

template <class T> void transform(T *x, i64 edge, const T *matrix, i64 count) {
#if defined(PYRAD_X86)
    if (vector_width() == 16)
        return avx512::transform(x, edge, matrix, count);
    if (vector_width() == 8)
        return avx2::transform(x, edge, matrix, count);
#endif
    portable::transform(x, edge, matrix, count);
}

// Both return the variance of the noise that is left, in units of level^2.
template <class T>
PYRAD_CLONES T shrink_hard(T *__restrict x, const T *__restrict variance, T threshold, i64 count) {
    T left[lanes] = {};
    for (i64 h = 0; h * lanes < count; ++h)
        for (i64 v = 0; v < voxels; ++v, x += lanes)
            for (i64 k = 0; k < lanes; ++k) {
                const T factor = keep(x[k], threshold, variance[v]);
                left[k] += factor * variance[v];
                x[k] *= factor;
            }
    T sum = 0;
    for (i64 k = 0; k < lanes; ++k)
        sum += left[k];
    return sum;
}

template <class T>
PYRAD_CLONES T shrink_wiener(T *__restrict x, const T *__restrict guide,
                             const T *__restrict variance, T level2, i64 count) {
    T left[lanes] = {};
    for (i64 h = 0; h * lanes < count; ++h)
        for (i64 v = 0; v < voxels; ++v, x += lanes, guide += lanes) {
            const T noise = variance[v], scaled = level2 * noise;
            for (i64 k = 0; k < lanes; ++k) {
                const T factor = wiener(guide[k], scaled);
                left[k] += factor * factor * noise;
                x[k] *= factor;
            }
        }
    T sum = 0;
    for (i64 k = 0; k < lanes; ++k)
        sum += left[k];
    return sum;
}

template <class T>
void to_spectrum(const T *image, const Stage<T> &stage, const Group<T> &group, Buffers<T> &b) {
    gather(image, stage, group, b.blocks);
    haar(b.blocks, group.count);
    turn(b.blocks, group.count, b.turned);
    transform(b.turned, stage.block[2], stage.forward, group.count);
}

} // namespace

template <class T>
T filter_group(const T *image, const T *guide, const Stage<T> &stage, const Group<T> &group,
               T level, T *estimates) {
    Buffers<T> noisy;
    to_spectrum(image, stage, group, noisy);
    const T mean = noisy.turned[0];
    T left;
    if (guide) {
        Buffers<T> first;
        to_spectrum(guide, stage, group, first);
        const T factor = wiener(first.turned[0], level * level * stage.variance[0]);
        left =
            shrink_wiener(noisy.turned, first.turned, stage.variance, level * level, group.count) +
            (1 - factor * factor) * stage.variance[0];
    } else {
        noisy.turned[0] = 0;
        left = shrink_hard(noisy.turned, stage.variance, stage.threshold * level, group.count) +
               stage.variance[0];
    }
    noisy.turned[0] = mean;
    transform(noisy.turned, stage.block[2], stage.inverse, group.count);
    turn_back(noisy.turned, group.count, estimates);
    inverse_haar(estimates, group.count);
    return 1 / (level * level * left);
}

template float filter_group(const float *, const float *, const Stage<float> &,
                            const Group<float> &, float, float *);
template double filter_group(const double *, const double *, const Stage<double> &,
                             const Group<double> &, double, double *);

} // namespace pyrad::bm4d
