// CUDA twin of dose.cpp: one thread per pixel, the same counters and formulas.
#include "base/portable.hpp"
#include "ct/dose_math.hpp"

namespace pyrad {
namespace {

template <class T>
__device__ void simulate_dose(const T *lines, const double *view_photons,
                              const double *column_share, i64 size, i64 per_view, i64 columns,
                              double electronic, double fraction, u64 seed, T *out) {
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step) {
        const double open = __ldg(view_photons + i / per_view) * __ldg(column_share + i % columns);
        const double line = static_cast<double>(lines[i]);
        if (fraction > 0) {
            out[i] = static_cast<T>(dose::noisier_line(line, open, electronic, fraction, i, seed));
            continue;
        }
        double counts = dose::poisson(open * elementary::exp_of(-line), i, seed);
        if (electronic > 0)
            counts += electronic * dose::normal(i, seed);
        out[i] = static_cast<T>(dose::line_of(counts, open));
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(simulate_dose_f32)
(const float *lines, const double *view_photons, const double *column_share, long long size,
 long long per_view, long long columns, double electronic, double fraction, unsigned long long seed,
 float *out) {
    pyrad::simulate_dose(lines, view_photons, column_share, size, per_view, columns, electronic,
                         fraction, seed, out);
}

PYRAD_KERNEL(simulate_dose_f64)
(const double *lines, const double *view_photons, const double *column_share, long long size,
 long long per_view, long long columns, double electronic, double fraction, unsigned long long seed,
 double *out) {
    pyrad::simulate_dose(lines, view_photons, column_share, size, per_view, columns, electronic,
                         fraction, seed, out);
}
