#include "ct/joseph3d_path.hpp"

#include "base/simd.hpp"

namespace pyrad::joseph {
namespace {

// The column's path, or false if its rays have another dominant axis.
template <class T>
bool take_column(const RowView &rows, double a, double b, const Planes<T> &planes,
                 Column<T> &column) {
    const Path3D path = path3d(rows.view, rows.scan, a, b);
    if (path.axis != planes.axis)
        return false;
    column.start = static_cast<T>(path.start);
    column.slope = static_cast<T>(path.slope);
    column.base = path.base;
    column.base_slope = path.base_slope;
    column.step = path.step;
    column.step_slope = path.step_slope;
    const PlaneRange range = planes_met(path.start, path.slope, static_cast<double>(planes.lines),
                                        in_front(path.from, path.to, planes.count));
    column.begin = range.begin;
    column.end = range.end;
    return true;
}

// z of the direction of a column's rays: level + w * rise, at the detector's own rows.
struct Rise {
    double first_row, row_pitch, level, rise, pitch;
};

// weight[r] = sqrt(flat + z^2) / along for row first + r * turn; 0 where z is the dominant axis.
template <class T>
PYRAD_CLONES void weigh_lengths(const Rise &rise, double along, double flat, i64 first, i64 turn,
                                i64 count, T *weight) {
    for (i64 r = 0; r < count; ++r) {
        const double w = rise.first_row + static_cast<double>(first + r * turn) * rise.row_pitch;
        const double dz = rise.level + w * rise.rise, z = dz * rise.pitch;
        const double length = std::sqrt(flat + z * z) / along;
        weight[r] = static_cast<T>(size_of(dz) > along ? 0.0 : length);
    }
}

} // namespace

template <class T>
void weigh_rows(const RowView &rows, double a, double b, const Scan3D &scan, int axis, i64 count,
                T *weight) {
    const View3D &view = rows.view;
    const double dx = direction_at(view, 0, a, b, 0), dy = direction_at(view, 1, a, b, 0);
    const double x = dx * scan.pitch[0], y = dy * scan.pitch[1];
    const Rise rise = {scan.first_row, scan.row_pitch, a * view.ray[2] + b * view.ray_u[2],
                       view.ray_v[2], scan.pitch[2]};
    weigh_lengths(rise, size_of(axis == 0 ? dx : dy), x * x + y * y, rows.row(0, count),
                  i64(rows.turned ? -1 : 1), count, weight);
}

template <class T>
std::vector<Column<T>> take_columns(const RowView &rows, View<const double, 2> columns,
                                    const Planes<T> &planes, i64 first, i64 last) {
    std::vector<Column<T>> taken;
    for (i64 c = first; c < last; ++c) {
        Column<T> column;
        column.index = c;
        if (take_column(rows, columns(c, 0), columns(c, 1), planes, column))
            taken.push_back(column);
    }
    return taken;
}

#define PYRAD_INSTANCE(T)                                                                          \
    template std::vector<Column<T>> take_columns(const RowView &, View<const double, 2>,           \
                                                 const Planes<T> &, i64, i64);                     \
    template void weigh_rows(const RowView &, double, double, const Scan3D &, int, i64, T *);
PYRAD_INSTANCE(float)
PYRAD_INSTANCE(double)

} // namespace pyrad::joseph
