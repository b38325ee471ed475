// AVX2 forms of the loops of joseph3d_tiles.hpp; joseph3d_x86.cpp calls them where there are no
// wider registers. False where the spacing of the rows forbids it.
#pragma once

#include "ct/joseph3d_tiles.hpp"

namespace pyrad::joseph::avx2 {

bool sum_rows(const float *lines, i64 stride, i64 length, const PlaneRun &planes, i64 first,
              i64 last, float *sums);

bool spread_rows(const float *rows, i64 count, float base, float step, i64 length, float near,
                 float far, float *line_near, float *line_far);

} // namespace pyrad::joseph::avx2
