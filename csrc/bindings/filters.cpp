#include "bindings/bind.hpp"

#include "filters/convolve_axis.hpp"

namespace pyrad::bind {
namespace {

template <class T> void def_convolve_axis(py::module_ &m) {
    m.def(
        "convolve_axis",
        [](const Array<T> &x, const Array<T> &taps, i64 centre, int boundary, Array<T> &out) {
            const auto in = input<3>(x, "x");
            const auto filter = input<1>(taps, "taps");
            auto result = output<3>(out, "out");
            require_shape<3>(result.shape, in.shape, "out");
            const i64 count = filter.shape[0];
            if (centre < 0 || centre >= count)
                fail(ErrorKind::shape, "centre is ", centre, ", but there are ", count, " taps");
            if (boundary < 0 || boundary > static_cast<int>(Boundary::mirror))
                fail(ErrorKind::data, "boundary is ", boundary, ", expected 0 to 3");
            if (in.data == result.data)
                fail(ErrorKind::data, "out is x, but samples are read again");
            if (x.size() == 0)
                return;
            run([&] {
                convolve_axis(in, filter.data, count, centre, static_cast<Boundary>(boundary),
                              result);
            });
        },
        exact("x"), exact("taps"), "centre"_a, "boundary"_a, exact("out"),
        "out[:, i] = sum_j taps[j] x[:, i + centre - j]; x (outer, n, inner).");
}

} // namespace

void bind_filters(py::module_ &m) {
    def_convolve_axis<float>(m);
    def_convolve_axis<double>(m);
}

} // namespace pyrad::bind
