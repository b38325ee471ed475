// Gibbs unringing by local subvoxel shifts (Kellner, Dhital, Kiselev, Reisert, Magn. Reson. Med.
// 76, 1574, 2016, doi:10.1002/mrm.26054).
//
// A periodic line x of N samples is moved by s = j / (2 K) samples, j = -K .. K,
//
//     x_s[l] = 1/N sum_k X[k] exp(2 pi i k (l + s) / N),   |k| < N/2,   x_0 = x,
//
// (the Nyquist frequency of even N has no shifted version). With D_s[l] = |x_s[l] - x_s[l - 1]|,
// real and imaginary parts added for complex lines, sample l takes the shift that ripples least on
// one side of it, the first of several equal ones in the order 0, 1, -1, 2, -2, ...:
//
//     V_s[l] = min(sum_t D_s[l - t], sum_t D_s[l + 1 + t]),   t = near .. far,
//
// and the shifted line is interpolated linearly back to the sample:
//
//     y[l] = (1 - |s|) x_s[l] + |s| x_s[l - sign(s)].
//
// Variations that are nearly equal often belong to shifts far apart, so that rounding in single
// precision would show in the result: lines are double throughout.
#pragma once

#include "base/portable.hpp"

namespace pyrad::gibbs {

struct Search {
    int shifts;    // K, to either side
    int near, far; // window of the total variation
    bool joint;    // complex lines
};

// Range of a line that repeats itself.
PYRAD_HD i64 wrapped(i64 i, i64 length) {
    const i64 rest = i % length;
    return rest < 0 ? rest + length : rest;
}

} // namespace pyrad::gibbs
