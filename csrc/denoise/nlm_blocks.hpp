// Blockwise non-local means; formulas in nlm_blocks_math.hpp.
#pragma once

#include "denoise/nlm_blocks_math.hpp"

namespace pyrad::nlm {

// Rows of `image` and `values` may be read this far beyond the mirrored voxels.
constexpr i64 block_lanes = 16;

// Estimates [gz][gy][gx][patch] of one volume. Same bits for any number of threads.
template <class T> void block_estimates(const Blocks<T> &blocks, T *out);

} // namespace pyrad::nlm
