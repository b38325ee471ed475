// Finite differences of a volume and what iterative reconstruction builds from them; formulas in
// differences_math.hpp.
#pragma once

#include "base/portable.hpp"
#include "denoise/differences_math.hpp"

#include <array>

namespace pyrad::differences {

// x is (nz, ny, nx); fields are (dims, nz, ny, nx), slowest axis first. dims 2 has nz = 1, dims 1
// has nz = ny = 1.
struct Grid {
    int dims;
    i64 nz, ny, nx;
    std::array<double, 3> inverse_spacing; // of the last `dims` axes, slowest first
};

// out = D x
template <class T> void difference(const T *x, const Grid &grid, T *out);

// out = D^T field; values at the far edge of their axis are not looked at.
template <class T> void difference_adjoint(const T *field, const Grid &grid, T *out);

struct Change {
    double changed, size; // sums of squares of new - former, and of new
};

// field <- projection of (field + step D x) onto |field| <= radius: the dual step of total
// variation (Chambolle and Pock 2011, doi:10.1007/s10851-010-0251-1).
template <class T>
Change difference_ascent(const T *x, const Grid &grid, double step, double radius, bool isotropic,
                         T *field);

// out += scale * gradient of R at x
template <class T>
void roughness_gradient(const T *x, const Grid &grid, double delta, Potential potential,
                        bool isotropic, double scale, T *out);

} // namespace pyrad::differences
