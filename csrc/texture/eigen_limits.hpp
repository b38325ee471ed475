// What the functions of eigen.inl need to know about the precision of their numbers. CPU and CUDA.
#pragma once

namespace pyrad {

// For matrices of norm 1. Real: a number of T, or of one of its lanes. least: squared lengths up to
// this are 0; the square of its inverse is a number. large: minors are kept below, over `stretch`
// steps (a power of two). still: a step of this size is none.
template <class T> struct EigenLimits {
    using Real = double;
    static constexpr Real least = 1e-40, large = 1e60, still = 1e-13;
    static constexpr int stretch = 16;
};

// Laguerre's steps shrink with their third power, so what follows one of 1e-4 is lost in rounding.
struct SingleLimits {
    using Real = float;
    static constexpr Real least = 1e-16f, large = 1e12f, still = 1e-4f;
    static constexpr int stretch = 8;
};

} // namespace pyrad
