// Backprojection of filtered cone-beam projections of a scan that turns untilted about z.
#pragma once

#include "base/view.hpp"
#include "ct/backproject_cone_math.hpp"

namespace pyrad {

// Projections lie as [view][column][row]: `filtered` is (views, columns + 2, stride) with a column
// of zeros on both sides, and row r of a column at element row_pad + r; what lies outside
// 0 <= r < rows is zero, and stride >= rows + 2 * row_pad.
constexpr i64 row_pad = 32;

// What all voxels share; the numbers of one view are views[v] = (across's three coefficients of
// (x, y, 1), along's three, height of voxel z = 0 above the source in mm).
struct ConeScan {
    int rays; // ConeRays
    double centre_u, magnify_u, centre_v, magnify_v;
    double source_origin, climb;
    double step_z; // mm from one slice to the next
    i64 rows;
};

// out[z, y, x] = (add ? out : 0) + sum over views of weight * q_view(column, row), q bilinear.
template <class T>
void backproject_cone(View<const T, 3> filtered, View<const double, 2> views, const ConeScan &scan,
                      bool add, View<T, 3> out);

// --- between the tile kernels -------------------------------------------------------------------

constexpr i64 tile_z = 64, tile_x = 16, tile_y = 4;

template <class T> struct ConeTable {
    const T *value; // column 0, row 0 of view 0
    i64 view_stride, column_stride, columns, rows;
    const double *views; // seven numbers each
    ConeShape<T> shape;
    double step_z;
    i64 slices; // of the volume
};

template <class T>
ConeTable<T> make_table(View<const T, 3> filtered, View<const double, 2> views,
                        const ConeScan &scan, i64 slices) {
    const i64 stride = filtered.shape[2];
    return {filtered.data + stride + row_pad,
            filtered.shape[1] * stride,
            stride,
            filtered.shape[1] - 2,
            scan.rows,
            views.data,
            {static_cast<T>(scan.centre_u), static_cast<T>(scan.magnify_u),
             static_cast<T>(scan.centre_v), static_cast<T>(scan.magnify_v),
             static_cast<T>(scan.source_origin), static_cast<T>(scan.climb)},
            scan.step_z,
            slices};
}

// Adds views [begin, end) to a dense tile [tile_y][tile_x][tile_z] whose first voxel is (x, y, z).
template <class T>
using ConeKernel = void (*)(const ConeTable<T> &table, i64 begin, i64 end, i64 x, i64 y, i64 z,
                            T *tile);

// Kernels that permute rows out of registers where the portable loop gathers; null where the
// processor lacks them.
ConeKernel<float> permuting_cone_kernel(int rays);

// The columns and rows of tile_x neighbouring voxel columns in one view. Slice k lies at row
// first + k * rise; in groups of `Width` slices, slice g * Width + k lies at row
// start[g] + part[g] + k * rise, or, where all of a group is off the detector, on its margin.
template <class T, int Width> struct ConeLine {
    static constexpr int groups = static_cast<int>(tile_z) / Width;
    alignas(64) int column[tile_x]; // outside the detector: below -1
    alignas(64) T low[tile_x], high[tile_x], first[tile_x], rise[tile_x];
    alignas(64) int start[groups][tile_x];
    alignas(64) T part[groups][tile_x];
};

template <class T, int Rays, int Width>
__attribute__((always_inline)) inline void place(const ConeTable<T> &table, i64 view, i64 x, i64 y,
                                                 i64 z, ConeLine<T, Width> &line) {
    const double *a = table.views + 7 * view, *b = a + 3;
    const T across0 = static_cast<T>(a[0] * x + a[1] * y + a[2]), across1 = static_cast<T>(a[0]);
    const T along0 = static_cast<T>(b[0] * x + b[1] * y + b[2]), along1 = static_cast<T>(b[0]);
    const T height = static_cast<T>(a[6] + table.step_z * z);
    const T step = static_cast<T>(table.step_z), last = static_cast<T>(table.columns);
    const T below = T(2) - T(row_pad), above = static_cast<T>(table.rows);
    for (int i = 0; i < tile_x; ++i) {
        const ConePoint<T> point =
            cone_point<T, Rays>(across0 + i * across1, along0 + i * along1, table.shape);
        const T at = min_of(max_of(point.column, T(-1)), last);
        const int whole = min_of(static_cast<int>(at + T(1)), static_cast<int>(table.columns)) - 1;
        const T part = at - static_cast<T>(whole);
        const bool seen = point.column > T(-1) && point.column < last;
        line.column[i] = seen ? whole : -2;
        line.low[i] = point.weight * (T(1) - part);
        line.high[i] = point.weight * part;
        line.rise[i] = point.rise * step;
        line.first[i] = table.shape.centre_v + point.rise * (height - point.lift);
        for (int g = 0; g < ConeLine<T, Width>::groups; ++g) {
            const T row = min_of(max_of(line.first[i] + line.rise[i] * T(g * Width), below), above);
            const int base = static_cast<int>(row + T(row_pad)) - static_cast<int>(row_pad);
            line.start[g][i] = base;
            line.part[g][i] = row - static_cast<T>(base);
        }
    }
}

} // namespace pyrad
