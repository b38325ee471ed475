#include "bindings/bind.hpp"

#include "ct/joseph3d.hpp"

namespace pyrad::bind {
namespace {

// The numbers that all views share: first row, row pitch, voxel size (x, y, z); divergent or not.
Scan3D scan_of(const Array<double> &scan, bool divergent) {
    const auto n = input<1>(scan, "scan");
    require_shape<1>(n.shape, {5}, "scan");
    return {n(0), n(1), {n(2), n(3), n(4)}, divergent};
}

void check_joseph3d_tables(const View<const double, 2> &views, const View<const double, 2> &columns,
                           const std::array<i64, 3> &projections) {
    require_shape<2>(views.shape, {projections[0], view3d_numbers}, "views");
    require_shape<2>(columns.shape, {projections[2], 2}, "columns");
}

template <class T> void def_joseph3d(py::module_ &m) {
    m.def(
        "project3d",
        [](const Array<T> &volume, const Array<double> &views, const Array<double> &columns,
           const Array<double> &scan, bool divergent, Array<T> &out) {
            const auto voxels = input<3>(volume, "volume");
            const auto table = input<2>(views, "views");
            const auto detector = input<2>(columns, "columns");
            const Scan3D shared = scan_of(scan, divergent);
            auto projections = output<3>(out, "out");
            check_joseph3d_tables(table, detector, projections.shape);
            if (voxels.size() && projections.size())
                run([&] { project3d<T>(voxels, table, detector, shared, projections); });
        },
        exact("volume"), exact("views"), exact("columns"), exact("scan"), "divergent"_a,
        exact("out"), "Adds line integrals with bilinear interpolation (Joseph) to out.");
    m.def(
        "backproject3d",
        [](const Array<T> &projections, const Array<double> &views, const Array<double> &columns,
           const Array<double> &scan, bool divergent, Array<T> &out) {
            const auto given = input<3>(projections, "projections");
            const auto table = input<2>(views, "views");
            const auto detector = input<2>(columns, "columns");
            const Scan3D shared = scan_of(scan, divergent);
            auto volume = output<3>(out, "out");
            check_joseph3d_tables(table, detector, given.shape);
            if (volume.size() && given.size())
                run([&] { backproject3d<T>(given, table, detector, shared, volume); });
        },
        exact("projections"), exact("views"), exact("columns"), exact("scan"), "divergent"_a,
        exact("out"), "Adds the exact adjoint of project3d to out.");
}

} // namespace

void bind_ct_joseph3d(py::module_ &m) {
    def_joseph3d<float>(m);
    def_joseph3d<double>(m);
}

} // namespace pyrad::bind
