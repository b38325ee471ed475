// Filters that are defined by their values in the Fourier domain: components of the Riesz transform
// of a band B of frequencies,
//
//   H(f) = (-i)^L c prod_d f_d^l_d / |f|^L B(scale |f|),   L = sum_d l_d,
//
// f in units of Nyquist's frequency (M. Unser, D. Van De Ville 2010, doi:10.1109/TIP.2009.2038832;
// J. Portilla, E. P. Simoncelli 2000, doi:10.1023/A:1026553619983; IBSI 2 reference manual,
// sections 3.6 and 3.7). A real result takes at sample k the mean of H at f(k) and at -f(-k).
#pragma once

#include "base/elementary_math.hpp"

namespace pyrad {

// Everything; cos(pi / 2 log2(2 v)) for 1/4 <= v <= 1; 1 for 1/2 < v <= 1.
enum class Band { all, simoncelli, shannon };

// cos x for |x| <= pi / 2, by its power series: the next term is below 2e-17.
PYRAD_HD double cosine_to_right_angle(double x) {
    const double square = x * x;
    double series = 1.0 / 2432902008176640000.0;
    series = -1.0 / 6402373705728000.0 + square * series;
    series = 1.0 / 20922789888000.0 + square * series;
    series = -1.0 / 87178291200.0 + square * series;
    series = 1.0 / 479001600.0 + square * series;
    series = -1.0 / 3628800.0 + square * series;
    series = 1.0 / 40320.0 + square * series;
    series = -1.0 / 720.0 + square * series;
    series = 1.0 / 24.0 + square * series;
    return 1.0 + square * (square * series - 0.5);
}

// Plain expressions without branches, so that loops of them are vectorised.
template <Band band, class R> PYRAD_HD R band_value(R v) {
    if constexpr (band == Band::simoncelli) {
        const double inside = clamp(static_cast<double>(v), 0.25, 1.0);
        const double octaves = elementary::log_of(inside) * 1.44269504088896340736;
        const double value = cosine_to_right_angle(1.57079632679489661923 * (octaves + 1.0));
        return (v >= R(0.25)) & (v <= R(1)) ? static_cast<R>(value) : R(0);
    } else if constexpr (band == Band::shannon) {
        return (v > R(0.5)) & (v <= R(1)) ? R(1) : R(0);
    } else {
        return R(1);
    }
}

// |f|, from the squares of its components; their order decides what lies on a band's edge.
template <class R> PYRAD_HD R length_of(R xx, R yy, R zz) {
    return elementary::square_root((xx + yy) + zz);
}

// 1 / |f|, and 1 at the origin, where a positive power of f has made the product zero.
template <class R> PYRAD_HD R inverse_length(R length) {
    return R(1) / (length > R(0) ? length : R(1));
}

// (-i)^total z times a real value.
template <class T> PYRAD_HD Complex<T> times_power_of_minus_i(Complex<T> z, T value, int total) {
    if (total & 2)
        value = -value;
    if (total & 1)
        return {value * z.im, -(value * z.re)};
    return {value * z.re, value * z.im};
}

PYRAD_HD double whole_power(double x, int exponent) {
    double result = 1.0;
    for (int i = 0; i < exponent; ++i)
        result *= x;
    return result;
}

} // namespace pyrad
