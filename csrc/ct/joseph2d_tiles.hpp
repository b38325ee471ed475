// Inner loops of joseph2d.cpp that have a faster form for AVX2 and AVX-512, in single precision.
#pragma once

#include "ct/fan_views.hpp"
#include "ct/joseph2d_rays.hpp"

namespace pyrad::joseph {

// sums[l] += sum over lines k in [begin, end) of the line interpolated at start[l] + k * slope[l],
// for ray_tile rays. Positions close to 0 are rounded otherwise than in the portable loop.
using LineKernel = void (*)(const float *lines, i64 stride, i64 begin, i64 end, i64 length,
                            const float *start, const float *slope, float *sums);

// Null where the processor has none or the rays diverge too fast within [begin, end).
LineKernel permuting_line_kernel(i64 begin, i64 end, const float *start, const float *slope);

// Tiles of the adjoint: tile_rows lines x tile_columns samples, dense, the first being (line,
// pixel).
using fan::sample_pad;
using fan::tile_columns;
using fan::tile_rows;

// Views of a parallel scan whose rays advance along the same axis. given (weight times projection)
// points to column 0 of view 0 and has sample_pad zeros before and behind every row.
struct ParallelViews {
    static constexpr i64 spare = 32; // readable elements behind the last view
    i64 views, columns, stride;
    const float *given;
    // per view: position of column 0 at line 0, its advance from line to line, columns per sample
    const double *first, *slope, *inverse;
};

// Adds views [begin, end) to a tile.
using ParallelKernel = void (*)(const ParallelViews &views, i64 begin, i64 end, i64 line, i64 pixel,
                                float *tile);
ParallelKernel permuting_parallel_kernel(const ParallelViews &views, i64 view);

// Views of a fan: all rays of a view in one row, `given` zero where a ray advances along the other
// axis. beam tells the column of the sample x of line y.
struct FanViews {
    fan::Beam beam;
    i64 stride;
    const float *start, *slope, *given; // column 0 of view 0, sample_pad spare elements around
};

using FanKernel = void (*)(const FanViews &views, i64 begin, i64 end, i64 line, i64 pixel,
                           float *tile);
FanKernel permuting_fan_kernel(const FanViews &views, i64 view, i64 line, i64 pixel);

// Whether there are permuting kernels at all.
bool can_permute();

} // namespace pyrad::joseph
