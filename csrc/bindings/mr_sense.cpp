// Kernels of iterative SENSE: Toeplitz convolution, off-resonance segments, conjugate gradients.
#include "bindings/bind.hpp"
#include "bindings/complex.hpp"

#include "mr/conjugate_gradients.hpp"
#include "mr/segments.hpp"
#include "mr/toeplitz.hpp"

namespace pyrad::bind {
namespace {

// The grid of the spectrum holds the image, and `work` is what toeplitz.hpp says.
i64 require_embedding(const Shape3 &size, const Shape3 &cells, const std::array<i64, 4> &work) {
    for (int d = 0; d < 3; ++d)
        if (size[d] < 1 || cells[d] < size[d])
            fail(ErrorKind::shape, "spectrum has ", cells[d], " cells along axis ", d,
                 ", the image has ", size[d], " pixels");
    const i64 rows = cells[0] > 1 ? cells[1] : size[1];
    if (work[0] != size[0] || work[1] != rows || work[2] < cells[2] || work[3] < 1)
        fail(ErrorKind::shape, "work has shape (", work[0], ", ", work[1], ", ", work[2], ", ",
             work[3], "), expected (", size[0], ", ", rows, ", at least ", cells[2], ", lanes)");
    return work[2];
}

template <class T> void def_toeplitz(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "toeplitz_maps",
        [](const Array<C> &images, const Array<C> &maps, const Array<T> &spectrum, Array<C> &work,
           Array<C> &out) {
            const auto in = input<4>(images, "images");
            const auto by = input<5>(maps, "maps");
            const auto kernel = input<3>(spectrum, "spectrum");
            auto scratch = output<4>(work, "work");
            auto result = output<4>(out, "out");
            const Shape3 size{in.shape[1], in.shape[2], in.shape[3]};
            const i64 sets = in.shape[0], lanes = scratch.shape[3];
            const i64 row = require_embedding(size, kernel.shape, scratch.shape);
            require_shape<4>(result.shape, in.shape, "out");
            require_shape<5>(by.shape, {sets, size[0], size[1], size[2], lanes}, "maps");
            run([&] {
                toeplitz_maps(reals(in.data), reals(by.data), sets, size, kernel.data, kernel.shape,
                              lanes, reals(scratch.data), row, reals(result.data));
            });
        },
        exact("images"), exact("maps"), exact("spectrum"), exact("work"), exact("out"),
        "Convolution of images (sets, z, y, x) times maps (sets, z, y, x, lanes), combined by "
        "them.");
    m.def(
        "toeplitz_images",
        [](const Array<C> &images, const Array<T> &spectrum, Array<C> &work, Array<C> &out) {
            const auto in = input<4>(images, "images");
            const auto kernel = input<3>(spectrum, "spectrum");
            auto scratch = output<4>(work, "work");
            auto result = output<4>(out, "out");
            const Shape3 size{in.shape[1], in.shape[2], in.shape[3]};
            const i64 lanes = scratch.shape[3];
            const i64 row = require_embedding(size, kernel.shape, scratch.shape);
            require_shape<4>(in.shape, {std::min(in.shape[0], lanes), size[0], size[1], size[2]},
                             "images");
            require_shape<4>(result.shape, in.shape, "out");
            run([&] {
                toeplitz_images(reals(in.data), in.shape[0], size, kernel.data, kernel.shape, lanes,
                                reals(scratch.data), row, reals(result.data));
            });
        },
        exact("images"), exact("spectrum"), exact("work"), exact("out"),
        "Convolution of images (coils, z, y, x) with the lags of a real spectrum.");
}

template <class T> void def_segments(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "scale_lanes",
        [](const Array<C> &values, const Array<C> &factors, bool conjugate, bool accumulate,
           Array<C> &out) {
            const auto in = input<2>(values, "values");
            const auto by = input<1>(factors, "factors");
            auto result = output<2>(out, "out");
            require_shape<1>(by.shape, {in.shape[0]}, "factors");
            require_shape<2>(result.shape, in.shape, "out");
            run([&] {
                scale_lanes(reals(in.data), reals(by.data), in.shape[0], in.shape[1], conjugate,
                            accumulate, reals(result.data));
            });
        },
        exact("values"), exact("factors"), "conjugate"_a, "accumulate"_a, exact("out"),
        "out (+)= values (count, lanes) times one complex factor (or its conjugate) each.");
}

template <class T> void def_cg(py::module_ &m) {
    m.def(
        "cg_curvature",
        [](const Array<T> &p, double regularization, Array<T> &q, Array<double> &state) {
            const auto in = input<2>(p, "p");
            auto to = output<2>(q, "q");
            auto sums = output<2>(state, "state");
            require_shape<2>(to.shape, in.shape, "q");
            require_shape<2>(sums.shape, {in.shape[0], 3}, "state");
            run([&] {
                cg_curvature(in.data, regularization, in.shape[0], in.shape[1], to.data, sums.data);
            });
        },
        exact("p"), "regularization"_a, exact("q"), exact("state"),
        "q += regularization p; state[:, 1] = <p, q> of every system.");
    m.def(
        "cg_step",
        [](const Array<T> &p, const Array<T> &q, Array<T> &x, Array<T> &r, Array<double> &state) {
            const auto along = input<2>(p, "p");
            const auto image = input<2>(q, "q");
            auto to = output<2>(x, "x");
            auto rest = output<2>(r, "r");
            auto sums = output<2>(state, "state");
            require_shape<2>(image.shape, along.shape, "q");
            require_shape<2>(to.shape, along.shape, "x");
            require_shape<2>(rest.shape, along.shape, "r");
            require_shape<2>(sums.shape, {along.shape[0], 3}, "state");
            run([&] {
                cg_step(along.data, image.data, along.shape[0], along.shape[1], to.data, rest.data,
                        sums.data);
            });
        },
        exact("p"), exact("q"), exact("x"), exact("r"), exact("state"),
        "x and r move along p by state[:, 0] / state[:, 1]; state[:, 2] = <r, r>.");
    m.def(
        "cg_turn",
        [](const Array<T> &r, Array<T> &p, Array<double> &state) {
            const auto rest = input<2>(r, "r");
            auto along = output<2>(p, "p");
            auto sums = output<2>(state, "state");
            require_shape<2>(along.shape, rest.shape, "p");
            require_shape<2>(sums.shape, {rest.shape[0], 3}, "state");
            run([&] { cg_turn(rest.data, rest.shape[0], rest.shape[1], along.data, sums.data); });
        },
        exact("r"), exact("p"), exact("state"),
        "p = r + state[:, 2] / state[:, 0] p; then state[:, 0] = state[:, 2].");
}

} // namespace

void bind_mr_sense(py::module_ &m) {
    def_toeplitz<float>(m);
    def_toeplitz<double>(m);
    def_segments<float>(m);
    def_segments<double>(m);
    def_cg<float>(m);
    def_cg<double>(m);
}

} // namespace pyrad::bind
