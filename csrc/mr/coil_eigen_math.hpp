// Power iteration of coil maps: start vector, stopping rule and phase, shared by CPU and GPU.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// Component of the start vector, of unit norm: phases that no coil geometry produces.
template <class T> PYRAD_HD Complex<T> eigen_start(i64 coil, i64 coils, i64 map) {
    const T phase = T(2.399963) * T((coil * (coil + 1)) / 2 + map * coil);
    const T size = T(1) / sqrt(T(coils));
    return {size * T(cos(phase)), size * T(sin(phase))};
}

// A pixel is done when the sine between successive iterates falls to rounding: `overlap2` is
// |<v, H v>|^2 and `length2` |H v|^2.
template <class T> PYRAD_HD bool eigen_done(T overlap2, T length2) {
    const T tolerance = sizeof(T) == 4 ? T(4e-7) : T(1e-14);
    return length2 - overlap2 <= tolerance * length2;
}

// How often matrices are squared before the iteration: a squaring costs coils / 2 steps.
PYRAD_HD int eigen_squarings(i64 coils, i64 maps) {
    const int most = maps > 1 ? 1 : 3;
    const int paid = coils <= 8 ? 3 : coils <= 16 ? 2 : coils <= 32 ? 1 : 0;
    return paid < most ? paid : most;
}

// Factor of modulus 1 that makes `overlap` real and positive; 1 for 0.
template <class T> PYRAD_HD Complex<T> turn_to_real(Complex<T> overlap) {
    const T size = sqrt(norm2(overlap));
    return size > 0 ? Complex<T>{overlap.re / size, -overlap.im / size} : Complex<T>{1, 0};
}

} // namespace pyrad
