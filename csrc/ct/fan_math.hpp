// Where a pixel falls on a fan-beam detector, and with which weight; for CPU and GPU alike.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// atan(t) to 2e-7 for any t: Taylor series after two halvings of the angle,
// tan(a/2) = t / (1 + sqrt(1 + t^2)). Branch-free, so that loops over pixels vectorise.
template <class T> PYRAD_HD T arc_tangent(T t) {
    const T half = t / (T(1) + sqrt(T(1) + t * t));
    const T s = half / (T(1) + sqrt(T(1) + half * half));
    const T s2 = s * s;
    // |s| <= tan(pi/8); the series is cut where its next term is below the type's rounding.
    T sum = T(0);
    const int last = sizeof(T) == 4 ? 19 : 43;
    for (int n = last; n >= 1; n -= 2)
        sum = ((n & 2) ? T(-1) : T(1)) / T(n) + s2 * sum;
    return T(4) * s * sum;
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
