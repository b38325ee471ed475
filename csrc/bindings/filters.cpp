#include "bindings/bind.hpp"

#include "filters/convolve_axis.hpp"
#include "filters/gabor.hpp"

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

template <class T> void def_gabor_planes(py::module_ &m) {
    m.def(
        "gabor_planes",
        [](const Array<T> &x, const Array<T> &taps, int boundary, i64 first_a, i64 first_b,
           int part, Array<T> &out) {
            const auto in = input<5>(x, "x");
            const auto filter = input<3>(taps, "taps");
            auto result = output<5>(out, "out");
            for (int axis : {0, 2, 4})
                if (in.shape[axis] != result.shape[axis])
                    fail(ErrorKind::shape, "axis ", axis, " of out has ", result.shape[axis],
                         " samples, but x has ", in.shape[axis]);
            if (filter.shape[0] < 1 || filter.shape[1] != 4 || filter.shape[2] % 2 == 0)
                fail(ErrorKind::shape, "taps has shape (", filter.shape[0], ", ", filter.shape[1],
                     ", ", filter.shape[2], "), expected (at least 1, 4, odd number)");
            if (boundary < 0 || boundary > static_cast<int>(Boundary::mirror))
                fail(ErrorKind::data, "boundary is ", boundary, ", expected 0 to 3");
            if (part < 0 || part > static_cast<int>(GaborPart::phase))
                fail(ErrorKind::data, "part is ", part, ", expected 0 to 3");
            if (x.size() == 0 || out.size() == 0)
                return;
            run([&] {
                gabor_planes<T>(in, filter, static_cast<Boundary>(boundary), first_a, first_b,
                                static_cast<GaborPart>(part), result);
            });
        },
        exact("x"), exact("taps"), "boundary"_a, "first_a"_a, "first_b"_a, "part"_a, exact("out"),
        "Planes a, b of x (outer, a, mid, b, inner) filtered by a sum of products of complex "
        "lines, taps (rank, 4, count): real and imaginary part along a, then along b.");
}

} // namespace

void bind_filters(py::module_ &m) {
    def_convolve_axis<float>(m);
    def_convolve_axis<double>(m);
    def_gabor_planes<float>(m);
    def_gabor_planes<double>(m);
}

} // namespace pyrad::bind
