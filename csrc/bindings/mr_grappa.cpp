#include "bindings/bind.hpp"
#include "bindings/complex.hpp"

#include "mr/coil_lanes.hpp"
#include "mr/coil_matrices.hpp"
#include "mr/grappa_fill.hpp"
#include "mr/grappa_patterns.hpp"
#include "mr/grappa_weights.hpp"
#include "mr/phase_constraint.hpp"

namespace pyrad::bind {
namespace {

using Tuple3 = std::array<i64, 3>;

void require_kernel(const Tuple3 &kernel, const Tuple3 &size, const char *name) {
    for (int d = 0; d < 3; ++d)
        if (kernel[d] < 1 || kernel[d] > size[d])
            fail(ErrorKind::shape, "kernel of ", kernel[d], " cells along axis ", d, ", but ", name,
                 " has ", size[d]);
}

// Values that begin at `low` and never fall, the last at most `high`.
template <class T>
void require_rising(const View<const T, 1> &x, i64 low, i64 high, const char *name) {
    for (i64 i = 0; i < x.shape[0]; ++i) {
        if (x(i) < low || x(i) > high)
            fail(ErrorKind::data, name, " holds ", x(i), " at ", i, "; expected ", low, " to ",
                 high, " and no fall");
        low = x(i);
    }
}

void def_plan(py::module_ &m) {
    m.def(
        "grappa_patterns",
        [](const Array<u8> &mask, const Tuple3 &kernel, Array<i64> &cells, Array<i64> &starts) {
            const auto in = input<3>(mask, "mask");
            for (int d = 0; d < 3; ++d)
                if (kernel[d] < 1)
                    fail(ErrorKind::shape, "kernel of ", kernel[d], " cells");
            i64 missing = 0;
            for (i64 i = 0; i < in.size(); ++i)
                missing += in.data[i] == 0;
            auto out = output<1>(cells, "cells");
            auto first = output<1>(starts, "starts");
            require_shape<1>(out.shape, {missing}, "cells");
            require_shape<1>(first.shape, {missing + 1}, "starts");
            i64 count = 0;
            run([&] { count = grappa_patterns(in.data, in.shape, kernel, out.data, first.data); });
            return count;
        },
        exact("mask"), "kernel"_a, exact("cells"), exact("starts"),
        "Missing cells (mask 0) sorted by the pattern of measured cells in their window; where "
        "each pattern starts; how many there are.");
    m.def(
        "grappa_gram",
        [](const Array<std::complex<double>> &calibration, const Tuple3 &kernel,
           Array<std::complex<double>> &gram) {
            const auto in = input<4>(calibration, "calibration");
            const Tuple3 size{in.shape[1], in.shape[2], in.shape[3]};
            require_kernel(kernel, size, "calibration");
            auto out = output<2>(gram, "gram");
            const i64 side = kernel[0] * kernel[1] * kernel[2] * in.shape[0];
            require_shape<2>(out.shape, {side, side}, "gram");
            run([&] { grappa_gram(reals(in.data), in.shape[0], size, kernel, reals(out.data)); });
        },
        exact("calibration"), "kernel"_a, exact("gram"),
        "Inner products (cell, coil, cell, coil) over all windows of calibration (coil, z, y, x).");
}

template <class T> void def_grappa(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "interleave_coils",
        [](const Array<C> &planar, Array<C> &out, Array<u8> &sampled) {
            const auto in = input<2>(planar, "planar");
            auto to = output<2>(out, "out");
            auto seen = output<1>(sampled, "sampled");
            require_shape<2>(to.shape, {in.shape[1], std::max(to.shape[1], in.shape[0])}, "out");
            require_shape<1>(seen.shape, {in.shape[1]}, "sampled");
            run([&] {
                interleave_coils(reals(in.data), in.shape[0], in.shape[1], to.shape[1],
                                 reals(to.data), seen.data);
            });
        },
        exact("planar"), exact("out"), exact("sampled"),
        "planar (coil, cell) to (cell, lanes), and where any coil is not 0.");
    m.def(
        "separate_coils",
        [](const Array<C> &lanes_last, Array<C> &out) {
            const auto in = input<2>(lanes_last, "lanes_last");
            auto to = output<2>(out, "out");
            require_shape<2>(to.shape, {std::min(to.shape[0], in.shape[1]), in.shape[0]}, "out");
            run([&] {
                separate_coils(reals(in.data), in.shape[0], in.shape[1], to.shape[0],
                               reals(to.data));
            });
        },
        exact("lanes_last"), exact("out"), "(cell, lanes) to (coil, cell).");
    m.def(
        "grappa_weights",
        [](const Array<std::complex<double>> &gram, i64 coils, const Array<i32> &sources,
           const Array<i64> &begin, i64 centre, double ridge, Array<C> &weights) {
            const auto g = input<2>(gram, "gram");
            const auto from = input<1>(sources, "sources");
            const auto first = input<1>(begin, "begin");
            auto out = output<3>(weights, "weights");
            if (coils < 1 || g.shape[0] % coils != 0)
                fail(ErrorKind::shape, "gram has side ", g.shape[0], ", no multiple of ", coils,
                     " coils");
            const i64 window = g.shape[0] / coils, patterns = first.shape[0] - 1;
            require_shape<2>(g.shape, {window * coils, window * coils}, "gram");
            require_shape<3>(out.shape, {from.shape[0], coils, std::max(coils, out.shape[2])},
                             "weights");
            require_rising(first, 0, from.shape[0], "begin");
            for (i64 i = 0; i < from.shape[0]; ++i)
                if (from(i) < 0 || from(i) >= window)
                    fail(ErrorKind::data, "sources holds ", from(i), "; the window has ", window);
            if (centre < 0 || centre >= window || patterns < 0)
                fail(ErrorKind::data, "centre is ", centre, "; the window has ", window);
            run([&] {
                grappa_weights(reals(g.data), coils, window, from.data, first.data, patterns,
                               centre, ridge, out.shape[2], reals(out.data));
            });
        },
        exact("gram"), "coils"_a, exact("sources"), exact("begin"), "centre"_a, "ridge"_a,
        exact("weights"), "Weights (source, coil, lanes) of each pattern's sources.");
    m.def(
        "grappa_fill",
        [](const Array<i64> &cells, const Array<i64> &starts, const Array<i64> &begin,
           const Array<i64> &offsets, const Array<C> &weights, Array<C> &data) {
            const auto at = input<1>(cells, "cells");
            const auto first = input<1>(starts, "starts"), source = input<1>(begin, "begin");
            const auto offset = input<1>(offsets, "offsets");
            const auto w = input<3>(weights, "weights");
            auto out = output<2>(data, "data");
            if (first.shape[0] < 1)
                fail(ErrorKind::shape, "starts is empty");
            require_shape<1>(source.shape, first.shape, "begin");
            require_shape<3>(w.shape,
                             {offset.shape[0], std::min(w.shape[1], w.shape[2]), out.shape[1]},
                             "weights");
            require_rising(first, 0, at.shape[0], "starts");
            require_rising(source, 0, offset.shape[0], "begin");
            for (i64 p = 0; p + 1 < first.shape[0]; ++p) {
                i64 low = 0, high = 0;
                for (i64 s = source(p); s < source(p + 1); ++s) {
                    low = min_of(low, offset(s));
                    high = max_of(high, offset(s));
                }
                bool inside = true;
                for (i64 i = first(p); i < first(p + 1); ++i)
                    inside &= at(i) >= -low && at(i) < out.shape[0] - high;
                if (!inside)
                    fail(ErrorKind::data, "cells of pattern ", p, " have sources outside data");
            }
            run([&] {
                grappa_fill<T>({at.data, first.data, source.data, offset.data, reals(w.data),
                                first.shape[0] - 1, w.shape[1], out.shape[1]},
                               reals(out.data));
            });
        },
        exact("cells"), exact("starts"), exact("begin"), exact("offsets"), exact("weights"),
        exact("data"), "Missing cells of data (cell, lanes) from their pattern's sources.");
}

template <class T> void def_matrices(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "coil_matrix_multiply",
        [](const Array<C> &matrices, const Array<C> &images, Array<C> &out) {
            const auto h = input<2>(matrices, "matrices");
            const auto x = input<2>(images, "images");
            auto y = output<2>(out, "out");
            const i64 coils = x.shape[0], pixels = x.shape[1];
            require_shape<2>(h.shape, {coils * (coils + 1) / 2, pixels}, "matrices");
            require_shape<2>(y.shape, x.shape, "out");
            run([&] {
                coil_matrix_multiply(reals(h.data), reals(x.data), coils, pixels, reals(y.data));
            });
        },
        exact("matrices"), exact("images"), exact("out"),
        "Hermitian matrices, given as their lower triangle (pairs, pixels), times images (coils, "
        "pixels).");
}

template <class T> void def_phase(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "constrain_phase",
        [](const Array<C> &phases, bool magnitude, Array<C> &images) {
            const auto p = input<1>(phases, "phases");
            auto x = output<1>(images, "images");
            require_shape<1>(p.shape, x.shape, "phases");
            run([&] { constrain_phase(reals(p.data), magnitude, p.size(), reals(x.data)); });
        },
        exact("phases"), "magnitude"_a, exact("images"),
        "The part of images along phases (of modulus 1), or their magnitude, in place.");
}

} // namespace

void bind_mr_grappa(py::module_ &m) {
    def_plan(m);
    def_grappa<float>(m);
    def_grappa<double>(m);
    def_matrices<float>(m);
    def_matrices<double>(m);
    def_phase<float>(m);
    def_phase<double>(m);
}

} // namespace pyrad::bind
