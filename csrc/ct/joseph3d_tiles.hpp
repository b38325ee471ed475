// Inner loops of joseph3d_columns*.cpp and joseph3d_rays.cpp that have a faster form for AVX-512,
// in single precision.
//
// In joseph3d_columns all rows of a detector column cross a plane of the volume on one line along
// z; row r does so at the position base + r * step of the line (0: one sample before the first),
// step > 0.
#pragma once

#include "base/portable.hpp"

namespace pyrad::joseph {

constexpr i64 row_group = 16;  // rows are taken in groups of this many
constexpr i64 z_margin = 48;   // zeros before position 1 and behind the last one of a blended line
constexpr i64 row_margin = 80; // zeros before the first and behind the last row in the adjoint

// A column's rows at several planes in turn.
struct PlaneRun {
    i64 count;                // planes
    const float *base, *step; // per plane
};

// sums[r] += sum over planes of line (line k begins at lines + k * stride, its position 0)
// interpolated at base[k] + r * step[k], for rows [first, last), multiples of row_group. False
// where the processor or the spacing of the rows forbids it.
bool sum_rows_permuting(const float *lines, i64 stride, i64 length, const PlaneRun &planes,
                        i64 first, i64 last, float *sums);

// The adjoint of one plane: rows[r], r in [0, count), spread to the line at base + r * step, times
// the two shares, into line_near and line_far (their position 1; null: not wanted). False as above.
bool spread_rows_permuting(const float *rows, i64 count, float base, float step, i64 length,
                           float near, float far, float *line_near, float *line_far);

// Rays of neighbouring rows: at plane k they cross at the line a + k * a_slope and the sample
// b + k * b_slope (0: one before the first), both monotonic in the row.
struct RayLanes {
    const float *a, *a_slope, *b, *b_slope;
};

// sums[l] += sum over planes [begin, end) interpolated where lane l crosses; `count`, a multiple of
// 16, lanes. `data` is position 0 of line 0 of plane 0. False as above.
bool sum_rays_permuting(const float *data, i64 plane_stride, i64 line_stride, i64 lines, i64 length,
                        i64 begin, i64 end, const RayLanes &rays, i64 count, float *sums);

} // namespace pyrad::joseph
