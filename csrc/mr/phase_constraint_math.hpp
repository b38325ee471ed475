// Projection on the numbers of one phase p: their line through 0 keeps the part along p, their half
// line the modulus (J. J. Cuppen, A. van Est, Magn. Reson. Imaging 5 (1987) 526,
// doi:10.1016/0730-725X(87)90146-4; E. M. Haacke et al., J. Magn. Reson. 92 (1991),
// doi:10.1016/0022-2364(91)90253-P).
#pragma once

#include "base/portable.hpp"

namespace pyrad {

template <class T> PYRAD_HD T length_along(Complex<T> x, Complex<T> p, bool magnitude) {
    return magnitude ? sqrt(norm2(x)) : x.re * p.re + x.im * p.im;
}

} // namespace pyrad
