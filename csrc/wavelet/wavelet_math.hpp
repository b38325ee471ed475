// What the CPU and the CUDA wavelet kernels must agree on: how a signal goes on beyond its ends,
// and which samples meet which filter taps.
//
//   analysis   c[k] = sum_j f[j] x[2k + first - j],   first = F/2 (periodization) or 1 (all others)
//   synthesis  x[i] = sum_k c[k] f[i - 2k + F/2 - 1]  over k modulo the length (periodization), or
//              x[i] = sum_k c[k] f[i - 2k + F - 2]    where all taps meet a coefficient (others)
//   stationary c[k] = sum_j f[j] x[k + (F/2 - j) step],  x[i] = 1/2 sum_j f[j] c[i + (F/2-1-j)
//   step]
//
// I. Daubechies, Ten Lectures on Wavelets, 1992, doi:10.1137/1.9781611970104; S. Mallat, IEEE PAMI
// 11, 1989, doi:10.1109/34.192463. Sample order and modes are those of PyWavelets,
// doi:10.21105/joss.01237.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// Numbered in the order of pyrad_core.wavelet.modes.
enum ExtensionMode {
    mode_zero,
    mode_constant,
    mode_symmetric,
    mode_reflect,
    mode_periodic,
    mode_smooth,
    mode_periodization,
    mode_antisymmetric,
    mode_antireflect,
    mode_count
};

PYRAD_HD i64 coefficient_length(i64 n, i64 taps, int mode) {
    return mode == mode_periodization ? (n + 1) / 2 : (n + taps - 1) / 2;
}

PYRAD_HD i64 first_sample(i64 taps, int mode) { return mode == mode_periodization ? taps / 2 : 1; }

PYRAD_HD i64 wrap(i64 t, i64 period) {
    if (t >= 0 && t < period)
        return t;
    const i64 r = t % period;
    return r < 0 ? r + period : r;
}

// An extended sample is a weighted sum of at most three samples.
template <class T> struct Extension {
    i64 index[3];
    T weight[3];
    int count;
};

// The sample at position t, any integer, of a signal of n samples (n >= 2 for [anti]reflect).
template <class T> PYRAD_HD Extension<T> extend(int mode, i64 t, i64 n) {
    Extension<T> e{{t, 0, 0}, {T(1), T(0), T(0)}, 1};
    if (t >= 0 && t < n)
        return e;
    const i64 folded = wrap(t, 2 * n);
    switch (mode) {
    case mode_zero:
        e.count = 0;
        break;
    case mode_constant:
        e.index[0] = t < 0 ? 0 : n - 1;
        break;
    case mode_periodic:
        e.index[0] = wrap(t, n);
        break;
    case mode_periodization: // an odd signal repeats its last sample
        e.index[0] = min_of(wrap(t, n + n % 2), n - 1);
        break;
    case mode_symmetric:
    case mode_antisymmetric:
        e.index[0] = folded < n ? folded : 2 * n - 1 - folded;
        if (mode == mode_antisymmetric && folded >= n)
            e.weight[0] = T(-1);
        break;
    case mode_smooth: { // the line through the two samples at the end
        const T away = static_cast<T>(t < 0 ? -t : t - (n - 1));
        e.index[0] = t < 0 ? 0 : n - 1;
        e.index[1] = n == 1 ? 0 : t < 0 ? 1 : n - 2;
        e.weight[0] = T(1) + away;
        e.weight[1] = -away;
        e.count = 2;
        break;
    }
    case mode_reflect:
    case mode_antireflect: {
        const i64 period = 2 * (n - 1), r = wrap(t, period), turns = (t - r) / period;
        e.index[0] = r < n ? r : period - r;
        if (mode == mode_reflect)
            break;
        const T rise = static_cast<T>(2 * turns); // each turn lifts by 2 (x[n-1] - x[0])
        if (r >= n)
            e.weight[0] = T(-1);
        e.index[1] = n - 1;
        e.weight[1] = r < n ? rise : rise + T(2);
        e.index[2] = 0;
        e.weight[2] = -rise;
        e.count = 3;
        break;
    }
    }
    return e;
}

// Synthesis makes samples in pairs (2i + first, 2i + first + 1), i in [0, pairs), from the
// coefficients start + i + q, q in [0, F/2), with the taps f[F - 2 - 2q] and f[F - 1 - 2q].
struct SynthesisPlan {
    i64 pairs, first, start;
};

PYRAD_HD SynthesisPlan plan_synthesis(i64 coefficients, i64 taps, bool periodization) {
    const i64 half = taps / 2;
    if (!periodization)
        return {coefficients - half + 1, 0, 0};
    const i64 first = half % 2 ? 0 : -1;
    return {coefficients, first, (first + half - 1) / 2 - half + 1};
}

} // namespace pyrad
