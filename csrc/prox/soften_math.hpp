// Soft thresholding of one number: the proximal operator of threshold |x|.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

template <class T> PYRAD_HD T softened(T x, T threshold) {
    return x - clamp(x, -threshold, threshold);
}

// What a complex number of this squared magnitude is multiplied by.
template <class T> PYRAD_HD T shrink_factor(T squared, T threshold) {
    const T size = sqrt(squared);
    return size > threshold ? (size - threshold) / size : T(0);
}

} // namespace pyrad
