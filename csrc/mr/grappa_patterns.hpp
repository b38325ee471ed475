// Which missing samples of k-space see the same neighbours.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

// mask[z][y][x] != 0: measured. A missing sample's pattern are the measured cells of its window of
// kernel[d] cells, of which kernel[d] / 2 lie before it; cells outside the array are not measured.
// `cells` gets the flat indices of the missing samples, those of one pattern side by side in
// ascending order, patterns ordered as binary numbers; starts[p] is where pattern p begins and
// starts[count] = number of missing samples. Returns the count of patterns.
i64 grappa_patterns(const u8 *mask, const std::array<i64, 3> &size,
                    const std::array<i64, 3> &kernel, i64 *cells, i64 *starts);

} // namespace pyrad
