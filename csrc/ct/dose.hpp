#pragma once

#include "base/view.hpp"

namespace pyrad {

// lines and out (views, rows, columns); a pixel sees view_photons(view) * column_share(column)
// photons in open beam. fraction 0: Poisson and electronic noise on noise-free lines; otherwise
// the noise that the fraction of the dose adds to measured lines. See dose_math.hpp.
template <class T>
void simulate_dose(View<const T, 3> lines, View<const double, 1> view_photons,
                   View<const double, 1> column_share, double electronic, double fraction, u64 seed,
                   View<T, 3> out);

} // namespace pyrad
