// Run length features of the windows along rows of centres (feature maps).
#pragma once

#include "texture/local_matrices.hpp"

namespace pyrad {

// Levels up to which a window's table is cheap to read.
constexpr i64 most_rolling_levels = 256;

// As local_glrlm, not merged, of up to most_rolling_levels levels.
template <class L>
void rolling_runs(View<const L, 3> levels, const i64 *centres, i64 count,
                  const RunDirections &directions, i64 ng, double *out);

} // namespace pyrad
