// Quantum and electronic noise of line integrals; formulas in dose_math.hpp.
#include "ct/dose.hpp"

#include "base/pool.hpp"
#include "ct/dose_math.hpp"

namespace pyrad {

template <class T>
void simulate_dose(View<const T, 3> lines, View<const double, 1> view_photons,
                   View<const double, 1> column_share, double electronic, double fraction, u64 seed,
                   View<T, 3> out) {
    const i64 columns = lines.shape[2], per_view = lines.shape[1] * columns;
    parallel_for(lines.size(), 4096, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i) {
            const double open = view_photons(i / per_view) * column_share(i % columns);
            const double line = static_cast<double>(lines.data[i]);
            out.data[i] = static_cast<T>(
                fraction > 0 ? dose::noisier_line(line, open, electronic, fraction, i, seed)
                             : dose::noisy_line(line, open, electronic, i, seed));
        }
    });
}

template void simulate_dose(View<const float, 3>, View<const double, 1>, View<const double, 1>,
                            double, double, u64, View<float, 3>);
template void simulate_dose(View<const double, 3>, View<const double, 1>, View<const double, 1>,
                            double, double, u64, View<double, 3>);

} // namespace pyrad
