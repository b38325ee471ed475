// Grey levels of a region, packed for the texture kernels: 0 outside the mask and in a margin of
// `pad` voxels on every side, so that no kernel tests bounds.
#pragma once

#include "base/view.hpp"
#include "texture/discretise_math.hpp"

namespace pyrad {

// out has the shape of values plus 2 * pad in every axis. L is u8 (up to 255 levels) or u16.
template <class T, class L>
void discretise_uniform(View<const T, 3> values, View<const u8, 3> mask, const UniformBins &bins,
                        i64 pad, View<L, 3> out);

template <class T, class L>
void discretise_steps(View<const T, 3> values, View<const u8, 3> mask, const StepBins &bins,
                      i64 pad, View<L, 3> out);

template <class T, class L>
void discretise_edges(View<const T, 3> values, View<const u8, 3> mask, const double *edges,
                      i32 edge_count, i64 pad, View<L, 3> out);

// out[g] = voxels of level g, for g = 0 .. levels (u8 or u16 levels, any shape).
template <class L> void level_histogram(const L *levels, i64 size, i64 *out, i64 bins);

} // namespace pyrad
