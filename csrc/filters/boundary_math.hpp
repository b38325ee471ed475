// What filters read beyond the ends of an axis (IBSI 2, section 2.3: padding). CPU and CUDA.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

enum class Boundary { zero, nearest, periodic, mirror }; // numbered as in filters/_image.py

// Index in [0, n) that stands for i, or -1 for a zero. Mirrors lie on the outer faces.
PYRAD_HD i64 index_within(i64 i, i64 n, Boundary boundary) {
    if (i >= 0 && i < n)
        return i;
    if (boundary == Boundary::zero)
        return -1;
    if (boundary == Boundary::nearest)
        return i < 0 ? 0 : n - 1;
    const i64 period = boundary == Boundary::periodic ? n : 2 * n;
    i64 r = i % period;
    if (r < 0)
        r += period;
    return r < n ? r : period - 1 - r;
}

} // namespace pyrad
