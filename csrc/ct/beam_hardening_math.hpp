// Beam hardening: what a polychromatic line integral would be at one energy.
//
// The detector sees p = -log sum_e w_e exp(-m_e l - n_e d), w_e the share of energy e in the signal
// without object, l and d the lengths (mm) of two materials with attenuations m_e and n_e. Given p
// and d, Newton's method finds l: p is an increasing, concave function of it, so the iteration
// climbs from below (Joseph, Spital, J. Comput. Assist. Tomogr. 2, 100, 1978,
// doi:10.1097/00004728-197801000-00017).
#pragma once

#include "base/elementary_math.hpp"

namespace pyrad::hardening {

constexpr int newton_steps = 8;

// Linear interpolation in a table of y at x = 0, step, 2 step, ...; its ends go on straight.
template <class T> PYRAD_HD T table_value(T x, const T *table, i32 nodes, T inverse_step) {
    const T at = x * inverse_step;
    const i32 i = static_cast<i32>(clamp(at, T(0), static_cast<T>(nodes - 2)));
    return table[i] + (at - static_cast<T>(i)) * (table[i + 1] - table[i]);
}

// c[0] x + c[1] x^2 + ...
template <class T> PYRAD_HD T polynomial(T x, const T *c, i32 count) {
    T sum = c[count - 1];
    for (i32 i = count - 2; i >= 0; --i)
        sum = c[i] + x * sum;
    return x * sum;
}

struct Spectrum {
    const double *weights, *first, *second; // w_e, m_e, n_e; the weights add up to 1
    i32 energies;
    double first_mono, second_mono; // attenuations at the energy to correct to
};

// first_mono * l + second_mono * d of the ray with polychromatic line integral p.
PYRAD_HD double mono_line(double p, double d, const Spectrum &s) {
    double l = (p - s.second_mono * d) / s.first_mono;
    for (int step = 0; step < newton_steps; ++step) {
        double sum = 0, slope = 0;
        for (i32 e = 0; e < s.energies; ++e) {
            const double part =
                s.weights[e] * elementary::exp_of(-s.first[e] * l - s.second[e] * d);
            sum += part;
            slope += part * s.first[e];
        }
        const double change = (p + elementary::log_of(sum)) * sum / slope;
        l += change;
        if (fabs(change) * s.first_mono < 1e-9)
            break;
    }
    return s.first_mono * l + s.second_mono * d;
}

} // namespace pyrad::hardening
