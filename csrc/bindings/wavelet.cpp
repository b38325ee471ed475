#include "bindings/bind.hpp"

#include "wavelet/dwt.hpp"
#include "wavelet/dwt3d.hpp"
#include "wavelet/swt.hpp"
#include "wavelet/swt3d.hpp"

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
        fail(ErrorKind::shape, name, " has no samples along a transformed axis");
}

void require_mode(int mode, i64 n, const char *name) {
    if (mode < 0 || mode >= mode_count)
        fail(ErrorKind::data, "mode is ", mode, ", expected 0 to ", mode_count - 1);
    require_samples(n, name);
    if (n < 2 && (mode == mode_reflect || mode == mode_antireflect))
        fail(ErrorKind::shape, name, " has 1 sample along a transformed axis, reflection needs 2");
}

i64 synthesis_length(i64 m, i64 taps, bool periodization, const char *name) {
    require_samples(m, name);
    const i64 length = 2 * plan_synthesis(m, taps, periodization).pairs;
    if (length < 1)
        fail(ErrorKind::shape, name, " has ", m, " coefficients along an axis, filters of ", taps,
             " taps need at least ", taps / 2);
    return length;
}

template <class T> void def_dwt(py::module_ &m) {
    m.def(
        "dwt_analysis",
        [](const Array<T> &x, const Filters &filters, int mode, Array<T> &low, Array<T> &high) {
            const auto from = input<3>(x, "x");
            const auto a = output<3>(low, "low"), d = output<3>(high, "high");
            const i64 taps = filter_taps(filters), n = from.shape[1];
            require_mode(mode, n, "x");
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
            require_shape<3>(d.shape, a.shape, "high");
            const i64 length = synthesis_length(n, taps, periodization, "low");
            require_shape<3>(to.shape, with_length(a.shape, length), "out");
            run([&] { dwt_synthesis<T>(a, d, filters.data(), taps, periodization, to); });
        },
        exact("low"), exact("high"), exact("filters"), "periodization"_a, exact("out"),
        "Inverse of dwt_analysis; filters are those of the reconstruction.");
    m.def(
        "dwt_fold",
        [](const Array<T> &extended, i64 start, int mode, Array<T> &out) {
            const auto from = input<3>(extended, "extended");
            const auto to = output<3>(out, "out");
            const i64 n = to.shape[1], length = from.shape[1];
            require_mode(mode, n, "out");
            require_shape<3>(from.shape, with_length(to.shape, length), "extended");
            if (start > 0 || length + start < n)
                fail(ErrorKind::shape, "extended covers [", start, ", ", length + start,
                     "), expected at least [0, ", n, ")");
            run([&] { dwt_fold<T>(from, start, mode, to); });
        },
        exact("extended"), "start"_a, "mode"_a, exact("out"),
        "Adjoint of the extension: adds each extended sample to those it was made of.");
}

template <class T> using BandList = std::vector<Array<T>>;

void require_bands(std::size_t count) {
    if (count != 8)
        fail(ErrorKind::shape, "bands holds ", count, " arrays, expected 8");
}

template <class T> void def_dwt_3d(py::module_ &m) {
    m.def(
        "dwt_analysis_3d",
        [](const Array<T> &x, const Filters &filters, int mode, BandList<T> bands) {
            const auto from = input<4>(x, "x");
            const i64 taps = filter_taps(filters);
            require_bands(bands.size());
            std::array<i64, 4> shape = from.shape;
            for (int axis = 0; axis < 3; ++axis) {
                require_mode(mode, from.shape[axis], "x");
                shape[axis] = coefficient_length(from.shape[axis], taps, mode);
            }
            Bands<T> to;
            for (int b = 0; b < 8; ++b) {
                to[b] = output<4>(bands[b], "bands");
                require_shape<4>(to[b].shape, shape, "bands");
            }
            run([&] { dwt_analysis_3d<T>(from, filters.data(), taps, mode, to); });
        },
        exact("x"), exact("filters"), "mode"_a, exact("bands"),
        "One level along the first three axes of x (nz, ny, nx, lanes) into a list of 8 bands.");
    m.def(
        "dwt_synthesis_3d",
        [](const BandList<T> &bands, const Filters &filters, bool periodization, Array<T> &out) {
            const i64 taps = filter_taps(filters);
            require_bands(bands.size());
            Bands<const T> from;
            for (int b = 0; b < 8; ++b) {
                from[b] = input<4>(bands[b], "bands");
                require_shape<4>(from[b].shape, from[0].shape, "bands");
            }
            const auto to = output<4>(out, "out");
            std::array<i64, 4> shape = from[0].shape;
            for (int axis = 0; axis < 3; ++axis)
                shape[axis] = synthesis_length(shape[axis], taps, periodization, "bands");
            require_shape<4>(to.shape, shape, "out");
            run([&] { dwt_synthesis_3d<T>(from, filters.data(), taps, periodization, to); });
        },
        exact("bands"), exact("filters"), "periodization"_a, exact("out"),
        "Inverse of dwt_analysis_3d; filters are those of the reconstruction.");
}

void require_step(i64 step, const std::array<i64, 4> &shape) {
    for (int axis = 0; axis < 3; ++axis) {
        require_samples(shape[axis], "bands");
        if (step < 1 || shape[axis] % step)
            fail(ErrorKind::shape, "step is ", step, ", which does not divide ", shape[axis]);
    }
}

template <class T> void def_swt_3d(py::module_ &m) {
    m.def(
        "swt_analysis_3d",
        [](const Array<T> &x, const Filters &filters, i64 step, BandList<T> bands) {
            const auto from = input<4>(x, "x");
            const i64 taps = filter_taps(filters);
            require_bands(bands.size());
            require_step(step, from.shape);
            Bands<T> to;
            for (int b = 0; b < 8; ++b) {
                to[b] = output<4>(bands[b], "bands");
                require_shape<4>(to[b].shape, from.shape, "bands");
            }
            run([&] { swt_analysis_3d<T>(from, filters.data(), taps, step, to); });
        },
        exact("x"), exact("filters"), "step"_a, exact("bands"),
        "One undecimated level along the first three axes of x (nz, ny, nx, lanes), taps `step` "
        "samples apart, into a list of 8 bands.");
    m.def(
        "swt_synthesis_3d",
        [](const BandList<T> &bands, const Filters &filters, i64 step, Array<T> &out) {
            const auto to = output<4>(out, "out");
            const i64 taps = filter_taps(filters);
            require_bands(bands.size());
            require_step(step, to.shape);
            Bands<const T> from;
            for (int b = 0; b < 8; ++b) {
                from[b] = input<4>(bands[b], "bands");
                require_shape<4>(from[b].shape, to.shape, "bands");
            }
            run([&] { swt_synthesis_3d<T>(from, filters.data(), taps, step, to); });
        },
        exact("bands"), exact("filters"), "step"_a, exact("out"),
        "Inverse of swt_analysis_3d; filters are those of the reconstruction.");
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
        [](const Array<T> &low, const Array<T> &high, const Filters &filters, Array<T> &out) {
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
    def_dwt_3d<float>(m);
    def_dwt_3d<double>(m);
    def_swt_3d<float>(m);
    def_swt_3d<double>(m);
    def_swt<float>(m);
    def_swt<double>(m);
}

} // namespace pyrad::bind
