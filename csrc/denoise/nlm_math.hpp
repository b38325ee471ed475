// Formulas of non-local means that the CPU and CUDA kernels share.
//
// The weight of the pair of voxels (i, j), whose patches differ by the mean square d2:
//
//     w = exp(-max(d2 - 2 s2, 0) / h2),   h2 = h^2 + (factor^2) s2,   s2 = (s_i^2 + s_j^2) / 2,
//
// and 0 where the exponent is beyond `cutoff`; s is the noise level (Buades, Coll, Morel 2005,
// doi:10.1137/040616024; the part of d2 that is noise alone is taken off as in their 2011 form,
// doi:10.5201/ipol.2011.bcm_nlm). Either h or factor is 0.
#pragma once

#include "base/portable.hpp"

#if !defined(__CUDACC__)
#include <cstring>
#endif

namespace pyrad::nlm {

// Half width of patch or search window along z, y, x.
struct Radius {
    i64 z, y, x;
};

#if defined(__CUDACC__)

PYRAD_HD float exp_negative(float t) { return expf(-t); }
PYRAD_HD double exp_negative(double t) { return exp(-t); }

#else

// 2^y = 2^k 2^f with k = round(y): adding 1.5 * 2^mantissa_bits leaves k in the low bits, which
// are then moved into the exponent. A plain expression, so that loops of it are vectorised.
template <class T, class Bits>
inline T scale_by_power(T y_plus_magic, T fraction_power, int shift) {
    Bits k, bits;
    std::memcpy(&k, &y_plus_magic, sizeof k);
    std::memcpy(&bits, &fraction_power, sizeof bits);
    bits += k << shift;
    T result;
    std::memcpy(&result, &bits, sizeof result);
    return result;
}

// exp(-t) for 0 <= t <= 87, to 2e-7 relative; any number beyond.
inline float exp_negative(float t) {
    constexpr float magic = 12582912.0f; // 1.5 * 2^23
    const float y = t * -1.44269504f;
    const float shifted = y + magic;
    const float f = y - (shifted - magic);
    // minimax polynomial of 2^f on [-1/2, 1/2], relative error 7.5e-8
    const float power =
        1.00000007165f +
        f * (0.69314696706f +
             f * (0.24022119724f +
                  f * (0.05550713273f + f * (0.00967554133f + f * 0.00132764720f))));
    return scale_by_power<float, u32>(shifted, power, 23);
}

// exp(-t) for 0 <= t <= 708, to 1e-15 relative; any number beyond.
inline double exp_negative(double t) {
    constexpr double magic = 6755399441055744.0; // 1.5 * 2^52
    const double y = t * -1.4426950408889634;
    const double shifted = y + magic;
    const double g = (y - (shifted - magic)) * 0.69314718055994531;
    // Taylor series of exp(g), |g| <= ln(2) / 2: the next term is below 2e-16
    double power = 1.0 / 479001600;
    const double inverse_factorial[] = {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                                        1.0 / 5040,     1.0 / 720,     1.0 / 120,    1.0 / 24,
                                        1.0 / 6,        0.5,           1.0,          1.0};
    for (double c : inverse_factorial)
        power = c + g * power;
    return scale_by_power<double, u64>(shifted, power, 52);
}

#endif

// Where weights end, as in Darbon et al. 2008: many tiny weights of unlike patches add up to a
// blur.
constexpr double cutoff = 5;

template <class T> PYRAD_HD T cut_exponential(T t) {
    return t <= T(cutoff) ? exp_negative(t) : T(0);
}

template <class T> struct Strength {
    T scale, offset;                           // 1 / (patch size * h2) and 2 s2 / h2, for one s
    T inverse_size, h_squared, factor_squared; // for a noise level per voxel
};

template <class T>
PYRAD_HD Strength<T> strength(double patch_size, double sigma, double h, double factor) {
    const double s2 = sigma * sigma, h2 = h * h + factor * factor * s2;
    return {static_cast<T>(1 / (patch_size * h2)), static_cast<T>(2 * s2 / h2),
            static_cast<T>(1 / patch_size), static_cast<T>(h * h), static_cast<T>(factor * factor)};
}

// One noise level for all voxels.
template <class T> PYRAD_HD T weight(T sum_of_squares, const Strength<T> &strength) {
    return cut_exponential(max_of(sum_of_squares * strength.scale - strength.offset, T(0)));
}

// A noise level per voxel, given as variances.
template <class T>
PYRAD_HD T weight(T sum_of_squares, const Strength<T> &strength, T variance_i, T variance_j) {
    constexpr T tiny = T(1e-30); // where h2 is 0 only equal patches count
    const T s2 = T(0.5) * (variance_i + variance_j);
    const T excess = max_of(sum_of_squares * strength.inverse_size - 2 * s2, T(0));
    return cut_exponential(excess /
                           max_of(strength.h_squared + strength.factor_squared * s2, tiny));
}

// Index into 0..n-1 mirrored about the first and the last one; -n < i < 2 n - 1.
PYRAD_HD i64 mirror(i64 i, i64 n) { return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i; }

} // namespace pyrad::nlm
