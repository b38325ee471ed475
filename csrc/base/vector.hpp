// The vector arithmetic of iterative solvers, on flat arrays; complex arrays come as their reals.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// sum a[i] b[i], products and sums in double precision, same bits for any number of threads.
template <class T> double inner_product(const T *a, const T *b, i64 n);

// out[i] = alpha x[i] + beta out[i], in the precision of T.
template <class T> void axpby(double alpha, const T *x, double beta, T *out, i64 n);

} // namespace pyrad
