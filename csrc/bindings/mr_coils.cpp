#include "bindings/bind.hpp"
#include "bindings/complex.hpp"

#include "mr/bilinear.hpp"
#include "mr/coil_eigen.hpp"
#include "mr/coil_mixing.hpp"
#include "mr/local_products.hpp"

namespace pyrad::bind {
namespace {

using Tuple3 = std::array<i64, 3>;

template <class T> void def_eigen(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "coil_eigenvectors",
        [](const Array<C> &matrices, i64 iterations, const Array<C> &reference, Array<C> &vectors,
           Array<T> &values) {
            const auto in = input<2>(matrices, "matrices");
            const auto phase = input<1>(reference, "reference");
            auto out = output<3>(vectors, "vectors");
            auto size = output<2>(values, "values");
            const i64 maps = out.shape[0], coils = out.shape[1], pixels = out.shape[2];
            require_shape<2>(in.shape, {coils * (coils + 1) / 2, pixels}, "matrices");
            require_shape<1>(phase.shape, {coils}, "reference");
            require_shape<2>(size.shape, {maps, pixels}, "values");
            run([&] {
                coil_eigenvectors(reals(in.data), coils, pixels, maps, iterations,
                                  reals(phase.data), reals(out.data), size.data);
            });
        },
        exact("matrices"), "iterations"_a, exact("reference"), exact("vectors"), exact("values"),
        "Dominant eigenvectors (maps, coils, pixels) of Hermitian matrices given as their lower "
        "triangle (pairs, pixels).");
    m.def(
        "espirit_maps",
        [](const Array<C> &lags, const Array<C> &waves, const Array<C> &reference, double crop,
           i64 iterations, i64 plane, Array<C> &vectors, Array<T> &values) {
            const auto in = input<3>(lags, "lags");
            const auto w = input<2>(waves, "waves");
            const auto phase = input<1>(reference, "reference");
            auto out = output<5>(vectors, "vectors");
            auto size = output<4>(values, "values");
            const i64 maps = out.shape[0], coils = out.shape[1], planes = out.shape[2];
            const i64 rows = out.shape[3], columns = out.shape[4];
            require_shape<3>(in.shape, {coils * (coils + 1) / 2, w.shape[1], columns}, "lags");
            require_shape<2>(w.shape, {rows, w.shape[1]}, "waves");
            require_shape<1>(phase.shape, {coils}, "reference");
            require_shape<4>(size.shape, {maps, planes, rows, columns}, "values");
            if (plane < 0 || plane >= planes)
                fail(ErrorKind::shape, "plane is ", plane, " of ", planes);
            run([&] {
                espirit_maps(reals(in.data), reals(w.data), reals(phase.data), crop,
                             {coils, maps, w.shape[1], rows, columns, planes, plane, iterations},
                             reals(out.data), size.data);
            });
        },
        exact("lags"), exact("waves"), exact("reference"), "crop"_a, "iterations"_a, "plane"_a,
        exact("vectors"), exact("values"),
        "One plane of eigenvectors (maps, coils, z, y, x) of the matrices sum_l waves (y, l) lags "
        "(pairs, l, x).");
    m.def(
        "local_products",
        [](const Array<C> &left, const Array<C> &right, const Array<i64> &chosen,
           const Tuple3 &window, const Tuple3 &first, Array<C> &out) {
            const auto a = input<4>(left, "left"), b = input<4>(right, "right");
            const auto which = input<2>(chosen, "chosen");
            auto sums = output<4>(out, "out");
            const Tuple3 shape{a.shape[1], a.shape[2], a.shape[3]};
            const Tuple3 count{sums.shape[1], sums.shape[2], sums.shape[3]};
            require_shape<4>(b.shape, {b.shape[0], shape[0], shape[1], shape[2]}, "right");
            require_shape<2>(which.shape, {sums.shape[0], 2}, "chosen");
            for (i64 p = 0; p < sums.shape[0]; ++p)
                if (which.data[2 * p] < 0 || which.data[2 * p] >= a.shape[0] ||
                    which.data[2 * p + 1] < 0 || which.data[2 * p + 1] >= b.shape[0])
                    fail(ErrorKind::shape, "chosen asks for images ", which.data[2 * p], " and ",
                         which.data[2 * p + 1], " of ", a.shape[0], " and ", b.shape[0]);
            for (int d = 0; d < 3; ++d)
                if (first[d] < 0 || first[d] + count[d] > shape[d] || window[d] < 1)
                    fail(ErrorKind::shape, "pixels ", first[d], " to ", first[d] + count[d],
                         " with a window of ", window[d], " do not fit ", shape[d]);
            run([&] {
                local_products(reals(a.data), reals(b.data), shape, which.data, sums.shape[0],
                               window, first, count, reals(sums.data));
            });
        },
        exact("left"), exact("right"), exact("chosen"), "window"_a, "first"_a, exact("out"),
        "Box sums of left[chosen[p, 0]] conj(right[chosen[p, 1]]) for a part of the pixels.");
}

template <class T> void def_mixing(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "mix_coils",
        [](const Array<C> &matrices, const Array<C> &data, Array<C> &out) {
            const auto by = input<3>(matrices, "matrices");
            const auto in = input<4>(data, "data");
            auto to = output<4>(out, "out");
            require_shape<3>(by.shape, {to.shape[0], in.shape[0], in.shape[2]}, "matrices");
            require_shape<4>(to.shape, {to.shape[0], in.shape[1], in.shape[2], in.shape[3]}, "out");
            run([&] {
                mix_coils(reals(by.data), reals(in.data),
                          {to.shape[0], in.shape[0], in.shape[1], in.shape[2], in.shape[3]},
                          reals(to.data));
            });
        },
        exact("matrices"), exact("data"), exact("out"),
        "out (v, outer, axis, inner) = sum over c of matrices (v, c, axis) times data (c, outer, "
        "axis, inner).");
    m.def(
        "combine_maps_of",
        [](const Array<C> &images, const Array<C> &maps, Array<C> &out) {
            const auto in = input<2>(images, "images"), by = input<2>(maps, "maps");
            auto to = output<1>(out, "out");
            require_shape<2>(by.shape, in.shape, "maps");
            require_shape<1>(to.shape, {in.shape[1]}, "out");
            run([&] {
                combine_maps_of(reals(in.data), reals(by.data), in.shape[0], in.shape[1],
                                reals(to.data));
            });
        },
        exact("images"), exact("maps"), exact("out"),
        "Least-squares image of coil images (coils, pixels) and maps.");
    m.def(
        "combine_squares",
        [](const Array<C> &images, Array<T> &out) {
            const auto in = input<2>(images, "images");
            auto to = output<1>(out, "out");
            require_shape<1>(to.shape, {in.shape[1]}, "out");
            run([&] { combine_squares(reals(in.data), in.shape[0], in.shape[1], to.data); });
        },
        exact("images"), exact("out"), "Root of the sum of squares over coils.");
    m.def(
        "normalize_maps",
        [](const Array<C> &images, Array<C> &maps, Array<C> &combined) {
            const auto in = input<2>(images, "images");
            auto by = output<2>(maps, "maps");
            auto to = output<1>(combined, "combined");
            require_shape<2>(by.shape, in.shape, "maps");
            require_shape<1>(to.shape, {in.shape[1]}, "combined");
            run([&] {
                normalize_maps(reals(in.data), in.shape[0], in.shape[1], reals(by.data),
                               reals(to.data));
            });
        },
        exact("images"), exact("maps"), exact("combined"),
        "Maps (coils, pixels) to unit norm in place, and the image they combine to.");
    m.def(
        "turn_maps",
        [](const Array<C> &reference, Array<C> &maps, Array<C> &combined) {
            const auto phase = input<1>(reference, "reference");
            auto by = output<2>(maps, "maps");
            auto to = output<1>(combined, "combined");
            require_shape<1>(phase.shape, {by.shape[0]}, "reference");
            require_shape<1>(to.shape, {by.shape[1]}, "combined");
            run([&] {
                turn_maps(reals(phase.data), by.shape[0], by.shape[1], reals(by.data),
                          reals(to.data));
            });
        },
        exact("reference"), exact("maps"), exact("combined"),
        "Makes <reference, map> real and positive; the combined image turns the other way.");
}

