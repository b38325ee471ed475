// The eight bands of one level of a volume, each (z, y, x, lanes): aaa, aad, ada, add, daa, dad,
// dda, ddd, the letters being those of z, y and x. lanes is 2 for complex numbers, else 1.
#pragma once

#include "base/view.hpp"

#include <array>

namespace pyrad {

template <class T> using Bands = std::array<View<T, 4>, 8>;

} // namespace pyrad
