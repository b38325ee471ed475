#include "bindings/bind.hpp"

#include "ct/beam_hardening.hpp"

namespace pyrad::bind {
namespace {

template <class T> void def_pointwise(py::module_ &m) {
    m.def(
        "apply_table",
        [](const Array<T> &x, const Array<T> &table, double step, Array<T> &out) {
            const auto given = input<1>(x, "x");
            const auto nodes = input<1>(table, "table");
            auto result = output<1>(out, "out");
            if (nodes.shape[0] < 2 || nodes.shape[0] > 1 << 24)
                fail(ErrorKind::shape, "table has ", nodes.shape[0], " nodes; expected 2 to 2^24");
            require_shape<1>(result.shape, given.shape, "out");
            run([&] { apply_table<T>(given, nodes, step, result); });
        },
        exact("x"), exact("table"), "step"_a, exact("out"),
        "Linear interpolation in a table at 0, step, 2 step, ...");
    m.def(
        "apply_polynomial",
        [](const Array<T> &x, const Array<T> &coefficients, Array<T> &out) {
            const auto given = input<1>(x, "x");
            const auto c = input<1>(coefficients, "coefficients");
            auto result = output<1>(out, "out");
            if (c.shape[0] < 1)
                fail(ErrorKind::shape, "coefficients is empty");
            require_shape<1>(result.shape, given.shape, "out");
            run([&] { apply_polynomial<T>(given, c, result); });
        },
        exact("x"), exact("coefficients"), exact("out"), "c0 x + c1 x^2 + ...");
}

template <class T> void def_two_material_lines(py::module_ &m) {
    m.def(
        "two_material_lines",
        [](const Array<T> &x, const Array<T> &lengths, const Array<double> &spectrum,
           double first_mono, double second_mono, Array<T> &out) {
            const auto given = input<1>(x, "x");
            const auto second = input<1>(lengths, "lengths");
            const auto table = input<2>(spectrum, "spectrum");
            auto result = output<1>(out, "out");
            require_shape<2>(table.shape, {3, table.shape[1]}, "spectrum");
            require_shape<1>(second.shape, given.shape, "lengths");
            require_shape<1>(result.shape, given.shape, "out");
            run([&] {
                two_material_lines<T>(given, second, table, first_mono, second_mono, result);
            });
        },
        exact("x"), exact("lengths"), exact("spectrum"), "first_mono"_a, "second_mono"_a,
        exact("out"), "Monochromatic line integrals of two materials.");
}

} // namespace

void bind_ct_beam_hardening(py::module_ &m) {
    def_pointwise<float>(m);
    def_pointwise<double>(m);
    def_two_material_lines<float>(m);
    def_two_material_lines<double>(m);
}

} // namespace pyrad::bind
