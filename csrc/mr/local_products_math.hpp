// The box of local_products, shared by CPU and GPU.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// First and last pixel + 1 of the box around `at`; an even window reaches one further back.
PYRAD_HD i64 box_begin(i64 at, i64 window) { return max_of<i64>(at - window / 2, 0); }
PYRAD_HD i64 box_end(i64 at, i64 window, i64 size) {
    return min_of<i64>(at - window / 2 + window, size);
}

} // namespace pyrad
