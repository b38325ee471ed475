#include "bindings/bind.hpp"
#include "bindings/complex.hpp"

#include "denoise/pointwise.hpp"
#include "prox/locally_low_rank.hpp"
#include "prox/soften.hpp"
#include "prox/wavelet_shrink.hpp"

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

template <class T> void def_shrink_blocks(py::module_ &m) {
    using C = std::complex<T>;
    using Tuple3 = std::array<i64, 3>;
    m.def(
        "shrink_blocks",
        [](const Array<C> &x, const Tuple3 &block, const Tuple3 &shift, double threshold,
           Array<C> &out) {
            const auto series = input<5>(x, "x");
            auto result = output<5>(out, "out");
            require_shape<5>(result.shape, series.shape, "out");
            SeriesBlocks blocks{series.shape[0], series.shape[1], {}, {}, {}};
            for (int d = 0; d < 3; ++d) {
                blocks.size[d] = series.shape[d + 2];
                blocks.block[d] = block[d];
                blocks.shift[d] = shift[d];
                if (block[d] < 1 || shift[d] < 0 || shift[d] >= block[d])
                    fail(ErrorKind::shape, "block is ", block[d], " and shift ", shift[d],
                         " along axis ", d, ", expected 0 <= shift < block");
            }
            double total = 0;
            run([&] {
                total = x.size() == 0 ? 0.0
                                      : shrink_blocks(reals(series.data), blocks, threshold,
                                                      reals(result.data));
            });
            return total;
        },
        exact("x"), "block"_a, "shift"_a, "threshold"_a, exact("out"),
        "Singular values of blocks of a series (frames, batch, z, y, x) less a threshold; returns "
        "the sum of x's singular values.");
}

// C: float, double or complex of them.
template <class C, class T> void def_soften(py::module_ &m) {
    m.def(
        "soften",
        [](const Array<C> &x, double threshold, Array<C> &out) {
            auto in = input<1>(x, "x");
            auto result = output<1>(out, "out");
            require_shape<1>(result.shape, in.shape, "out");
            run([&] {
                soften(reinterpret_cast<const T *>(in.data), in.shape[0],
                       static_cast<i64>(sizeof(C) / sizeof(T)), threshold,
                       reinterpret_cast<T *>(result.data));
            });
        },
        exact("x"), "threshold"_a, exact("out"),
        "out = max(1 - threshold / |x|, 0) x; out may be x.");
}

template <class C, class T> void def_wavelet_shrink(py::module_ &m) {
    using Tuple3 = std::array<i64, 3>;
    m.def(
        "wavelet_shrink",
        [](const Array<C> &x, const Array<double> &analysis, const Array<double> &synthesis,
           i64 levels, const Tuple3 &shift, double threshold, Array<C> &out) {
            const auto in = input<4>(x, "x");
            auto result = output<4>(out, "out");
            require_shape<4>(result.shape, in.shape, "out");
            const auto taps = shape_of<2>(analysis, "analysis");
            require_shape<2>(shape_of<2>(synthesis, "synthesis"), taps, "synthesis");
            if (taps[0] != 2 || taps[1] < 2 || taps[1] % 2)
                fail(ErrorKind::shape, "analysis has shape (", taps[0], ", ", taps[1],
                     "), expected (2, even number)");
            const Tuple3 size{in.shape[1], in.shape[2], in.shape[3]};
            const int present = (size[0] > 1) + (size[1] > 1) + (size[2] > 1);
            if (size[2] < 2 || (present == 2 && size[1] < 2))
                fail(ErrorKind::shape, "x has shape (batch, ", size[0], ", ", size[1], ", ",
                     size[2], "); axes of length 1 come first");
            for (i64 n : size)
                if (levels < 1 || levels > 60 || (n > 1 && n % (i64(1) << levels)))
                    fail(ErrorKind::shape, "x has an axis of ", n, " samples, ", levels,
                         " levels need a multiple of 2^levels");
            const WaveletShrink how{in.shape[0],
                                    size,
                                    sizeof(C) / sizeof(T),
                                    shift,
                                    analysis.data(),
                                    synthesis.data(),
                                    taps[1],
                                    levels,
                                    threshold};
            run([&] {
                wavelet_shrink(reinterpret_cast<const T *>(in.data), how,
                               reinterpret_cast<T *>(result.data));
            });
        },
        exact("x"), exact("analysis"), exact("synthesis"), "levels"_a, "shift"_a, "threshold"_a,
        exact("out"),
        "Detail coefficients of images (batch, z, y, x) soft-thresholded after a circular shift.");
}

} // namespace

void bind_prox(py::module_ &m) {
    def_apply_pointwise<float>(m);
    def_apply_pointwise<double>(m);
    def_shrink_blocks<float>(m);
    def_shrink_blocks<double>(m);
    def_soften<float, float>(m);
    def_soften<double, double>(m);
    def_soften<std::complex<float>, float>(m);
    def_soften<std::complex<double>, double>(m);
    def_wavelet_shrink<float, float>(m);
    def_wavelet_shrink<double, double>(m);
    def_wavelet_shrink<std::complex<float>, float>(m);
    def_wavelet_shrink<std::complex<double>, double>(m);
}

} // namespace pyrad::bind
