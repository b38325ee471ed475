// Second-order total generalised variation (Bredies, Kunisch, Pock 2010, doi:10.1137/090769521) by
// the over-relaxed primal-dual method (Condat 2013, doi:10.1007/s10957-012-0245-9); formulas in
// tgv_math.hpp.
#pragma once

#include "denoise/tgv_math.hpp"
#include "denoise/tv.hpp"

#include <array>

namespace pyrad::tgv {

// Arrays: f and image (channels, nz, ny, nx); vector (w) and dual (p) (channels, dims, nz, ny, nx),
// slowest axis first; tensor (q) (channels, dims (dims + 1) / 2, nz, ny, nx), upper triangle row by
// row. What tgv_math.hpp calls not existing is zero.
template <class T> struct State {
    T *image, *vector, *dual, *tensor;
};

// `count` iterations; steps in the order of Steps.
template <class T>
void pdhg(const T *f, const tv::Grid &grid, const std::array<double, 7> &steps, i64 count,
          const State<T> &state);

// out = factor E^T tensor, a vector field.
template <class T> void back(const T *tensor, const tv::Grid &grid, double factor, T *out);

// The seven terms of objective_voxel over all voxels, in double precision; v is a vector field.
template <class T>
std::array<double, terms> objectives(const T *f, const State<const T> &state, const T *v,
                                     const tv::Grid &grid);

} // namespace pyrad::tgv
