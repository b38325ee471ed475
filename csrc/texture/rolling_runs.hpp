// Run length features of the windows along rows of centres (feature maps).
#pragma once

#include "texture/local_matrices.hpp"

namespace pyrad {

// As local_glrlm, not merged, of up to most_rolling_levels levels (rolling_sizes.hpp).
template <class L>
void rolling_runs(View<const L, 3> levels, const i64 *centres, i64 count,
                  const RunDirections &directions, i64 ng, double *out);

} // namespace pyrad
