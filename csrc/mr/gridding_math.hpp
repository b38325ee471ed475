// Gridding formulas that CPU and GPU share.
//
// A sample at k (cycles per field of view) lies at u = k G / N + G / 2 on the periodic grid of G
// cells: k = 0 in the middle, where footprints do not wrap. Its kernel covers the `width` cells
// from start = ceil(u - width / 2); with x = start - (u - width / 2) in [0, 1) the weight of cell
// start + j is the polynomial p_j(x), fitted to the kernel once per plan (piecewise Horner:
// Barnett, Magland, af Klinteberg, doi:10.1137/18M120885X).
#pragma once

#include "base/portable.hpp"

namespace pyrad {

constexpr int max_grid_width = 16;

// First cell of the kernel's footprint, wrapped into [0, cells), and the argument t = 2 x - 1 of
// the sample at k G / N = `at`.
PYRAD_HD i32 grid_start(double at, int width, i64 cells, double &t) {
    const double left = at + static_cast<double>(cells / 2) - 0.5 * width;
    const double first = ceil(left);
    t = 2 * (first - left) - 1;
    i64 start = static_cast<i64>(first);
    while (start < 0)
        start += cells;
    while (start >= cells)
        start -= cells;
    return static_cast<i32>(start);
}

// p_j(t); coefficients are [degree + 1][width], highest power first.
template <class T>
PYRAD_HD T grid_weight(const T *coefficients, int degree, int width, int j, T t) {
    T p = coefficients[j];
    for (int d = 1; d <= degree; ++d)
        p = p * t + coefficients[d * width + j];
    return p;
}

// Tile that holds a cell when `cells` are cut into `tiles` runs of nearly equal length that begin
// at even cells, and the first cell of a tile.
PYRAD_HD i64 grid_tile(i64 cell, i64 tiles, i64 cells) {
    const i64 pairs = (cells + 1) / 2;
    return cell / 2 * tiles / pairs;
}
PYRAD_HD i64 tile_start(i64 tile, i64 tiles, i64 cells) {
    const i64 pairs = (cells + 1) / 2;
    return min_of((tile * pairs + tiles - 1) / tiles * 2, cells);
}

// Image index n sits at cell (n - size / 2) mod cells; -1 for a cell that holds no pixel.
PYRAD_HD i64 image_index(i64 cell, i64 size, i64 cells) {
    const i64 half = size / 2, rest = size - half;
    if (cell < rest)
        return cell + half;
    return cell >= cells - half ? cell - (cells - half) : -1;
}
PYRAD_HD i64 grid_index(i64 pixel, i64 size, i64 cells) {
    const i64 at = pixel - size / 2;
    return at < 0 ? at + cells : at;
}

} // namespace pyrad
