// Moves values between non-uniform samples and an oversampled periodic grid, all coils at once.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

using Shape3 = std::array<i64, 3>;

// Samples of a tile are taken in chunks of this many, sorted by cell within a chunk.
constexpr i64 chunk_samples = 2048;

// Where the samples lie on the grid, in tile order (see plan_gridding): tile, chunk of the tile,
// then plane, pair of columns, line and column of the first cell. Weights are polynomials of
// `offset` (gridding_math.hpp), evaluated where they are needed: that is faster than reading them.
template <class T> struct GridPlan {
    int dims;  // 1, 2 or 3: axes 3 - dims .. 2 of the grid are in use
    int width; // cells per axis that a sample touches
    int degree;
    i64 samples;
    const T *coefficients; // [degree + 1][width], highest power first
    const i32 *start;      // [samples][dims], first cell per axis
    const T *offset;       // [samples][dims], argument of the polynomials
    const i32 *order;      // [samples], position in the caller's order
    const i64 *bins;       // [tiles[0] * tiles[1] * tiles[2] + 1], first sample of each tile
    Shape3 tiles;
};

// Arrays of a plan that plan_gridding fills.
template <class T> struct PlanArrays {
    i32 *start;
    T *offset;
    i32 *order;
    i64 *bins;
};

// Sorts samples; K is float or double. `ratio` = cells / pixels.
template <class T, class K>
void plan_gridding(const K *coordinates, i64 samples, int dims, const double *ratio,
                   const Shape3 &cells, const Shape3 &tiles, int width, const PlanArrays<T> &plan);

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
