// Formulas of non-local means that the CPU and CUDA kernels share.
//
// The weight of the pair of voxels (i, j), whose patches differ by the mean square d2:
//
//     w = exp(-max(d2 - 2 s2, 0) / h2),   h2 = h^2 + (factor^2) s2,   s2 = (s_i^2 + s_j^2) / 2,
//
// and 0 where the exponent is beyond `cutoff`; s is the noise level (Buades, Coll, Morel 2005,
// doi:10.1137/040616024; the part of d2 that is noise alone is taken off as in their 2011 form,
// doi:10.5201/ipol.2011.bcm_nlm). Either h or factor is 0.
//
// A voxel beside an edge has few patches like its own, but lies in patches that have many. So W(i,
// j) takes in the pairs around, W(i, j) = sum_k g(k) w(i + k, j + k) with both centres in the image
// and g the product over the axes of (side, 1, side), as in the patchwise form of the 2011 paper.
#pragma once

#include "base/exp_math.hpp"

namespace pyrad::nlm {

// Half width of patch or search window along z, y, x.
struct Radius {
    i64 z, y, x;
};

// Where weights end, as in Darbon et al. 2008: many tiny weights of unlike patches add up to a
// blur.
constexpr double cutoff = 5;

// Factor of g for neighbours along one axis. The patchwise form proper has 1, which blurs textures.
constexpr double spread_side = 0.25;

template <class T> PYRAD_HD T cut_exponential(T t) {
    return t <= T(cutoff) ? exp_negative(t) : T(0);
}

template <class T> struct Strength {
    T scale, offset;                           // 1 / (patch size * h2) and 2 s2 / h2, for one s
    T inverse_size, h_squared, factor_squared; // for a noise level per voxel
};

template <class T>
PYRAD_HD Strength<T> strength(double patch_size, double sigma, double h, double factor) {
    const double s2 = sigma * sigma, h2 = h * h + factor * factor * s2;
    return {static_cast<T>(1 / (patch_size * h2)), static_cast<T>(2 * s2 / h2),
            static_cast<T>(1 / patch_size), static_cast<T>(h * h), static_cast<T>(factor * factor)};
}

// One noise level for all voxels.
template <class T> PYRAD_HD T weight(T sum_of_squares, const Strength<T> &strength) {
    return cut_exponential(max_of(sum_of_squares * strength.scale - strength.offset, T(0)));
}

// A noise level per voxel, given as variances.
template <class T>
PYRAD_HD T weight(T sum_of_squares, const Strength<T> &strength, T variance_i, T variance_j) {
    constexpr T tiny = T(1e-30); // where h2 is 0 only equal patches count
    const T s2 = T(0.5) * (variance_i + variance_j);
    const T excess = max_of(sum_of_squares * strength.inverse_size - 2 * s2, T(0));
    return cut_exponential(excess /
                           max_of(strength.h_squared + strength.factor_squared * s2, tiny));
}

// Index into 0..n-1 mirrored about the first and the last one; -n < i < 2 n - 1.
PYRAD_HD i64 mirror(i64 i, i64 n) { return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i; }

} // namespace pyrad::nlm
