// Quantum and electronic noise of line integrals; formulas in dose_math.hpp. A tile goes through
// loops without branches: means, first trials of the Poisson numbers, the slower test for those
// that the squeeze left, normal numbers, logarithms. The few percent that remain, and small means,
// are drawn one by one.
#include "ct/dose.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/dose_math.hpp"

#include <algorithm>

namespace pyrad {
namespace {

constexpr i64 tile = 1 << 12, part = 256;

template <class T>
PYRAD_CLONES void find_means(const T *lines, const double *open, double *mean, i64 size) {
    for (i64 i = 0; i < size; ++i)
        mean[i] = open[i] * elementary::exp_of(-static_cast<double>(lines[i]));
}

PYRAD_CLONES void try_poisson(const double *mean, u64 first, u64 key, double *counts, i32 *accepted,
                              i64 size) {
    for (i64 i = 0; i < size; ++i) {
        const dose::Trial trial = dose::poisson_trial(mean[i], dose::philox(first + i, 0, 0, key));
        counts[i] = trial.count;
        accepted[i] = trial.accepted;
    }
}

// The trials at `at`, tested in full.
PYRAD_CLONES void test_trials(const double *mean, const double *counts, const i32 *at, u64 first,
                              u64 key, i32 *accepted, i64 size) {
    for (i64 i = 0; i < size; ++i)
        accepted[i] = dose::poisson_accepts(mean[at[i]], counts[at[i]],
                                            dose::philox(first + at[i], 0, 0, key));
}

PYRAD_CLONES void add_normal(double sigma, u64 first, u64 key, double *counts, i64 size) {
    for (i64 i = 0; i < size; ++i)
        counts[i] += sigma * dose::normal(first + i, key);
}

template <class T>
PYRAD_CLONES void find_lines(const double *counts, const double *open, T *out, i64 size) {
    for (i64 i = 0; i < size; ++i)
        out[i] = static_cast<T>(dose::line_of(counts[i], open[i]));
}

template <class T>
PYRAD_CLONES void add_noise(const T *lines, const double *open, double electronic, double fraction,
                            u64 first, u64 key, T *out, i64 size) {
    for (i64 i = 0; i < size; ++i)
        out[i] = static_cast<T>(dose::noisier_line(static_cast<double>(lines[i]), open[i],
                                                   electronic, fraction, first + i, key));
}

template <class T>
void measure(const T *lines, const double *open, double electronic, u64 first, u64 key, T *out,
             i64 size) {
    double mean[part], counts[part];
    i32 accepted[part], left[part], left_count = 0;
    find_means(lines, open, mean, size);
    try_poisson(mean, first, key, counts, accepted, size);
    for (i64 i = 0; i < size; ++i) {
        left[left_count] = static_cast<i32>(i);
        left_count += !accepted[i];
    }
    test_trials(mean, counts, left, first, key, accepted, left_count);
    for (i32 i = 0; i < left_count; ++i) {
        const i32 at = left[i];
        if (mean[at] < 10)
            counts[at] = dose::poisson(mean[at], first + at, key);
        else if (!accepted[i])
            counts[at] = dose::poisson_retry(mean[at], first + at, key);
    }
    if (electronic > 0)
        add_normal(electronic, first, key, counts, size);
    find_lines(counts, open, out, size);
}

} // namespace

template <class T>
void simulate_dose(View<const T, 3> lines, View<const double, 1> view_photons,
                   View<const double, 1> column_share, double electronic, double fraction, u64 seed,
                   View<T, 3> out) {
    const i64 columns = lines.shape[2], per_view = lines.shape[1] * columns;
    parallel_for(lines.size(), tile, [&](i64 begin, i64 end, int) {
        double open[part];
        for (i64 first = begin; first < end; first += part) {
            const i64 size = std::min(part, end - first);
            for (i64 i = 0; i < size; ++i)
                open[i] =
                    view_photons((first + i) / per_view) * column_share((first + i) % columns);
            const T *from = lines.data + first;
            T *to = out.data + first;
            if (fraction > 0)
                add_noise(from, open, electronic, fraction, first, seed, to, size);
            else
                measure(from, open, electronic, first, seed, to, size);
        }
    });
}

template void simulate_dose(View<const float, 3>, View<const double, 1>, View<const double, 1>,
                            double, double, u64, View<float, 3>);
template void simulate_dose(View<const double, 3>, View<const double, 1>, View<const double, 1>,
                            double, double, u64, View<double, 3>);

} // namespace pyrad
