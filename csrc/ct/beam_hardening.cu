// CUDA twin of beam_hardening.cpp: one thread per ray.
#include "base/portable.hpp"
#include "ct/beam_hardening_math.hpp"

namespace pyrad {
namespace {

template <class T>
__device__ void apply_table(const T *x, i64 size, const T *table, int nodes, T inverse_step,
                            T *out) {
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step)
        out[i] = hardening::table_value(x[i], table, nodes, inverse_step);
}

template <class T>
__device__ void apply_polynomial(const T *x, i64 size, const T *coefficients, int count, T *out) {
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step)
        out[i] = hardening::polynomial(x[i], coefficients, count);
}

template <class T>
__device__ void two_material_lines(const T *x, const T *lengths, i64 size, const double *spectrum,
                                   int energies, double first_mono, double second_mono, T *out) {
    const hardening::Spectrum s{spectrum, spectrum + energies, spectrum + 2 * energies,
                                energies, first_mono,          second_mono};
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step)
        out[i] = static_cast<T>(hardening::mono_line(x[i], lengths[i], s));
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(apply_table_f32)
(const float *x, long long size, const float *table, int nodes, float inverse_step, float *out) {
    pyrad::apply_table(x, size, table, nodes, inverse_step, out);
}

PYRAD_KERNEL(apply_table_f64)
(const double *x, long long size, const double *table, int nodes, double inverse_step,
 double *out) {
    pyrad::apply_table(x, size, table, nodes, inverse_step, out);
}

PYRAD_KERNEL(apply_polynomial_f32)
(const float *x, long long size, const float *coefficients, int count, float *out) {
    pyrad::apply_polynomial(x, size, coefficients, count, out);
}

PYRAD_KERNEL(apply_polynomial_f64)
(const double *x, long long size, const double *coefficients, int count, double *out) {
    pyrad::apply_polynomial(x, size, coefficients, count, out);
}

PYRAD_KERNEL(two_material_lines_f32)
(const float *x, const float *lengths, long long size, const double *spectrum, int energies,
 double first_mono, double second_mono, float *out) {
    pyrad::two_material_lines(x, lengths, size, spectrum, energies, first_mono, second_mono, out);
}

PYRAD_KERNEL(two_material_lines_f64)
(const double *x, const double *lengths, long long size, const double *spectrum, int energies,
 double first_mono, double second_mono, double *out) {
    pyrad::two_material_lines(x, lengths, size, spectrum, energies, first_mono, second_mono, out);
}
