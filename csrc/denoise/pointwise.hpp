// A user's scalar function over an array: out[i] = f(x[i], step), on all threads.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

using PointwiseFunction = double (*)(double value, double step); // must not need Python

template <class T>
void apply_pointwise(PointwiseFunction f, const T *x, i64 n, double step, T *out);

} // namespace pyrad
