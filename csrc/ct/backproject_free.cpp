// Backprojection step of FDK (Feldkamp, Davis & Kress 1984, doi 10.1364/JOSAA.1.000612) for any
// orbit, tilt and jitter: a projection matrix per view,
//
//     f(x) = sum_view q_view(a.x / c.x, b.x / c.x) / (c.x)^2
//
// with one division per voxel and view. On an upright orbit it gives what backproject_cone gives.
#include "ct/backproject_free.hpp"

#include "base/simd.hpp"
#include "ct/backproject_free_math.hpp"
#include "ct/cone_blocks.hpp"

namespace pyrad {
namespace {

template <class T> struct FreeTable {
    const T *value; // column 0, row 0 of view 0
    i64 view_stride;
    int column_stride, columns, rows;
    const double *matrices;
};

template <class T>
PYRAD_CLONES void add_line(const T *value, const T *start, const T *step, int stride, int columns,
                           int rows, T *__restrict out) {
    const T last = static_cast<T>(columns), bottom = static_cast<T>(rows);
    for (int k = 0; k < tile_z; ++k) {
        const FreeSample<T> sample = free_sample(
            start[0] + step[0] * T(k), start[1] + step[1] * T(k), start[2] + step[2] * T(k));
        const T u = min_of(max_of(sample.column, T(-1)), last);
        const T v = min_of(max_of(sample.row, T(-1)), bottom);
        const int column = min_of(static_cast<int>(u + T(1)), columns) - 1;
        const int row = static_cast<int>(v + T(1)) - 1;
        const T right = u - static_cast<T>(column), down = v - static_cast<T>(row);
        const int at = column * stride + row;
        const T a = value[at] + right * (value[at + stride] - value[at]);
        const T b = value[at + 1] + right * (value[at + stride + 1] - value[at + 1]);
        out[k] += sample.weight * (a + down * (b - a));
    }
}

template <class T> FreeKernel<T> fast_kernel() { return nullptr; }
template <> FreeKernel<float> fast_kernel() { return gathering_free_kernel(); }

template <class T>
void add_views(const FreeTable<T> &table, FreeKernel<T> kernel, i64 begin, i64 end, i64 x, i64 y,
               i64 z, T *tile) {
    for (i64 v = begin; v < end; ++v) {
        const double *m = table.matrices + matrix_size * v;
        const T *value = table.value + v * table.view_stride;
        const T step[3] = {static_cast<T>(m[2]), static_cast<T>(m[6]), static_cast<T>(m[10])};
        for (i64 j = 0; j < tile_y; ++j)
            for (i64 i = 0; i < tile_x; ++i) {
                T start[3];
                for (int c = 0; c < 3; ++c)
                    start[c] = static_cast<T>(m[4 * c] * (x + i) + m[4 * c + 1] * (y + j) +
                                              m[4 * c + 2] * z + m[4 * c + 3]);
                kernel(value, start, step, table.column_stride, table.columns, table.rows,
                       tile + (j * tile_x + i) * tile_z);
            }
    }
}

} // namespace

template <class T>
void backproject_free(View<const T, 3> filtered, i64 rows, View<const double, 2> matrices, bool add,
                      View<T, 3> out) {
    const i64 stride = filtered.shape[2];
    const FreeTable<T> table{
        filtered.data + stride + row_pad, filtered.shape[1] * stride,
        static_cast<int>(stride),         static_cast<int>(filtered.shape[1] - 2),
        static_cast<int>(rows),           matrices.data};
    const FreeKernel<T> fast = fast_kernel<T>(), kernel = fast ? fast : &add_line<T>;
    cone_blocks::run(matrices.shape[0], add, out,
                     [&](i64 begin, i64 end, i64 x, i64 y, i64 z, T *tile) {
                         add_views(table, kernel, begin, end, x, y, z, tile);
                     });
}

template void backproject_free(View<const float, 3>, i64, View<const double, 2>, bool,
                               View<float, 3>);
template void backproject_free(View<const double, 3>, i64, View<const double, 2>, bool,
                               View<double, 3>);

} // namespace pyrad
