// Formulas of the finite-difference kernels that CPU and CUDA share.
//
// D: forward differences over the voxel size along the last `dims` axes of a grid (nz, ny, nx),
// zero at the far edge; its adjoint D^T is minus a divergence. An edge-preserving penalty is
//
//     R(x) = sum_i psi(|Dx|_i)   or   sum_i sum_d psi((Dx)_d,i)     (isotropic or not)
//     psi(t) = delta^2 (sqrt(1 + (t / delta)^2) - 1)                (hyperbola)
//     psi(t) = t^2 / 2 up to delta, delta |t| - delta^2 / 2 beyond  (Huber)
//
// with the gradient D^T flux(Dx), flux(g) = g psi'(|g|) / |g|; psi'' <= 1. With delta -> 0, R over
// delta is total variation. Charbonnier et al. 1997, doi:10.1109/83.551699; Huber 1964,
// doi:10.1214/aoms/1177703732.
#pragma once

#include "base/elementary_math.hpp"
#include "base/portable.hpp"

namespace pyrad::differences {

enum class Potential : int { hyperbola = 0, huber = 1 };

using elementary::square_root;

// psi'(t) / t from t^2.
template <class T> PYRAD_HD T flux_factor(T square, T delta, bool huber) {
    if (huber)
        return delta / max_of(square_root(square), delta);
    return delta / square_root(square + delta * delta);
}

// One voxel's differences turned into its flux, in place.
template <class T> PYRAD_HD void make_flux(T *g, int dims, T delta, bool huber, bool isotropic) {
    T square = 0;
    for (int d = 0; d < dims; ++d) {
        if (isotropic)
            square += g[d] * g[d];
        else
            g[d] *= flux_factor(g[d] * g[d], delta, huber);
    }
    if (isotropic) {
        const T factor = flux_factor(square, delta, huber);
        for (int d = 0; d < dims; ++d)
            g[d] *= factor;
    }
}

// Euclidean projection of one voxel's dual vector onto the ball (or box) of a radius.
template <class T> PYRAD_HD void into_ball(T *q, int dims, T radius, bool isotropic) {
    if (!isotropic) {
        for (int d = 0; d < dims; ++d)
            q[d] = clamp(q[d], -radius, radius);
        return;
    }
    T square = 0;
    for (int d = 0; d < dims; ++d)
        square += q[d] * q[d];
    const T length = square_root(square);
    const T factor = length > radius ? radius / length : T(1);
    for (int d = 0; d < dims; ++d)
        q[d] *= factor;
}

} // namespace pyrad::differences
