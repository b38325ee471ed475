// Pointwise maps from polychromatic to monochromatic line integrals; see beam_hardening_math.hpp.
#include "ct/beam_hardening.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/beam_hardening_math.hpp"

namespace pyrad {
namespace {

constexpr i64 tile = 1 << 14;
constexpr i64 ray_tile = 64; // rays with Newton's method take microseconds

template <class T>
PYRAD_CLONES void table_part(const T *x, const T *table, i32 nodes, T inverse_step, T *out,
                             i64 size) {
    for (i64 i = 0; i < size; ++i)
        out[i] = hardening::table_value(x[i], table, nodes, inverse_step);
}

template <class T>
PYRAD_CLONES void polynomial_part(const T *x, const T *c, i32 count, T *out, i64 size) {
    for (i64 i = 0; i < size; ++i)
        out[i] = hardening::polynomial(x[i], c, count);
}

} // namespace

template <class T>
void apply_table(View<const T, 1> x, View<const T, 1> table, double step, View<T, 1> out) {
    const i32 nodes = static_cast<i32>(table.shape[0]);
    parallel_for(x.shape[0], tile, [&](i64 begin, i64 end, int) {
        table_part(x.data + begin, table.data, nodes, static_cast<T>(1 / step), out.data + begin,
                   end - begin);
    });
}

template <class T>
void apply_polynomial(View<const T, 1> x, View<const T, 1> coefficients, View<T, 1> out) {
    const i32 count = static_cast<i32>(coefficients.shape[0]);
    parallel_for(x.shape[0], tile, [&](i64 begin, i64 end, int) {
        polynomial_part(x.data + begin, coefficients.data, count, out.data + begin, end - begin);
    });
}

template <class T>
void two_material_lines(View<const T, 1> x, View<const T, 1> lengths,
                        View<const double, 2> spectrum, double first_mono, double second_mono,
                        View<T, 1> out) {
    const hardening::Spectrum s{&spectrum(0, 0), &spectrum(1, 0),
                                &spectrum(2, 0), static_cast<i32>(spectrum.shape[1]),
                                first_mono,      second_mono};
    parallel_for(x.shape[0], ray_tile, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i)
            out(i) = static_cast<T>(hardening::mono_line(x(i), lengths(i), s));
    });
}

template void apply_table(View<const float, 1>, View<const float, 1>, double, View<float, 1>);
template void apply_table(View<const double, 1>, View<const double, 1>, double, View<double, 1>);
template void apply_polynomial(View<const float, 1>, View<const float, 1>, View<float, 1>);
template void apply_polynomial(View<const double, 1>, View<const double, 1>, View<double, 1>);
template void two_material_lines(View<const float, 1>, View<const float, 1>, View<const double, 2>,
                                 double, double, View<float, 1>);
template void two_material_lines(View<const double, 1>, View<const double, 1>,
                                 View<const double, 2>, double, double, View<double, 1>);

} // namespace pyrad
