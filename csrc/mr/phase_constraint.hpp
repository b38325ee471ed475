// Images forced onto a known phase.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// images[i] = Re(images[i] conj(phases[i])) phases[i], or |images[i]| phases[i] with `magnitude`;
// phases of modulus 1.
template <class T> void constrain_phase(const T *phases, bool magnitude, i64 count, T *images);

} // namespace pyrad
