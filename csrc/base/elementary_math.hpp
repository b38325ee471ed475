// Square root by type; log and exp as plain expressions, the same on CPU and GPU, so that loops of
// them are vectorised and both draw the same random numbers.
//
// log x = k log 2 + 2 artanh((m - 1) / (m + 1)) with x = 2^k m, m in [sqrt 1/2, sqrt 2);
// exp x = 2^k exp(x - k log 2), |x - k log 2| <= log(2) / 2; both by their power series.
#pragma once

#include "base/portable.hpp"

#if !defined(__CUDACC__)
#include <cstring>
#endif

namespace pyrad::elementary {

#if defined(__CUDACC__)
PYRAD_HD i32 bits_of(float x) { return __float_as_int(x); }
PYRAD_HD i64 bits_of(double x) { return __double_as_longlong(x); }
PYRAD_HD float from_bits(i32 x) { return __int_as_float(x); }
PYRAD_HD double from_bits(i64 x) { return __longlong_as_double(x); }
#else
template <class To, class From> inline To same_bits(From from) {
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}
inline i32 bits_of(float x) { return same_bits<i32>(x); }
inline i64 bits_of(double x) { return same_bits<i64>(x); }
inline float from_bits(i32 x) { return same_bits<float>(x); }
inline double from_bits(i64 x) { return same_bits<double>(x); }
#endif

PYRAD_HD float square_root(float x) { return sqrtf(x); }
PYRAD_HD double square_root(double x) { return sqrt(x); }

// Natural logarithm of a normal positive number, to 2 ulp.
PYRAD_HD float log_of(float x) {
    const i32 bits = bits_of(x);
    const i32 k = (bits - 0x3f3504f3) >> 23; // 0x3f3504f3: sqrt(1/2)
    const float m = from_bits(bits - k * (1 << 23));
    const float s = (m - 1.0f) / (m + 1.0f), z = s * s;
    const float series =
        s * z * (2.0f / 3 + z * (2.0f / 5 + z * (2.0f / 7 + z * (2.0f / 9 + z * (2.0f / 11)))));
    const float power = static_cast<float>(k);
    return power * 0.693145751953125f + (2.0f * s + (series + power * 1.42860677e-06f));
}

PYRAD_HD double log_of(double x) {
    const i64 bits = bits_of(x);
    const i64 k = (bits - 0x3fe6a09e667f3bcdll) >> 52;
    const double m = from_bits(bits - k * (1ll << 52));
    const double s = (m - 1.0) / (m + 1.0), z = s * s;
    double series = 2.0 / 21;
    series = 2.0 / 19 + z * series;
    series = 2.0 / 17 + z * series;
    series = 2.0 / 15 + z * series;
    series = 2.0 / 13 + z * series;
    series = 2.0 / 11 + z * series;
    series = 2.0 / 9 + z * series;
    series = 2.0 / 7 + z * series;
    series = 2.0 / 5 + z * series;
    series = 2.0 / 3 + z * series;
    const double power = static_cast<double>(k);
    return power * 6.93147180369123816490e-01 +
           (2.0 * s + (s * z * series + power * 1.90821492927058770002e-10));
}

// exp(x) for |x| <= 708; beyond as at the end of that range.
PYRAD_HD double exp_of(double x) {
    constexpr double magic = 6755399441055744.0; // 1.5 * 2^52: adding it rounds to an integer
    x = clamp(x, -708.0, 708.0);
    const double shifted = x * 1.44269504088896340736 + magic;
    const double k = shifted - magic;
    const double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    double series = 1.0 / 6227020800.0;
    series = 1.0 / 479001600.0 + r * series;
    series = 1.0 / 39916800.0 + r * series;
    series = 1.0 / 3628800.0 + r * series;
    series = 1.0 / 362880.0 + r * series;
    series = 1.0 / 40320.0 + r * series;
    series = 1.0 / 5040.0 + r * series;
    series = 1.0 / 720.0 + r * series;
    series = 1.0 / 120.0 + r * series;
    series = 1.0 / 24.0 + r * series;
    series = 1.0 / 6.0 + r * series;
    series = 0.5 + r * series;
    const double power = 1.0 + (r + r * r * series);
    return power * from_bits((bits_of(shifted) - bits_of(magic) + 1023) * (1ll << 52));
}

} // namespace pyrad::elementary