template <class T> void def_bilinear(py::module_ &m) {
    using C = std::complex<T>;
    // Sizes that image (z, y, x), maps (z, y, x, lanes), factors and grid must agree in.
    struct Sizes {
        Tuple3 size, cells;
        i64 lanes;
        Sizes(const Array<C> &image, const Array<C> &maps, const Array<T> &factors,
              const Array<C> &grid)
            : size(shape_of<3>(image, "image")) {
            const auto g = shape_of<4>(grid, "grid");
            cells = {g[0], g[1], g[2]};
            lanes = g[3];
            require_shape<4>(shape_of<4>(maps, "maps"), {size[0], size[1], size[2], lanes}, "maps");
            require_shape<1>(shape_of<1>(factors, "factors"), {size[0] + size[1] + size[2]},
                             "factors");
            for (int d = 0; d < 3; ++d)
                if (size[d] > cells[d])
                    fail(ErrorKind::shape, "image has ", size[d], " pixels along axis ", d,
                         ", but the grid ", cells[d], " cells");
        }
    };
    m.def(
        "bilinear_pad",
        [](const Array<C> &image, const Array<C> &maps, const Array<C> &d_image,
           const Array<C> &d_maps, const Array<T> &factors, Array<C> &grid) {
            const Sizes n(image, maps, factors, grid);
            const auto di = input<3>(d_image, "d_image");
            const auto dm = input<4>(d_maps, "d_maps");
            require_shape<3>(di.shape, n.size, "d_image");
            require_shape<4>(dm.shape, shape_of<4>(maps, "maps"), "d_maps");
            auto out = output<4>(grid, "grid");
            run([&] {
                bilinear_pad(reals(image.data()), reals(maps.data()), reals(di.data),
                             reals(dm.data), factors.data(), n.size, n.cells, n.lanes,
                             reals(out.data));
            });
        },
        exact("image"), exact("maps"), exact("d_image"), exact("d_maps"), exact("factors"),
        exact("grid"), "factors (d_image maps + image d_maps) in the wrapped corner of a grid.");
    m.def(
        "bilinear_crop",
        [](const Array<C> &grid, const Array<C> &image, const Array<C> &maps,
           const Array<T> &factors, Array<C> &d_image, Array<C> &d_maps) {
            const Sizes n(image, maps, factors, grid);
            auto di = output<3>(d_image, "d_image");
            auto dm = output<4>(d_maps, "d_maps");
            require_shape<3>(di.shape, n.size, "d_image");
            require_shape<4>(dm.shape, shape_of<4>(maps, "maps"), "d_maps");
            run([&] {
                bilinear_crop(reals(grid.data()), reals(image.data()), reals(maps.data()),
                              factors.data(), n.size, n.cells, n.lanes, reals(di.data),
                              reals(dm.data));
            });
        },
        exact("grid"), exact("image"), exact("maps"), exact("factors"), exact("d_image"),
        exact("d_maps"), "Adjoint of bilinear_pad.");
}

} // namespace

void bind_mr_coils(py::module_ &m) {
    def_eigen<float>(m);
    def_eigen<double>(m);
    def_mixing<float>(m);
    def_mixing<double>(m);
    def_bilinear<float>(m);
    def_bilinear<double>(m);
}

} // namespace pyrad::bind
