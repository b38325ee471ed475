// Even and odd samples of a line, taken apart and put together. A sample is `lanes` numbers.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// even[i] = x[2i], odd[i] = x[2i + 1], i in [0, pairs).
template <class T> void split_pairs(const T *x, i64 pairs, i64 lanes, T *even, T *odd);

// x[2i] = even[i], x[2i + 1] = odd[i].
template <class T> void join_pairs(const T *even, const T *odd, i64 pairs, i64 lanes, T *x);

} // namespace pyrad
