#pragma once

#include "base/view.hpp"
#include "ct/sinogram_denoising_math.hpp"

namespace pyrad {

// out = (W + L) p; returns <p, out>.
template <class T>
double pwls_apply(View<const T, 3> p, View<const T, 3> weights, const pwls::Grid<T> &grid,
                  View<T, 3> out);

// x += alpha p, r -= alpha q; returns <r, r / diag(W + L)>.
template <class T>
double pwls_step(double alpha, View<const T, 3> p, View<const T, 3> q, View<const T, 3> weights,
                 const pwls::Grid<T> &grid, View<T, 3> x, View<T, 3> r);

// p = r / diag(W + L) + beta p.
template <class T>
void pwls_direction(double beta, View<const T, 3> r, View<const T, 3> weights,
                    const pwls::Grid<T> &grid, View<T, 3> p);

} // namespace pyrad
