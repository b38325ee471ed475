// Coil maps: dominant eigenvectors of one Hermitian coils x coils matrix per pixel.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// matrices[pair][pixel] complex: the lower triangle, pair = i (i + 1) / 2 + j for j <= i.
// vectors[m][coil][pixel] of unit norm, values[m][pixel], m < maps: by size of the eigenvalue.
// <reference, vector> is real and positive; at most `iterations` steps of the power iteration.
template <class T>
void coil_eigenvectors(const T *matrices, i64 coils, i64 pixels, i64 maps, i64 iterations,
                       const T *reference, T *vectors, T *values);

// Matrices given by their Fourier series: H[pair](y, x) = sum_l waves[y][l] lags[pair][l][x].
// vectors[m][coil][plane][y][x], values[m][plane][y][x]: plane `plane` of `planes` is written;
// maps are 0 where their eigenvalue is below `crop`, and there values may be an upper bound.
struct SeriesShape {
    i64 coils, maps, lags, rows, columns, planes, plane, iterations;
};
template <class T>
void espirit_maps(const T *lags, const T *waves, const T *reference, double crop,
                  const SeriesShape &shape, T *vectors, T *values);

} // namespace pyrad
