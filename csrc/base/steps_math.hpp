// One element of the update steps of iterative solvers; steps.hpp says what they are.
#pragma once

#include "base/portable.hpp"

namespace pyrad::steps {

template <class T> PYRAD_HD T scaled_step(T x, T step, T scale, T update, T low) {
    return max_of(x + step * scale * update, low);
}

// See momentum_step: returns the new x and moves z and the weighted sum of gradients.
template <class T> struct Momentum {
    T weight, mix, low;

    PYRAD_HD T operator()(T gradient, T scale, T start, T &sum, T &z) const {
        sum += weight * gradient;
        const T x = max_of(z - scale * gradient, low);
        const T v = max_of(start - scale * sum, low);
        z = x + mix * (v - x);
        return x;
    }
};

} // namespace pyrad::steps
