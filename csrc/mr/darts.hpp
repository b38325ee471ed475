// Dart throwing for Poisson-disc sampling masks.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// Visits `count` pixels of mask[ny][nx] in the given order; a pixel that is 0 becomes 1 unless a
// pixel taken before lies at a squared distance below that one's limit. Pixels that are 1 on entry
// stay and keep nobody away. Limits are whole numbers, one per pixel, at least 0. Returns how many
// pixels are 1 in the end.
i64 throw_darts(const i64 *order, i64 count, const i64 *limits, i64 ny, i64 nx, u8 *mask);

} // namespace pyrad
