// Gabor filters in planes, as sums of products of two complex lines:
//
//   z(a, b) = sum_r sum_jk f_r[j] s_r[k] x(a + reach - j, b + reach - k)
//
// One product where the envelope is round or its axes are the plane's, a few for other angles
// (D. Gabor 1946, doi:10.1049/ji-3-2.1946.0074; IBSI 2 reference manual, section 3.4).
#pragma once

#include "base/view.hpp"
#include "filters/boundary_math.hpp"
#include "filters/gabor_math.hpp"

namespace pyrad {

// x (outer, a, mid, b, inner); the planes are those of a and b. taps (rank, 4, count): real and
// imaginary part of f, then of s; count = 2 reach + 1. out (outer, a', mid, b', inner) begins at
// (first_a, first_b) of x; what stands beyond the image is by `boundary`.
template <class T>
void gabor_planes(View<const T, 5> x, View<const T, 3> taps, Boundary boundary, i64 first_a,
                  i64 first_b, GaborPart part, View<T, 5> out);

} // namespace pyrad
