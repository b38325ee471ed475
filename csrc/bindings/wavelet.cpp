#include "bindings/bind.hpp"

#include "wavelet/dwt.hpp"
#include "wavelet/swt.hpp"

namespace pyrad::bind {
namespace {

using Filters = Array<double>;

i64 filter_taps(const Filters &filters) {
    const auto shape = shape_of<2>(filters, "filters");
    if (shape[0] != 2 || shape[1] < 2 || shape[1] % 2)
        fail(ErrorKind::shape, "filters has shape (", shape[0], ", ", shape[1],
             "), expected (2, even number)");
    return shape[1];
}

std::array<i64, 3> with_length(std::array<i64, 3> shape, i64 n) {
    shape[1] = n;
    return shape;
}

void require_samples(i64 n, const char *name) {
    if (n < 1)
        fail(ErrorKind::shape, name, " has no samples along its middle axis");
}

template <class T> void def_dwt(py::module_ &m) {
    m.def(
        "dwt_analysis",
        [](const Array<T> &x, const Filters &filters, int mode, Array<T> &low, Array<T> &high) {
            const auto from = input<3>(x, "x");
            const auto a = output<3>(low, "low"), d = output<3>(high, "high");
            const i64 taps = filter_taps(filters), n = from.shape[1];
            if (mode < 0 || mode >= mode_count)
                fail(ErrorKind::data, "mode is ", mode, ", expected 0 to ", mode_count - 1);
            require_samples(n, "x");
            if (n < 2 && (mode == mode_reflect || mode == mode_antireflect))
                fail(ErrorKind::shape, "x has 1 sample along its middle axis, reflect needs 2");
            const auto shape = with_length(from.shape, coefficient_length(n, taps, mode));
            require_shape<3>(a.shape, shape, "low");
            require_shape<3>(d.shape, shape, "high");
            run([&] { dwt_analysis<T>(from, filters.data(), taps, mode, a, d); });
        },
        exact("x"), exact("filters"), "mode"_a, exact("low"), exact("high"),
        "One level along the middle axis of x (outer, n, inner).");
    m.def(
        "dwt_synthesis",
        [](const Array<T> &low, const Array<T> &high, const Filters &filters, bool periodization,
           Array<T> &out) {
            const auto a = input<3>(low, "low"), d = input<3>(high, "high");
            const auto to = output<3>(out, "out");
            const i64 taps = filter_taps(filters), n = a.shape[1];
            require_samples(n, "low");
            require_shape<3>(d.shape, a.shape, "high");
            const i64 length = 2 * plan_synthesis(n, taps, periodization).pairs;
            if (length < 1)
                fail(ErrorKind::shape, "low has ", n, " coefficients, filters of ", taps,
                     " taps need at least ", taps / 2);
            require_shape<3>(to.shape, with_length(a.shape, length), "out");
            run([&] { dwt_synthesis<T>(a, d, filters.data(), taps, periodization, to); });
        },
        exact("low"), exact("high"), exact("filters"), "periodization"_a, exact("out"),
        "Inverse of dwt_analysis; filters are those of the reconstruction.");
}

template <class T> void def_swt(py::module_ &m) {
    m.def(
        "swt_analysis",
        [](const Array<T> &x, const Filters &filters, Array<T> &low, Array<T> &high) {
            const auto from = input<3>(x, "x");
            const auto a = output<3>(low, "low"), d = output<3>(high, "high");
            const i64 taps = filter_taps(filters);
            require_samples(from.shape[1], "x");
            require_shape<3>(a.shape, from.shape, "low");
            require_shape<3>(d.shape, from.shape, "high");
            run([&] { swt_analysis<T>(from, filters.data(), taps, a, d); });
        },
        exact("x"), exact("filters"), exact("low"), exact("high"),
        "One undecimated level along the middle axis of x (outer, n, inner), periodic.");
    m.def(
        "swt_synthesis",
        [](const Array<T> &low, const Array<T> &high, const Filters &filters,
           Array<T> &out) {
            const auto a = input<3>(low, "low"), d = input<3>(high, "high");
            const auto to = output<3>(out, "out");
            const i64 taps = filter_taps(filters);
            require_samples(a.shape[1], "low");
            require_shape<3>(d.shape, a.shape, "high");
            require_shape<3>(to.shape, a.shape, "out");
            run([&] { swt_synthesis<T>(a, d, filters.data(), taps, to); });
        },
        exact("low"), exact("high"), exact("filters"), exact("out"),
        "Inverse of swt_analysis; filters are those of the reconstruction.");
}

} // namespace

void bind_wavelet(py::module_ &m) {
    def_dwt<float>(m);
    def_dwt<double>(m);
    def_swt<float>(m);
    def_swt<double>(m);
}

} // namespace pyrad::bind
