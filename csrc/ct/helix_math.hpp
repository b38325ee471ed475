// Weights of helical backprojection; for CPU and GPU alike.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// How much a sample at `row` counts against those of the same parallel ray half a turn earlier or
// later: 1 in the middle of the detector, 0 at its edge, smooth over the outer part of either half.
// middle = (rows - 1) / 2, per_row = 1 / (rows / 2 * outer part).
template <class T> PYRAD_HD T pi_weight(T row, T middle, T edge, T per_row) {
    const T away = row > middle ? row - middle : middle - row;
    const T s = clamp((edge - away) * per_row, T(0), T(1));
    return s * s * (T(3) - T(2) * s);
}

} // namespace pyrad
