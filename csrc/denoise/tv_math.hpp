// Formulas of total-variation denoising that the CPU and CUDA kernels share.
//
//     minimise over u:  P(u) = 1/2 ||u - f||^2 + w TV(u)
//
// grad: forward differences over the voxel size, zero at the far edge; div = -grad^T.
// A dual field p has D components (slowest axis first) for each of C coupled channels, and at each
// voxel |p| <= 1: over all components together (isotropic), or over the channels of each axis
// (anisotropic). Then u = f + w div p and D(p) = -<w div p, f + (w div p) / 2> <= P(u*).
#pragma once

#include "base/elementary_math.hpp"
#include "base/portable.hpp"

namespace pyrad::tv {

using elementary::square_root;

// Euclidean projection of one voxel's dual vector r[channel * D + axis] onto |p| <= 1.
template <bool Isotropic, int D, int C, class T> PYRAD_HD void project(T *r) {
    if constexpr (Isotropic) {
        T norm2 = 0;
        for (int i = 0; i < C * D; ++i)
            norm2 += r[i] * r[i];
        const T scale = T(1) / max_of(T(1), square_root(norm2));
        for (int i = 0; i < C * D; ++i)
            r[i] *= scale;
    } else if constexpr (C == 1) {
        for (int d = 0; d < D; ++d)
            r[d] = clamp(r[d], T(-1), T(1));
    } else {
        for (int d = 0; d < D; ++d) {
            T norm2 = 0;
            for (int c = 0; c < C; ++c)
                norm2 += r[c * D + d] * r[c * D + d];
            const T scale = T(1) / max_of(T(1), square_root(norm2));
            for (int c = 0; c < C; ++c)
                r[c * D + d] *= scale;
        }
    }
}

// Length of one voxel's gradient in the norm whose dual ball project() projects onto.
template <bool Isotropic, int D, int C, class T> PYRAD_HD T magnitude(const T *g) {
    T sum = 0;
    if constexpr (Isotropic) {
        for (int i = 0; i < C * D; ++i)
            sum += g[i] * g[i];
        return square_root(sum);
    } else {
        for (int d = 0; d < D; ++d) {
            T norm2 = 0;
            for (int c = 0; c < C; ++c)
                norm2 += g[c * D + d] * g[c * D + d];
            sum += square_root(norm2);
        }
        return sum;
    }
}

// x + factor (x - before): the momentum of FGP and the over-relaxation of PDHG.
template <class T> PYRAD_HD T extrapolate(T x, T before, T factor) {
    return x + factor * (x - before);
}

} // namespace pyrad::tv
