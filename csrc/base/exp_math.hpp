// exp(-t) as a plain expression, so that loops of it are vectorised; CUDA has its own.
#pragma once

#include "base/portable.hpp"

#if !defined(__CUDACC__)
#include <cstring>
#endif

namespace pyrad {

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

} // namespace pyrad
