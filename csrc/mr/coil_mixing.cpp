// Tasks are runs of pixels that fit the first-level cache for every coil; the loops run along
// pixels. Formulas in coil_mixing.hpp; combination: P. B. Roemer et al., Magn. Reson. Med. 16
// (1990), doi:10.1002/mrm.1910160203.
#include "mr/coil_mixing.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/coil_eigen_math.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad {
namespace {

constexpr i64 run = 512; // pixels of a task

// sum += (re + i im) x
template <class T> PYRAD_CLONES void add_scaled(T re, T im, const T *x, i64 count, T *sum) {
    for (i64 i = 0; i < count; ++i) {
        sum[2 * i] += re * x[2 * i] - im * x[2 * i + 1];
        sum[2 * i + 1] += re * x[2 * i + 1] + im * x[2 * i];
    }
}

// sum += a x
template <class T> PYRAD_CLONES void add_product(const T *a, const T *x, i64 count, T *sum) {
    for (i64 i = 0; i < count; ++i) {
        sum[2 * i] += a[2 * i] * x[2 * i] - a[2 * i + 1] * x[2 * i + 1];
        sum[2 * i + 1] += a[2 * i] * x[2 * i + 1] + a[2 * i + 1] * x[2 * i];
    }
}

// sum += conj(a) x, size += |a|^2
template <class T>
PYRAD_CLONES void add_matched(const T *a, const T *x, i64 count, T *sum, T *size) {
    for (i64 i = 0; i < count; ++i) {
        sum[2 * i] += a[2 * i] * x[2 * i] + a[2 * i + 1] * x[2 * i + 1];
        sum[2 * i + 1] += a[2 * i] * x[2 * i + 1] - a[2 * i + 1] * x[2 * i];
        size[i] += a[2 * i] * a[2 * i] + a[2 * i + 1] * a[2 * i + 1];
    }
}

template <class T> PYRAD_CLONES void add_squares(const T *x, i64 count, T *size) {
    for (i64 i = 0; i < count; ++i)
        size[i] += x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
}

template <class T> PYRAD_CLONES void scale_by(const T *factor, i64 count, T *x) {
    for (i64 i = 0; i < count; ++i) {
        x[2 * i] *= factor[i];
        x[2 * i + 1] *= factor[i];
    }
}

// x *= turn, or conj(turn)
template <class T> PYRAD_CLONES void turn_by(const T *turn, T sign, i64 count, T *x) {
    for (i64 i = 0; i < count; ++i) {
        const T re = turn[2 * i], im = sign * turn[2 * i + 1], a = x[2 * i], b = x[2 * i + 1];
        x[2 * i] = re * a - im * b;
        x[2 * i + 1] = re * b + im * a;
    }
}

template <class Body> void for_runs(i64 pixels, Body &&body) {
    parallel_for((pixels + run - 1) / run, 1, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            body(r * run, std::min(run, pixels - r * run));
            poll();
        }
    });
}

} // namespace

template <class T> void mix_coils(const T *matrices, const T *data, const MixShape &n, T *out) {
    const i64 line = n.axis * n.inner, volume = n.outer * line;
    // Along the last axis a matrix lasts for one sample, otherwise for `inner` of them.
    const bool last = n.inner == 1 && n.axis > 1;
    const i64 length = last ? n.axis : n.inner, runs = (length + run - 1) / run;
    const i64 lines = last ? n.outer : n.outer * n.axis;
    parallel_for(lines * runs, 1, [&](i64 begin, i64 end, int) {
        for (i64 task = begin; task < end; ++task) {
            const i64 first = task % runs * run, count = std::min(run, length - first);
            const i64 position = last ? first : task / runs % n.axis;
            const i64 at = task / runs * length + first;
            for (i64 v = 0; v < n.outputs; ++v) {
                T *sum = out + 2 * (v * volume + at);
                std::fill(sum, sum + 2 * count, T(0));
                for (i64 c = 0; c < n.coils; ++c) {
                    const T *by = matrices + 2 * ((v * n.coils + c) * n.axis + position);
                    const T *x = data + 2 * (c * volume + at);
                    if (last)
                        add_product(by, x, count, sum);
                    else
                        add_scaled(by[0], by[1], x, count, sum);
                }
            }
            poll();
        }
    });
}

template <class T>
void combine_maps_of(const T *images, const T *maps, i64 coils, i64 pixels, T *out) {
    for_runs(pixels, [&](i64 first, i64 count) {
        T size[run] = {}, *sum = out + 2 * first;
        std::fill(sum, sum + 2 * count, T(0));
        for (i64 c = 0; c < coils; ++c) {
            const i64 at = 2 * (c * pixels + first);
            add_matched(maps + at, images + at, count, sum, size);
        }
        for (i64 i = 0; i < count; ++i)
            size[i] = size[i] > 0 ? T(1) / size[i] : T(0);
        scale_by(size, count, sum);
    });
}

template <class T> void combine_squares(const T *images, i64 coils, i64 pixels, T *out) {
    for_runs(pixels, [&](i64 first, i64 count) {
        T *size = out + first;
        std::fill(size, size + count, T(0));
        for (i64 c = 0; c < coils; ++c)
            add_squares(images + 2 * (c * pixels + first), count, size);
        for (i64 i = 0; i < count; ++i)
            size[i] = std::sqrt(size[i]);
    });
}

template <class T>
void normalize_maps(const T *images, i64 coils, i64 pixels, T *maps, T *combined) {
    for_runs(pixels, [&](i64 first, i64 count) {
        T size[run] = {}, unused[run] = {}, *sum = combined + 2 * first;
        for (i64 c = 0; c < coils; ++c)
            add_squares(maps + 2 * (c * pixels + first), count, size);
        for (i64 i = 0; i < count; ++i)
            size[i] = size[i] > 0 ? T(1) / std::sqrt(size[i]) : T(0);
        std::fill(sum, sum + 2 * count, T(0));
        for (i64 c = 0; c < coils; ++c) {
            const i64 at = 2 * (c * pixels + first);
            scale_by(size, count, maps + at);
            add_matched(maps + at, images + at, count, sum, unused);
        }
    });
}

template <class T> void turn_maps(const T *reference, i64 coils, i64 pixels, T *maps, T *combined) {
    for_runs(pixels, [&](i64 first, i64 count) {
        T turn[2 * run] = {};
        for (i64 c = 0; c < coils; ++c)
            add_scaled(reference[2 * c], -reference[2 * c + 1], maps + 2 * (c * pixels + first),
                       count, turn);
        for (i64 i = 0; i < count; ++i) {
            const Complex<T> by = turn_to_real(Complex<T>{turn[2 * i], turn[2 * i + 1]});
            turn[2 * i] = by.re;
            turn[2 * i + 1] = by.im;
        }
        for (i64 c = 0; c < coils; ++c)
            turn_by(turn, T(1), count, maps + 2 * (c * pixels + first));
        turn_by(turn, T(-1), count, combined + 2 * first);
    });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void mix_coils(const T *, const T *, const MixShape &, T *);                          \
    template void combine_maps_of(const T *, const T *, i64, i64, T *);                            \
    template void combine_squares(const T *, i64, i64, T *);                                       \
    template void normalize_maps(const T *, i64, i64, T *, T *);                                   \
    template void turn_maps(const T *, i64, i64, T *, T *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad
