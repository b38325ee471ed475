// Spectra of subspace coefficients, mixed by one Hermitian matrix per location of k-space.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// grids[k][cell][lanes] <- sum_l matrix(cell)[k][l] grids[l][cell][lanes], complex, in place, for
// `rank` coefficients. matrices[cell][pair] complex: the lower triangle, pair = k (k + 1) / 2 + l
// for l <= k.
template <class T> void mix_spectra(const T *matrices, i64 rank, i64 cells, i64 lanes, T *grids);

} // namespace pyrad
