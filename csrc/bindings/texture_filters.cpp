#include "bindings/bind.hpp"

#include "texture/recursive_filter.hpp"

namespace pyrad::bind {

void bind_texture_filters(py::module_ &m);

namespace {

template <class T> void def_recursive_filter(py::module_ &m) {
    m.def(
        "recursive_filter",
        [](const Array<T> &x, const std::array<double, 12> &coefficients, Array<float> &out) {
            const auto from = input<3>(x, "x");
            const auto to = output<3>(out, "out");
            require_shape<3>(to.shape, from.shape, "out");
            if (from.size() == 0)
                fail(ErrorKind::shape, "x is empty");
            run([&] { recursive_filter<T>(from, coefficients.data(), to); });
        },
        exact("x"), "coefficients"_a, exact("out"),
        "Recursive filter along the middle axis; coefficients: 4 forward, 4 backward, 4 feedback.");
}

} // namespace

void bind_texture_filters(py::module_ &m) {
    def_recursive_filter<float>(m);
    def_recursive_filter<double>(m);
}

} // namespace pyrad::bind
