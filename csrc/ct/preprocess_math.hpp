// Line integrals of detector counts: p = -log(max((counts - dark) * gain * scale, floor)), where
// gain is 1 / (flat - dark), or 0 for a dead pixel, which counts as open beam.
#pragma once

#include "base/elementary_math.hpp"

namespace pyrad {

template <class T> struct Transmission {
    T value;
    int unusable; // 1: not above `low`, NaN or infinite
};

// No branch, so that loops of it are vectorised.
template <class T>
PYRAD_HD Transmission<T> transmission(T counts, T dark, T gain, T scale, T low, T high) {
    const T value = (counts - dark) * gain * scale;
    const int dead = gain == T(0), above = value > low, bounded = value <= high;
    return {dead ? T(1) : value, 1 - ((above | dead) & bounded)};
}

} // namespace pyrad
