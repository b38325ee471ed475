// An image with what its boundary puts beyond the faces: the rows of the result are rows of the
// image (a table says which, -1 for zeros), each continued at both ends.
#pragma once

#include "base/view.hpp"
#include "filters/boundary_math.hpp"

namespace pyrad {

// out[r][k] = x[source[r]][k - before].
template <class T>
void pad_rows(View<const T, 2> x, const i64 *source, i64 before, Boundary boundary, View<T, 2> out);

} // namespace pyrad
