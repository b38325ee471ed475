// Formulas of anisotropic diffusion that the CPU and CUDA kernels share.
//
// Between two neighbours a, b along an axis lies a flux
//
//     F = g(s) d,   s = d^2 + t^2 + ...,   d = (b - a) / h,
//
// t the central differences across, averaged over a and b. One step is u + tau div F (Perona, Malik
// 1990, doi:10.1109/34.56205) or, for modified curvature diffusion (Whitaker, Xue 2001,
// doi:10.1109/ICIP.2001.959070), u + tau |grad u| div(g grad u / |grad u|) with the upwind
// gradient.
#pragma once

#include "base/exp_math.hpp"

namespace pyrad::diffusion {

enum class Conductance { exponential, reciprocal }; // numbered as in diffusion.py

template <class T> struct Step {
    T inverse[3]; // 1 / spacing along z, y, x
    T tau, kappa;
    bool reciprocal, curvature;
};

// Difference across, averaged over a and b: p and m are their neighbours; factor 1 / (4 h).
template <class T> PYRAD_HD T half_gradient(T pa, T ma, T pb, T mb, T quarter) {
    return quarter * ((pa - ma) + (pb - mb));
}

// What every flux needs. Squares are of gradients relative to kappa, which cannot overflow before
// the image does; tiny keeps the quotient of curvature diffusion finite (1e-10 in absolute terms).
template <class T> struct Scale {
    T inverse_kappa, tiny;
    PYRAD_HD explicit Scale(T kappa)
        : inverse_kappa(T(1) / kappa),
          tiny(max_of(T(1e-10) * inverse_kappa * inverse_kappa, T(1e-30))) {}
};

// The flux, or for curvature diffusion the flux over kappa.
template <bool Reciprocal, bool Curvature, class T>
PYRAD_HD T flux(T d, T across, T across2, const Scale<T> &scale) {
    const T x = d * scale.inverse_kappa, y = across * scale.inverse_kappa;
    const T z = across2 * scale.inverse_kappa, s = x * x + y * y + z * z;
    const T moved = Curvature ? x / sqrt(scale.tiny + s) : d;
    if (Reciprocal)
        return moved / (T(1) + s);
    return moved * exp_negative(min_of(s, T(80)));
}

// Square of an upwind difference over kappa: rising and falling fronts look to opposite sides.
template <class T> PYRAD_HD T upwind(T speed, T backward, T forward) {
    const T low = min_of(speed > 0 ? backward : forward, T(0));
    const T high = max_of(speed > 0 ? forward : backward, T(0));
    return low * low + high * high;
}

} // namespace pyrad::diffusion
