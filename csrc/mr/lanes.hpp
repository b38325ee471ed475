// A pack of reals held in vector registers: the values of all coils at one grid cell.
//
// Grids of this folder are coil-interleaved, [..., lanes] complex, so that one weight serves every
// coil and all arithmetic runs across coils. Reals = 2 * lanes (re, im, re, im, ...).
#pragma once

#include "base/error.hpp"

#include <cstring>
#include <type_traits>

namespace pyrad {

#define PYRAD_INLINE inline __attribute__((always_inline))
#define PYRAD_LAMBDA __attribute__((always_inline))

// Vector of `reals` values, reals a power of two, at most 64 bytes.
template <class T, int reals> struct VectorOf {
    typedef T type __attribute__((vector_size(reals * sizeof(T))));
};

template <class T, int reals, bool split = (reals * sizeof(T) > 64)> struct Pack {
    using Vector = typename VectorOf<T, reals>::type;
    Vector v;

    static PYRAD_INLINE Pack zero() { return {Vector{}}; }
    static PYRAD_INLINE Pack load(const T *p) {
        Pack x;
        std::memcpy(&x.v, p, sizeof x.v);
        return x;
    }
    PYRAD_INLINE void store(T *p) const { std::memcpy(p, &v, sizeof v); }
    PYRAD_INLINE void add(T weight, const Pack &x) { v += weight * x.v; }
    PYRAD_INLINE Pack scaled(T weight) const { return {weight * v}; }
};

template <class T, int reals> struct Pack<T, reals, true> {
    static constexpr int first = 64 / sizeof(T);
    Pack<T, first> head;
    Pack<T, reals - first> tail;

    static PYRAD_INLINE Pack zero() { return {decltype(head)::zero(), decltype(tail)::zero()}; }
    static PYRAD_INLINE Pack load(const T *p) {
        return {decltype(head)::load(p), decltype(tail)::load(p + first)};
    }
    PYRAD_INLINE void store(T *p) const {
        head.store(p);
        tail.store(p + first);
    }
    PYRAD_INLINE void add(T weight, const Pack &x) {
        head.add(weight, x.head);
        tail.add(weight, x.tail);
    }
    PYRAD_INLINE Pack scaled(T weight) const { return {head.scaled(weight), tail.scaled(weight)}; }
};

// Calls body(std::integral_constant<int, lanes>) for the run-time number of lanes.
template <class T, class Body> void with_lanes(i64 lanes, Body &&body) {
    switch (lanes) {
    case 1:
        return body(std::integral_constant<int, 1>{});
    case 2:
        return body(std::integral_constant<int, 2>{});
    case 4:
        return body(std::integral_constant<int, 4>{});
    case 8:
        return body(std::integral_constant<int, 8>{});
    }
    if constexpr (sizeof(T) == 4) {
        if (lanes == 12)
            return body(std::integral_constant<int, 12>{});
        if (lanes == 16)
            return body(std::integral_constant<int, 16>{});
    }
    fail(ErrorKind::shape, "grid has ", lanes, " coil lanes; supported are 1, 2, 4, 8",
         sizeof(T) == 4 ? ", 12 and 16" : "");
}

} // namespace pyrad
