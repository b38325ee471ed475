// Convolution along one axis: out[i] = sum_j taps[j] x[i + centre - j].
#pragma once

#include "base/view.hpp"
#include "filters/boundary_math.hpp"

namespace pyrad {

// x and out: (outer, n, inner). centre: the tap that meets the sample itself.
template <class T>
void convolve_axis(View<const T, 3> x, const T *taps, i64 count, i64 centre, Boundary boundary,
                   View<T, 3> out);

} // namespace pyrad
