// Update steps of iterative solvers on flat arrays, each in one pass. `low` is a lower bound, -inf
// for none.
#pragma once

#include "base/portable.hpp"

namespace pyrad::steps {

// x = max(x + step scale update, low), element by element.
template <class T>
void scaled_step(double step, const T *scale, const T *update, double low, T *x, i64 n);

// Nesterov's 2005 momentum with a diagonal metric, as Kim, Ramani and Fessler use it (IEEE Trans.
// Med. Imaging 34, 2015, doi:10.1109/TMI.2014.2350962):
//     sum += weight gradient,  x = max(z - scale gradient, low),
//     v = max(start - scale sum, low),  z = x + mix (v - x).
// The metric's inverse is factor * scale.
template <class T>
void momentum_step(const T *gradient, const T *scale, double factor, double weight, double mix,
                   double low, const T *start, T *sum, T *z, T *x, i64 n);

} // namespace pyrad::steps
