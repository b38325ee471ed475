// Largest absolute eigenvalue of a small symmetric matrix, CPU and CUDA.
#pragma once

#include "base/portable.hpp"
#include "texture/eigen_limits.hpp"

namespace pyrad {

PYRAD_HD double square_root(double x) { return sqrt(x); }
PYRAD_HD bool none_of(bool mask) { return !mask; }

#define PYRAD_EIGEN PYRAD_HD
#include "texture/eigen.inl"
#undef PYRAD_EIGEN

} // namespace pyrad
