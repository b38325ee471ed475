#include "bindings/bind.hpp"

#include "denoise/pointwise.hpp"
#include "prox/locally_low_rank.hpp"

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
                total = x.size() == 0
                            ? 0.0
                            : shrink_blocks(reinterpret_cast<const T *>(series.data), blocks,
                                            threshold, reinterpret_cast<T *>(result.data));
            });
            return total;
        },
        exact("x"), "block"_a, "shift"_a, "threshold"_a, exact("out"),
        "Singular values of blocks of a series (frames, batch, z, y, x) less a threshold; returns "
        "the sum of x's singular values.");
}

} // namespace

void bind_prox(py::module_ &m) {
    def_apply_pointwise<float>(m);
    def_apply_pointwise<double>(m);
    def_shrink_blocks<float>(m);
    def_shrink_blocks<double>(m);
}

} // namespace pyrad::bind
