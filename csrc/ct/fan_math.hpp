// Where a pixel falls on a fan-beam detector, and with which weight; for CPU and GPU alike.
#pragma once

#include "base/elementary_math.hpp"

namespace pyrad {

using elementary::square_root;

// sum over odd n from N to Last of (-1)^((n - 1) / 2) s^(n - N) / n, unrolled by the compiler.
template <class T, int N, int Last> PYRAD_HD T arc_series(T s2) {
    const T term = (N % 4 == 1 ? T(1) : T(-1)) / T(N);
    if constexpr (N < Last)
        return term + s2 * arc_series<T, N + 2, Last>(s2);
    else
        return term;
}

// atan(t) for any t to the type's rounding: the series after two halvings of the angle,
// tan(a / 2) = t / (1 + sqrt(1 + t^2)). Branch-free, so that loops over pixels vectorise.
template <class T> PYRAD_HD T arc_tangent(T t) {
    const T half = t / (T(1) + square_root(T(1) + t * t));
    const T s = half / (T(1) + square_root(T(1) + half * half)); // |s| <= tan(pi / 8)
    return T(4) * s * arc_series<T, 1, sizeof(T) == 4 ? 17 : 43>(s * s);
}

template <class T> struct FanSample {
    T column, weight;
};

template <class T, bool Curved>
PYRAD_HD FanSample<T> fan_sample(T across, T along, T centre, T magnify, T source_origin) {
    const T inverse = T(1) / along, tangent = across * inverse;
    if (Curved) {
        const T distance2 = across * across + along * along;
        return {centre + magnify * arc_tangent(tangent), source_origin * source_origin / distance2};
    }
    const T ratio = source_origin * inverse;
    return {centre + magnify * tangent, ratio * ratio};
}

} // namespace pyrad
