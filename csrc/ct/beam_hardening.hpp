#pragma once

#include "base/view.hpp"

namespace pyrad {

// out = table at x in steps, linear in between and beyond; at least two nodes.
template <class T>
void apply_table(View<const T, 1> x, View<const T, 1> table, double step, View<T, 1> out);

// out = c0 x + c1 x^2 + ...
template <class T>
void apply_polynomial(View<const T, 1> x, View<const T, 1> coefficients, View<T, 1> out);

// Monochromatic line integrals of two materials; `lengths` are those of the second one (mm) and
// `spectrum` (3, energies) holds weights and attenuations; see beam_hardening_math.hpp.
template <class T>
void two_material_lines(View<const T, 1> x, View<const T, 1> lengths,
                        View<const double, 2> spectrum, double first_mono, double second_mono,
                        View<T, 1> out);

} // namespace pyrad
