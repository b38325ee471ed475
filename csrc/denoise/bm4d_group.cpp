// Filter of one group: Haar across the blocks, a separable transform in each block, shrinkage, and
// back. The group is turned round in between, so that both are plain vector arithmetic: Haar on
// blocks of 64 voxels, the blocks' transform on 16 blocks side by side.
#include "denoise/bm4d_group.hpp"

#include "base/simd.hpp"

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

// x[j] -> sum over j of matrix[i][j] x[j], along one axis of the blocks; voxels `step` apart.
template <i64 edge, class T>
inline __attribute__((always_inline)) void transform_line(T *x, i64 step, const T *matrix) {
    T in[edge * lanes];
    for (i64 j = 0; j < edge; ++j)
        for (i64 k = 0; k < lanes; ++k)
            in[j * lanes + k] = x[j * step * lanes + k];
    for (i64 i = 0; i < edge; ++i) {
        T sum[lanes];
        for (i64 k = 0; k < lanes; ++k)
            sum[k] = matrix[i * edge] * in[k];
        for (i64 j = 1; j < edge; ++j)
            for (i64 k = 0; k < lanes; ++k)
                sum[k] += matrix[i * edge + j] * in[j * lanes + k];
        for (i64 k = 0; k < lanes; ++k)
            x[i * step * lanes + k] = sum[k];
    }
}

template <class T> PYRAD_CLONES void transform_squares(T *x, const T *matrix, i64 count) {
    for (i64 h = 0; h * lanes < count; ++h, x += voxels * lanes) {
        for (i64 i = 0; i < 8; ++i)
            transform_line<8>(x + 8 * i * lanes, 1, matrix);
        for (i64 i = 0; i < 8; ++i)
            transform_line<8>(x + i * lanes, 8, matrix);
    }
}

template <class T> PYRAD_CLONES void transform_cubes(T *x, const T *matrix, i64 count) {
    for (i64 h = 0; h * lanes < count; ++h, x += voxels * lanes) {
        for (i64 i = 0; i < 16; ++i)
            transform_line<4>(x + 4 * i * lanes, 1, matrix);
        for (i64 i = 0; i < 16; ++i)
            transform_line<4>(x + (i / 4 * 16 + i % 4) * lanes, 4, matrix);
        for (i64 i = 0; i < 16; ++i)
            transform_line<4>(x + i * lanes, 16, matrix);
    }
}

template <class T> void transform(T *x, const Stage<T> &stage, const T *matrix, i64 count) {
    if (stage.block[0] == 1)
        transform_squares(x, matrix, count);
    else
        transform_cubes(x, matrix, count);
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
    transform(b.turned, stage, stage.forward, group.count);
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
    transform(noisy.turned, stage, stage.inverse, group.count);
    turn_back(noisy.turned, group.count, estimates);
    inverse_haar(estimates, group.count);
    return 1 / (level * level * left);
}

template float filter_group(const float *, const float *, const Stage<float> &,
                            const Group<float> &, float, float *);
template double filter_group(const double *, const double *, const Stage<double> &,
                             const Group<double> &, double, double *);

} // namespace pyrad::bm4d
