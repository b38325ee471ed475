// Checks of packed grey levels, before kernels index tables with them.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// Fails if a level is above ng.
template <class L> void require_below(View<const L, 3> levels, i64 ng);

// Fails unless the margin is at least `least` wide and holds zeros only: sweeps end there.
template <class L> void require_margin(View<const L, 3> levels, i64 pad, i64 least);

} // namespace pyrad
