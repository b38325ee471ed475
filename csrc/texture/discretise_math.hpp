// Grey level of one intensity, shared by CPU and CUDA. Levels count from 1.
//
// Uniform rule (IBSI 4K0Q, FBS; UV2G, FBN; doi:10.1148/radiol.2020191145):
//     level = floor(scale * (x - low) / width) + 1, clamped to [1, levels]
//   FBS: scale = 1, width = bin width; FBN: scale = number of bins, width = max - min.
// Edge rule (numpy.digitize): level = number of edges <= x, for edges in increasing order; edges at
// equal steps (numpy.arange, numpy.linspace) are first + k * step, with that very rounding.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

struct UniformBins {
    double low, width, scale;
    i32 levels;
};

PYRAD_HD i32 uniform_level(double x, const UniformBins &bins) {
    const double position = floor(bins.scale * (x - bins.low) / bins.width);
    const double top = bins.levels - 1;
    return static_cast<i32>(position < 0 ? 0.0 : (position > top ? top : position)) + 1;
}

struct StepBins {
    double first, step, per_step; // per_step = 1 / step
    i32 levels;
};

PYRAD_HD i32 step_level(double x, const StepBins &bins) {
    const double guess = (x - bins.first) * bins.per_step, top = bins.levels - 1;
    double k = floor(guess > 0 ? (guess < top ? guess : top) : 0.0);
    k -= (k > 0) & (x < bins.first + k * bins.step) ? 1.0 : 0.0;
    k += (k < top) & (x >= bins.first + (k + 1) * bins.step) ? 1.0 : 0.0;
    return static_cast<i32>(k) + 1;
}

// `per_step` is about 1 / (distance between edges): it only speeds up the search.
PYRAD_HD i32 edge_level(double x, const double *edges, i32 count, double per_step) {
    const double guess = (x - edges[0]) * per_step;
    i32 at = guess < 0 ? 0 : (guess > count - 1 ? count - 1 : static_cast<i32>(guess));
    while (at > 0 && x < edges[at])
        --at;
    while (at + 1 < count && x >= edges[at + 1])
        ++at;
    return at + 1;
}

} // namespace pyrad
