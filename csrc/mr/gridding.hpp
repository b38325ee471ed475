// Moves values between non-uniform samples and an oversampled periodic grid, all coils at once.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

using Shape3 = std::array<i64, 3>;

// Where the samples lie on the grid, in tile order (see plan_gridding).
template <class T> struct GridPlan {
    int dims;  // 1, 2 or 3: axes 3 - dims .. 2 of the grid are in use
    int width; // cells per axis that a sample touches
    i64 samples;
    const i32 *start; // [samples][dims], first cell per axis
    const T *weights; // [samples][dims][width]
    const i32 *order; // [samples], position in the caller's order
    const i64 *bins;  // [tiles[0] * tiles[1] * tiles[2] + 1], first sample of each tile
    Shape3 tiles;
};

// Sorts samples by tile (stable) and evaluates their kernel weights. `ratio` = cells / pixels.
template <class T>
void plan_gridding(const double *coordinates, i64 samples, int dims, const double *ratio,
                   const Shape3 &cells, const Shape3 &tiles, const T *coefficients, int degree,
                   int width, i32 *start, T *weights, i32 *order, i64 *bins);

// samples[c][order[s]] = sum over the footprint of weight * grid[cell][c].
template <class T>
void interpolate(const T *grid, const Shape3 &cells, i64 lanes, const GridPlan<T> &plan, i64 coils,
                 T *samples);

// Exact adjoint: grid[cell][c] = sum over samples of weight * samples[c][order[s]].
template <class T>
void spread(const T *samples, i64 coils, const GridPlan<T> &plan, const Shape3 &cells, i64 lanes,
            T *grid);

// The same on samples kept in tile order and coil-interleaved, [samples][lanes]; spread multiplies
// each sample by density[s] unless density is null.
template <class T>
void interpolate_sorted(const T *grid, const Shape3 &cells, i64 lanes, const GridPlan<T> &plan,
                        T *samples);
template <class T>
void spread_sorted(const T *samples, const T *density, const GridPlan<T> &plan, const Shape3 &cells,
                   i64 lanes, T *grid);

} // namespace pyrad
