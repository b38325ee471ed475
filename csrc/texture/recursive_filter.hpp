// Fourth-order recursive filter along one axis, forwards and backwards, as it approximates a
// Gaussian and its derivatives (Farneback & Westin, J. Math. Imaging Vis. 26 (2006) 293,
// doi:10.1007/s10851-006-8464-z):
//   forward_k  = sum_j n_j x_{k-j}   - sum_j d_j forward_{k-j},   n_0 .. n_3, d_1 .. d_4
//   backward_k = sum_j m_j x_{k+j}   - sum_j d_j backward_{k+j},  m_1 .. m_4
//   out = forward + backward, for an image that goes on with its first and last value.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// Arrays are (outer, n, inner), the middle axis is filtered; sums in double precision.
// coefficients (12): n_0 .. n_3, m_1 .. m_4, d_1 .. d_4.
template <class T>
void recursive_filter(View<const T, 3> x, const double *coefficients, View<float, 3> out);

} // namespace pyrad
