// Real volumes, periodic, through a filter of transfer_math.hpp: F^-1 (H F x), by transforms of
// real rows (row_pairs.hpp) and of half their spectra across lanes (mr/lane_line.hpp).
#pragma once

#include "base/view.hpp"
#include "filters/transfer.hpp"

namespace pyrad {

// x and out (outer, z, y, x); axes of one sample are left as they are. frequencies: of Transfer.
template <class T>
void spectral_filter(View<const T, 4> x, View<const double, 2> frequencies, TransferShape shape,
                     View<T, 4> out);

} // namespace pyrad
