#include "bindings/bind.hpp"

#include "ct/backproject_fan.hpp"
#include "ct/backproject_parallel.hpp"
#include "ct/joseph2d.hpp"
#include "ct/ramp_filter.hpp"

namespace pyrad::bind {

void bind_ct_cone(py::module_ &m);

namespace {

template <class T> void def_filter_rows(py::module_ &m) {
    m.def(
        "filter_rows",
        [](const Array<T> &x, const Array<T> &weights, i64 first, const Array<T> &response,
           const Array<T> &scale, Array<T> &out) {
            const auto rows = input<2>(x, "x");
            const auto rays = input<2>(weights, "weights");
            const auto filter = input<1>(response, "response");
            const auto factors = input<1>(scale, "scale");
            auto result = output<2>(out, "out");
            const i64 size = 2 * (filter.shape[0] - 1), count = rows.shape[0];
            const i64 width = result.shape[1], parts = rays.shape[0];
            if (size < 4 || (size & (size - 1)) || size < 2 * width)
                fail(ErrorKind::shape, "response has ", filter.shape[0],
                     " values; expected 2^k + 1 of at least ", width + 1);
            require_shape<2>(result.shape, {count, width}, "out");
            if (first < 0 || first + rows.shape[1] > width)
                fail(ErrorKind::shape, "out has ", width, " columns, but x's ", rows.shape[1],
                     " begin at column ", first);
            if (parts < 1 || count % parts)
                fail(ErrorKind::shape, "weights has ", parts, " rows, which do not divide x's ",
                     count);
            require_shape<2>(rays.shape, {parts, rows.shape[1]}, "weights");
            require_shape<1>(factors.shape, {count}, "scale");
            run([&] { filter_rows<T>(rows, rays, first, filter, factors, result); });
        },
        exact("x"), exact("weights"), "first"_a, exact("response"), exact("scale"), exact("out"),
        "Weighted, zero-padded circular filter of every row by a real, even response, times "
        "scale.");
}

template <class T> void def_backproject_parallel(py::module_ &m) {
    m.def(
        "backproject_parallel",
        [](const Array<T> &filtered, const Array<double> &views, Array<T> &out) {
            const auto rows = input<3>(filtered, "filtered");
            const auto table = input<2>(views, "views");
            auto image = output<3>(out, "out");
            require_shape<2>(table.shape, {rows.shape[0], 3}, "views");
            require_shape<1>({rows.shape[1]}, {image.shape[0]}, "filtered's rows");
            run([&] { backproject_parallel<T>(rows, table, image); });
        },
        exact("filtered"), exact("views"), exact("out"),
        "Sum over views of linear interpolation at views . (x, y, 1).");
}

template <class T> void def_backproject_fan(py::module_ &m) {
    m.def(
        "backproject_fan",
        [](const Array<T> &filtered, const Array<double> &views, double centre, double magnify,
           double source_origin, bool curved, Array<T> &out) {
            const auto rows = input<2>(filtered, "filtered");
            const auto table = input<2>(views, "views");
            auto image = output<2>(out, "out");
            require_shape<2>(table.shape, {rows.shape[0], 6}, "views");
            run([&] {
                backproject_fan<T>(rows, table, centre, magnify, source_origin, curved, image);
            });
        },
        exact("filtered"), exact("views"), "centre"_a, "magnify"_a, "source_origin"_a, "curved"_a,
        exact("out"), "Distance-weighted backprojection onto the pixels of a fan-beam scan.");
}

void check_scan(const View<const double, 2> &views, const View<const double, 2> &pixels,
                const std::array<i64, 3> &projections, i64 slices) {
    require_shape<2>(views.shape, {projections[0], 8}, "views");
    require_shape<2>(pixels.shape, {projections[2], 2}, "pixels");
    require_shape<1>({projections[1]}, {slices}, "projections' rows");
}

template <class T> void def_joseph2d(py::module_ &m) {
    m.def(
        "project2d",
        [](const Array<T> &image, const Array<double> &views, const Array<double> &pixels,
           double pitch_x, double pitch_y, Array<T> &out) {
            const auto slices = input<3>(image, "image");
            const auto table = input<2>(views, "views");
            const auto columns = input<2>(pixels, "pixels");
            auto projections = output<3>(out, "out");
            check_scan(table, columns, projections.shape, slices.shape[0]);
            run([&] { project2d<T>(slices, table, columns, pitch_x, pitch_y, projections); });
        },
        exact("image"), exact("views"), exact("pixels"), "pitch_x"_a, "pitch_y"_a, exact("out"),
        "Line integrals of every slice with linear interpolation (Joseph).");
    m.def(
        "backproject2d",
        [](const Array<T> &projections, const Array<double> &views, const Array<double> &pixels,
           double pitch_x, double pitch_y, Array<T> &out) {
            const auto given = input<3>(projections, "projections");
            const auto table = input<2>(views, "views");
            const auto columns = input<2>(pixels, "pixels");
            auto image = output<3>(out, "out");
            check_scan(table, columns, given.shape, image.shape[0]);
            run([&] { backproject2d<T>(given, table, columns, pitch_x, pitch_y, image); });
        },
        exact("projections"), exact("views"), exact("pixels"), "pitch_x"_a, "pitch_y"_a,
        exact("out"), "Exact adjoint of project2d.");
}

template <class T> void def_all(py::module_ &m) {
    def_filter_rows<T>(m);
    def_backproject_parallel<T>(m);
    def_backproject_fan<T>(m);
    def_joseph2d<T>(m);
}

} // namespace

void bind_ct_joseph3d(py::module_ &m);
void bind_ct_beam_hardening(py::module_ &m);
void bind_ct_preprocess(py::module_ &m);
void bind_ct_rings(py::module_ &m);
void bind_ct_sinogram_denoising(py::module_ &m);
void bind_ct_footprint(py::module_ &m);

void bind_ct(py::module_ &m) {
    bind_ct_joseph3d(m);
    bind_ct_beam_hardening(m);
    bind_ct_preprocess(m);
    bind_ct_rings(m);
    bind_ct_sinogram_denoising(m);
    bind_ct_footprint(m);
    def_all<float>(m);
    def_all<double>(m);
    bind_ct_cone(m);
}

} // namespace pyrad::bind
