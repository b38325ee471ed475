// Row filter of cone-beam projections that weights before it and writes transposed.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// For every view v, row r and column c, with `before` columns of zeros put in front:
//   out[v, 1 + c, row_pad + r] = scale[v] * convolution along c of
//                                x[v, r, c] * cosine[v or 0, r, c] * rays[v or 0, c].
// out is (views, widened columns + 2, stride) as backproject_cone.hpp describes; everything else
// of it is set to zero. response as in ramp_filter.hpp, for the widened rows.
template <class T>
void filter_transposed(View<const T, 3> x, View<const T, 3> cosine, View<const T, 2> rays,
                       View<const T, 1> response, View<const T, 1> scale, i64 before,
                       View<T, 3> out);

} // namespace pyrad
