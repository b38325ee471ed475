// Total variation with voxel-wise weights, masks, bounds and any number of channels: the steps of
// FGP and PDHG, which the caller alternates. Formulas in tv_fields_math.hpp.
#pragma once

#include "base/portable.hpp"
#include "denoise/tv_fields_math.hpp"

#include <array>

namespace pyrad::tv {

// Images are (channels, nz, ny, nx); dual fields (channels, dims, nz, ny, nx), slowest axis first,
// zero where there is no difference.
template <class T> struct Fields {
    i64 channels;
    int dims;
    i64 nz, ny, nx;
    int coupling;
    const T *limit;  // (nz, ny, nx), >= 0; null: 1
    const u8 *links; // (nz, ny, nx): bit d says that axis d has a difference; null: all
};

template <class T> struct Bounds {
    double low, high;
    const T *arrays; // (2, nz, ny, nx) in place of the numbers; null: the numbers
};

// An array that is extrapolated from the one before.
template <class T> struct Extrapolated {
    const T *now, *before;
    double factor;
};

// out = projection of (p + step grad u) onto the dual ball; out may be p.now.
template <class T>
void fields_dual(const Fields<T> &fields, const Extrapolated<T> &u, const Extrapolated<T> &p,
                 const std::array<double, 3> &step, T *out);

// out = u + take (f + div (weight p) - u) within the bounds; out may be u.
template <class T>
void fields_primal(const Fields<T> &fields, const T *f, const T *u, double take,
                   const Extrapolated<T> &p, const std::array<double, 3> &weight,
                   const Bounds<T> &bounds, T *out);

// (P(u), D(p)), in double precision whatever T.
template <class T>
std::array<double, 2> fields_objectives(const Fields<T> &fields, const T *f, const T *u,
                                        double weight, const std::array<double, 3> &inverse_spacing,
                                        const Bounds<T> &bounds, const T *p);

} // namespace pyrad::tv
