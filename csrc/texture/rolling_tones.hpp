// Tone difference features of the windows along rows of centres (feature maps).
#pragma once

#include "texture/local_matrices.hpp"

namespace pyrad {

// Whether the sums of such windows fit into integers.
bool tones_roll(const LocalSteps &steps, i64 ng);

// As local_ngtdm, where tones_roll.
template <class L>
void rolling_tones(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &steps,
                   i64 ng, bool alone, double *out);

} // namespace pyrad
