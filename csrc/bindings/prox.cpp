#include "bindings/bind.hpp"

#include "denoise/pointwise.hpp"

#include <cstdint>

namespace pyrad::bind {
namespace {

template <class T> void def_apply_pointwise(py::module_ &m) {
    m.def(
        "apply_pointwise",
        [](std::uintptr_t function, const Array<T> &x, double step, Array<T> &out) {
            auto in = input<1>(x, "x");
            auto result = output<1>(out, "out");
            require_shape<1>(shape_of<1>(out, "out"), shape_of<1>(x, "x"), "out");
            if (!function)
                fail(ErrorKind::data, "function is a null pointer");
            auto f = reinterpret_cast<PointwiseFunction>(function);
            run([&] {
                apply_pointwise(f, in.data, static_cast<i64>(x.size()), step, result.data);
            });
        },
        "function"_a, exact("x"), "step"_a, exact("out"),
        "out[i] = function(x[i], step); function is the address of a double(double, double).");
}

} // namespace

void bind_prox(py::module_ &m) {
    def_apply_pointwise<float>(m);
    def_apply_pointwise<double>(m);
}

} // namespace pyrad::bind
