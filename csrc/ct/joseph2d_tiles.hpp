// Inner loops of joseph2d.cpp that have a faster form for AVX-512, in single precision.
//
// Positions along a line of the image are counted so that 0 lies one sample before the line and
// 1 .. length are its samples; `line_margin` zeros lie on both sides.
#pragma once

#include "base/portable.hpp"

namespace pyrad::joseph {

constexpr i64 ray_tile = 32;    // rays that advance together in the projection
constexpr i64 line_margin = 40; // zeros before position 0 and behind position length + 1
constexpr i64 pixel_tile = 64, line_tile = 16; // tile of the image in the adjoint

// sums[l] = sum over lines k in [begin, end) of the line interpolated at start[l] + k * slope[l].
// Same bits as the portable loop but for positions close to 0, whose distance from the window's
// start is rounded; false where the processor or the spacing of the rays forbids it.
bool sum_lines_permuting(const float *lines, i64 stride, i64 begin, i64 end, i64 length,
                         const float *start, const float *slope, float *sums);

// Views of a parallel scan whose rays advance along the same axis. start and given (weight times
// projection) point to column 0 of view 0 and have line_margin spare elements before and behind
// every row, given zero there.
struct ParallelViews {
    i64 views, columns, stride;
    const float *start, *given;
    const float *slope;            // per view
    const double *first, *inverse; // start of column 0, columns per sample
};

// Whether add_views_permuting can take these views.
bool can_permute(const ParallelViews &views);

// Adds the views to a tile (line_tile x pixel_tile, dense) whose first sample is (line, pixel).
void add_views_permuting(const ParallelViews &views, i64 line, i64 pixel, float *tile);

} // namespace pyrad::joseph
