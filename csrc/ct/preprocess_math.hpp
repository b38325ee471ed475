// Line integrals of detector counts: p = -log(max((counts - dark) * gain * scale, floor)), where
// gain is 1 / (flat - dark), or 0 for a dead pixel, which counts as open beam.
#pragma once

#include "ct/elementary_math.hpp"

namespace pyrad {

template <class T> struct Transmission {
    T value;
    bool usable; // above `low` and finite
};

template <class T>
PYRAD_HD Transmission<T> transmission(T counts, T dark, T gain, T scale, T low, T high) {
    const T value = (counts - dark) * gain * scale;
    const bool dead = gain == T(0);
    return {dead ? T(1) : value, (value > low && value <= high) || (dead && value == T(0))};
}

} // namespace pyrad
