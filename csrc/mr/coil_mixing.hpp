// Linear algebra across coils, pixel by pixel: mixing, combination, phase.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// out[v][o][a][i] = sum_c matrices[v][c][a] data[c][o][a][i]: whitening and coil compression, with
// one matrix per position `a` along one axis (axis = 1: the same matrix everywhere). Complex.
struct MixShape {
    i64 outputs, coils, outer, axis, inner;
};
template <class T> void mix_coils(const T *matrices, const T *data, const MixShape &shape, T *out);

// out[p] = sum_c conj(maps[c][p]) images[c][p] / sum_c |maps[c][p]|^2, 0 where the maps are 0.
template <class T>
void combine_maps_of(const T *images, const T *maps, i64 coils, i64 pixels, T *out);

// out[p] = sqrt(sum_c |images[c][p]|^2), real.
template <class T> void combine_squares(const T *images, i64 coils, i64 pixels, T *out);

// maps[.][p] to unit norm (0 stays) and combined[p] = sum_c conj(maps[c][p]) images[c][p].
template <class T>
void normalize_maps(const T *images, i64 coils, i64 pixels, T *maps, T *combined);

// maps[.][p] times the phase that makes <reference, map> real and positive; combined[p] times its
// conjugate, so that maps x combined stays.
template <class T> void turn_maps(const T *reference, i64 coils, i64 pixels, T *maps, T *combined);

} // namespace pyrad
