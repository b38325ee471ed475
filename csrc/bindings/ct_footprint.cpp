#include "bindings/bind.hpp"

#include "ct/footprint2d.hpp"
#include "ct/footprint3d.hpp"
#include "ct/footprint_tilted.hpp"

namespace pyrad::bind {
namespace {

constexpr i64 plane_numbers = 10, volume_numbers = 14, tilted_numbers = 20;

template <class T> void def_footprint2d(py::module_ &m) {
    m.def(
        "project_footprint2d",
        [](const Array<T> &image, const Array<double> &views, double arc, double pitch_x,
           double pitch_y, Array<T> &out) {
            const auto slices = input<3>(image, "image");
            const auto table = input<2>(views, "views");
            auto projections = output<3>(out, "out");
            require_shape<2>(table.shape, {projections.shape[0], plane_numbers}, "views");
            require_shape<1>({projections.shape[1]}, {slices.shape[0]}, "projections' rows");
            run([&] { project_footprint2d<T>(slices, table, arc, pitch_x, pitch_y, projections); });
        },
        exact("image"), exact("views"), "arc"_a, "pitch_x"_a, "pitch_y"_a, exact("out"),
        "Strip integrals of every slice with trapezoidal footprints.");
    m.def(
        "backproject_footprint2d",
        [](const Array<T> &projections, const Array<double> &views, double arc, double pitch_x,
           double pitch_y, Array<T> &out) {
            const auto given = input<3>(projections, "projections");
            const auto table = input<2>(views, "views");
            auto image = output<3>(out, "out");
            require_shape<2>(table.shape, {given.shape[0], plane_numbers}, "views");
            require_shape<1>({given.shape[1]}, {image.shape[0]}, "projections' rows");
            run([&] { backproject_footprint2d<T>(given, table, arc, pitch_x, pitch_y, image); });
        },
        exact("projections"), exact("views"), "arc"_a, "pitch_x"_a, "pitch_y"_a, exact("out"),
        "Exact adjoint of project_footprint2d.");
}

void check_tables(const View<const double, 2> &views, const View<const double, 2> &reach,
                  const std::array<i64, 3> &projections) {
    require_shape<2>(views.shape, {projections[0], volume_numbers}, "views");
    const i64 rows = reach.shape[0] == 1 ? 1 : projections[0];
    require_shape<2>(reach.shape, {rows, projections[2]}, "reach");
}

template <class T> void def_footprint3d(py::module_ &m) {
    m.def(
        "project_footprint3d",
        [](const Array<T> &volume, const Array<double> &views, const Array<double> &reach,
           double arc, double pitch_x, double pitch_y, Array<T> &out) {
            const auto voxels = input<3>(volume, "volume");
            const auto table = input<2>(views, "views");
            const auto distances = input<2>(reach, "reach");
            auto projections = output<3>(out, "out");
            check_tables(table, distances, projections.shape);
            run([&] {
                project_footprint3d<T>(voxels, table, distances, arc, pitch_x, pitch_y,
                                       projections);
            });
        },
        exact("volume"), exact("views"), exact("reach"), "arc"_a, "pitch_x"_a, "pitch_y"_a,
        exact("out"), "Line integrals with separable footprints, detector rows along z.");
    m.def(
        "backproject_footprint3d",
        [](const Array<T> &projections, const Array<double> &views, const Array<double> &reach,
           double arc, double pitch_x, double pitch_y, Array<T> &out) {
            const auto given = input<3>(projections, "projections");
            const auto table = input<2>(views, "views");
            const auto distances = input<2>(reach, "reach");
            auto volume = output<3>(out, "out");
            check_tables(table, distances, given.shape);
            run([&] {
                backproject_footprint3d<T>(given, table, distances, arc, pitch_x, pitch_y, volume);
            });
        },
        exact("projections"), exact("views"), exact("reach"), "arc"_a, "pitch_x"_a, "pitch_y"_a,
        exact("out"), "Exact adjoint of project_footprint3d.");
}

template <class T> void def_footprint_tilted(py::module_ &m) {
    m.def(
        "project_footprint_tilted",
        [](const Array<T> &volume, const Array<double> &views, Array<T> &out) {
            const auto voxels = input<3>(volume, "volume");
            const auto table = input<2>(views, "views");
            auto projections = output<3>(out, "out");
            require_shape<2>(table.shape, {projections.shape[0], tilted_numbers}, "views");
            run([&] { project_footprint_tilted<T>(voxels, table, projections); });
        },
        exact("volume"), exact("views"), exact("out"),
        "Line integrals with separable footprints, detectors in any pose.");
    m.def(
        "backproject_footprint_tilted",
        [](const Array<T> &projections, const Array<double> &views, Array<T> &out) {
            const auto given = input<3>(projections, "projections");
            const auto table = input<2>(views, "views");
            auto volume = output<3>(out, "out");
            require_shape<2>(table.shape, {given.shape[0], tilted_numbers}, "views");
            run([&] { backproject_footprint_tilted<T>(given, table, volume); });
        },
        exact("projections"), exact("views"), exact("out"),
        "Exact adjoint of project_footprint_tilted.");
}

} // namespace

void bind_ct_footprint(py::module_ &m) {
    def_footprint2d<float>(m);
    def_footprint2d<double>(m);
    def_footprint3d<float>(m);
    def_footprint3d<double>(m);
    def_footprint_tilted<float>(m);
    def_footprint_tilted<double>(m);
}

} // namespace pyrad::bind
