// Singular values of small blocks of an image series, shrunk.
#pragma once

#include "base/portable.hpp"
#include "prox/locally_low_rank_math.hpp"

namespace pyrad {

// out = x with the singular values of every block's (pixels, frames) matrix reduced by
// `threshold`, at least to 0; x and out are interleaved complex [frame][batch][z][y][x]. Returns
// the sum of x's singular values.
template <class T>
double shrink_blocks(const T *x, const SeriesBlocks &blocks, double threshold, T *out);

} // namespace pyrad
