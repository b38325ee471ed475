// Count of NaN and Inf values, and the first one's index: the check every public function makes.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

struct NonFinite {
    i64 count; // how many values are NaN or +-Inf
    i64 first; // flat index of the first, -1 if none
};

template <class T> NonFinite count_nonfinite(const T *x, i64 size);

} // namespace pyrad
