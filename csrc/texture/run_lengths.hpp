// Grey level run lengths: how many runs of length r of level g lie along each direction.
#pragma once

#include "base/view.hpp"

namespace pyrad {

// levels: packed volume with a margin of `pad` >= 1 voxels. offsets: (count, 3), components -1, 0
// or 1, the first that is not 0 positive.
//   by_slice = false: out (count, ng, longest)
//   by_slice = true:  out (nz, count, ng, longest); offsets must stay in the slice
// out[..., g - 1, r - 1]; longest >= the longest run.
template <class L>
void run_lengths(View<const L, 3> levels, i64 pad, const i32 *offsets, i64 count, i64 ng,
                 i64 longest, bool by_slice, u64 *out);

} // namespace pyrad
