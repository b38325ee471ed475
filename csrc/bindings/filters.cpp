#include "bindings/bind.hpp"

#include "bindings/complex.hpp"
#include "filters/convolve_axis.hpp"
#include "filters/gabor.hpp"
#include "filters/spectral_filter.hpp"

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

using Powers = std::array<int, 3>;

// Checked against the number of frequencies of the axes z, y and x.
TransferShape transfer_shape(const View<const double, 2> &frequencies, i64 samples,
                             const Powers &powers, double factor, int band, double scale) {
    require_shape<2>(frequencies.shape, {2, samples}, "frequencies");
    for (int power : powers)
        if (power < 0)
            fail(ErrorKind::data, "powers hold ", power, ", expected none below 0");
    if (band < 0 || band > static_cast<int>(Band::shannon))
        fail(ErrorKind::data, "band is ", band, ", expected 0 to 2");
    return {powers, factor, static_cast<Band>(band), scale};
}

template <class T> void def_spectral_filter(py::module_ &m) {
    m.def(
        "spectral_filter",
        [](const Array<T> &x, const Array<double> &frequencies, const Powers &powers, double factor,
           int band, double scale, Array<T> &out) {
            const auto in = input<4>(x, "x");
            const auto f = input<2>(frequencies, "frequencies");
            auto result = output<4>(out, "out");
            const auto &n = in.shape;
            require_shape<4>(result.shape, n, "out");
            const auto shape = transfer_shape(f, n[1] + n[2] + n[3], powers, factor, band, scale);
            if (x.size() > 0)
                run([&] { spectral_filter<T>(in, f, shape, result); });
        },
        exact("x"), exact("frequencies"), "powers"_a, "factor"_a, "band"_a, "scale"_a, exact("out"),
        "Real volumes (outer, z, y, x) through (-i)^L factor prod f_d^l_d / |f|^L B(scale |f|), l "
        "the powers along z, y, x; frequencies (2, nz + ny + nx): f(k), then -f(-k).");
    m.def(
        "multiply_transfer",
        [](Array<std::complex<T>> &spectrum, i64 nx, const Array<double> &frequencies,
           const Powers &powers, double factor, int band, double scale) {
            auto out = output<4>(spectrum, "spectrum");
            const auto f = input<2>(frequencies, "frequencies");
            const auto &n = out.shape;
            if (nx < 1 || n[3] != nx / 2 + 1)
                fail(ErrorKind::shape, "spectrum has ", n[3], " numbers along x, but nx is ", nx);
            const auto shape = transfer_shape(f, n[1] + n[2] + nx, powers, factor, band, scale);
            if (spectrum.size() > 0)
                run([&] {
                    multiply_transfer<T>(reals(out.data), n, {f, {n[1], n[2], nx}, shape});
                });
        },
        exact("spectrum"), "nx"_a, exact("frequencies"), "powers"_a, "factor"_a, "band"_a,
        "scale"_a,
        "The product of spectral_filter: half spectra (outer, z, y, nx / 2 + 1) by the filter's "
        "values over nx ny nz, in place.");
}

} // namespace

void bind_filters(py::module_ &m) {
    def_convolve_axis<float>(m);
    def_convolve_axis<double>(m);
    def_gabor_planes<float>(m);
    def_gabor_planes<double>(m);
    def_spectral_filter<float>(m);
    def_spectral_filter<double>(m);
}

} // namespace pyrad::bind
