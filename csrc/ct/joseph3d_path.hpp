// What projection and adjoint of joseph3d_columns share: the paths of detector columns.
#pragma once

#include "ct/joseph3d_planes.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad::joseph {

constexpr i64 column_group = 16; // columns that are weighted and turned together

inline i64 round_up(i64 size, i64 step) { return (size + step - 1) / step * step; }

// One detector column of one view; rows count so that z grows with them.
template <class T> struct Column {
    i64 index;                                 // on the detector
    i64 begin, end;                            // planes where the column's rays may meet the volume
    T start, slope;                            // line at plane k: start + k * slope
    double base, base_slope, step, step_slope; // position of row 0, and from row to row

    T line_at(i64 k) const { return start + static_cast<T>(k) * slope; }
    T base_at(i64 k) const { return static_cast<T>(base + static_cast<double>(k) * base_slope); }
    T step_at(i64 k) const { return static_cast<T>(step + static_cast<double>(k) * step_slope); }
};

// One view with its rows turned so that z grows with them.
struct RowView {
    View3D view;
    Scan3D scan; // of the turned rows
    bool turned;

    RowView(const View3D &view, const Scan3D &given, i64 rows)
        : view(view), scan(given),
          turned((view.origin_v[2] + view.ray_v[2]) * given.row_pitch < 0) {
        if (turned) {
            scan.first_row += static_cast<double>(rows - 1) * given.row_pitch;
            scan.row_pitch = -given.row_pitch;
        }
    }
    i64 row(i64 r, i64 rows) const { return turned ? rows - 1 - r : r; }
};

// All columns [first, last) of one view that run along the planes' axis.
template <class T>
std::vector<Column<T>> take_columns(const RowView &rows, View<const double, 2> columns,
                                    const Planes<T> &planes, i64 first, i64 last);

// Length in mm between two planes for every row of a column; 0 where z is the dominant axis.
template <class T>
void weigh_rows(const RowView &rows, double a, double b, const Scan3D &scan, int axis, i64 count,
                T *weight);

// Rows [first, last) that any of the planes shows within the volume's (0, length + 1).
struct RowRange {
    i64 first, last;
};
template <class T>
RowRange rows_met(const Column<T> &column, i64 begin, i64 end, i64 length, i64 count) {
    double low = static_cast<double>(count), high = 0;
    for (const i64 k : {begin, end - 1}) { // the bounds are monotonic in k
        const double base = static_cast<double>(column.base_at(k));
        const double step = static_cast<double>(column.step_at(k));
        if (!(step > 1e-9))
            return {0, count};
        low = std::min(low, -base / step - 1e-2);
        high = std::max(high, (static_cast<double>(length + 1) - base) / step + 1e-2);
    }
    const double n = static_cast<double>(count);
    return {static_cast<i64>(std::floor(std::clamp(low, 0.0, n))),
            static_cast<i64>(std::ceil(std::clamp(high, 0.0, n)))};
}

} // namespace pyrad::joseph
