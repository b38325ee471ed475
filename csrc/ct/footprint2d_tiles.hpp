// Inner loops of footprint2d_parallel.cpp: sixteen tiles of an image, one per lane, against one
// private copy of the detector each.
#pragma once

#include "base/portable.hpp"

namespace pyrad::footprint {

constexpr i64 lanes = 16, tile = 16;
constexpr int most_cells = 6; // that a lane can meet

// How the left end of the footprint, counted from the first cell of the private copy, advances
// within a tile, and the footprint itself: ramps of width `rise` around a plateau `top`.
struct Advance {
    double per_x, per_y, lowest; // at pixel (x, y): x per_x + y per_y - lowest >= 0
    double rise, top;
    int span; // cells that a lane can meet from the whole part of that on: 3 .. most_cells
};

// cells[whole + k][lane] += pixels[y][x][lane] * area of the footprint over cell whole + k.
template <class T> void spread(const Advance &advance, const T *part, const T *pixels, T *cells);

// pixels[y][x][lane] += the transposed sum.
template <class T> void collect(const Advance &advance, const T *part, const T *cells, T *pixels);

// AVX-512 forms, which fuse multiply and add; false where the processor lacks them.
bool spread_wide(const Advance &advance, const float *part, const float *pixels, float *cells);
bool collect_wide(const Advance &advance, const float *part, const float *cells, float *pixels);

} // namespace pyrad::footprint
