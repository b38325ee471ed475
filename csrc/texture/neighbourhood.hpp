// Neighbourhood matrices in one pass: grey tone differences (NGTDM) and dependences (NGLDM).
#pragma once

#include "base/view.hpp"

namespace pyrad {

// levels: packed volume with a margin of `pad` >= max |offset| voxels. offsets: (count, 3), the
// whole neighbourhood. Tables, one set per slice when by_slice (offsets stay in the slice):
//   tones (ng, count + 1, 2): of the voxels of level g with n neighbours inside, their number and
//     the sum of |n g - sum of the neighbours|; integers, so that s_g = sum over n of the second
//     over n does not depend on the order
//   dependences (ng, count + 1): voxels of level g with k neighbours whose level differs by at
//     most alpha
template <class L>
void neighbourhood(View<const L, 3> levels, i64 pad, const i32 *offsets, i64 count, i64 ng,
                   i32 alpha, bool by_slice, u64 *tones, u64 *dependences);

} // namespace pyrad
