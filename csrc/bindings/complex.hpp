// Complex samples as kernels take them: real and imaginary part in turns.
#pragma once

#include <complex>

namespace pyrad::bind {

template <class T> const T *reals(const std::complex<T> *p) {
    return reinterpret_cast<const T *>(p);
}
template <class T> T *reals(std::complex<T> *p) { return reinterpret_cast<T *>(p); }

} // namespace pyrad::bind
