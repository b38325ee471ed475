// Weighted filtered backprojection of a helix (Stierstorfer, Rauscher, Boese, Bruder, Schaller &
// Flohr 2004, doi 10.1088/0031-9155/49/11/007): fan rays are rebinned to parallel ones, filtered,
// and for every angle modulo half a turn the samples of all partners that hit a voxel are averaged
// with weights that fall smoothly to zero at the detector's upper and lower edge, so that each
// angle counts exactly once whatever the pitch.
#include "ct/backproject_helix.hpp"

#include "base/simd.hpp"
#include "ct/cone_blocks.hpp"
#include "ct/helix_math.hpp"

#include <cmath>

namespace pyrad {
namespace {

template <class T>
PYRAD_CLONES void rebin_view(View<const T, 3> x, const i64 *view, const i64 *column,
                             const T *view_part, const T *column_part, View<T, 3> out, i64 i) {
    const i64 rows = out.shape[1], columns = out.shape[2];
    const i64 next_view = x.shape[1] * x.shape[2];
    for (i64 r = 0; r < rows; ++r) {
        const T *row = x.data + r * x.shape[2];
        T *to = &out(i, r, 0);
        for (i64 c = 0; c < columns; ++c) {
            const T *p = row + view[c] * next_view + column[c];
            const T *q = view_part[c] > T(0) ? p + next_view : p;
            const i64 right = column_part[c] > T(0) ? 1 : 0;
            const T a = p[0] + column_part[c] * (p[right] - p[0]);
            const T b = q[0] + column_part[c] * (q[right] - q[0]);
            to[c] = a + view_part[c] * (b - a);
        }
    }
}

// The portable sampling kernel, and the oracle of the permuting ones.
template <class T>
PYRAD_CLONES void add_partner(const PartnerLine<T> &line, const PiWeight<T> &weight,
                              T *__restrict sum, T *__restrict weights) {
    const T *column = line.column, *other = column + line.stride;
    const T first = line.first, rise = line.rise, low = line.low, high = line.high;
    const T middle = weight.middle, edge = weight.edge, per_row = weight.per_row;
    const T last = static_cast<T>(line.rows - 1);
    for (int k = 0; k < tile_z; ++k) {
        const T row = first + rise * T(k);
        const T w = pi_weight(row, middle, edge, per_row);
        const T at = min_of(max_of(row, T(0)), last);
        const int whole = static_cast<int>(at);
        const T part = at - static_cast<T>(whole);
        const T a = low * column[whole] + high * other[whole];
        const T b = low * column[whole + 1] + high * other[whole + 1];
        sum[k] += w * (a + part * (b - a));
        weights[k] += w;
    }
}

template <class T> PartnerKernel<T> fast_kernel() { return nullptr; }
template <> PartnerKernel<float> fast_kernel() { return permuting_partner_kernel(); }

// Both are zero where nothing was seen.
template <class T> PYRAD_CLONES void divide(const T *sum, const T *weights, T *__restrict out) {
    for (int k = 0; k < tile_x * tile_z; ++k)
        out[k] += sum[k] / max_of(weights[k], T(1e-6));
}

// Adds one view of a group to the weighted sums of a row of voxel columns.
template <class T, int Rays>
PYRAD_CLONES void add_view(const ConeTable<T> &table, const PiWeight<T> &weight,
                           PartnerKernel<T> fast, i64 v, i64 x, i64 y, i64 z, T *sum, T *weights) {
    ConeLine<T, tile_z> line;
    place<T, Rays, tile_z>(table, v, x, y, z, line);
    const T *view = table.value + v * table.view_stride;
    for (int i = 0; i < tile_x; ++i) {
        const T top = line.first[i] + line.rise[i] * T(tile_z - 1);
        const bool missed =
            line.first[i] > weight.middle + weight.edge || top < weight.middle - weight.edge;
        if (line.column[i] < -1 || missed)
            continue;
        const PartnerLine<T> given{view + line.column[i] * table.column_stride,
                                   table.column_stride,
                                   line.low[i],
                                   line.high[i],
                                   line.first[i],
                                   line.rise[i],
                                   static_cast<int>(table.rows)};
        const auto kernel = fast && line.rise[i] < T(permuted_rise) ? fast : &add_partner<T>;
        kernel(given, weight, sum + i * tile_z, weights + i * tile_z);
    }
}

// Whether a view may see slices z .. z + tile_z - 1 of any voxel column: within the scanner a ray
// is at most two source distances long, and less than pi / 2 from the central one.
template <class T>
bool may_see(const ConeTable<T> &table, const PiWeight<T> &weight, i64 v, i64 z) {
    const double low = table.views[7 * v + 6] + table.step_z * z;
    const double high = low + table.step_z * (tile_z - 1);
    const double rise = table.shape.magnify_v / (2 * table.shape.source_origin);
    const double lift = 0.5 * M_PI * std::abs(table.shape.climb);
    const double middle = weight.middle - table.shape.centre_v;
    return low - lift <= std::max(middle + weight.edge, 0.0) / rise &&
           high + lift >= std::min(middle - weight.edge, 0.0) / rise;
}

// Groups [begin, end) onto a tile.
template <class T, int Rays>
void add_groups(const ConeTable<T> &table, i64 partners, const PiWeight<T> &weight, i64 begin,
                i64 end, i64 x, i64 y, i64 z, T *tile) {
    alignas(64) T sum[tile_x * tile_z], weights[tile_x * tile_z];
    const PartnerKernel<T> fast = fast_kernel<T>();
    for (i64 group = begin; group < end; ++group)
        for (i64 j = 0; j < tile_y; ++j) {
            std::fill_n(sum, tile_x * tile_z, T(0));
            std::fill_n(weights, tile_x * tile_z, T(0));
            for (i64 v = group * partners; v < (group + 1) * partners; ++v)
                if (may_see(table, weight, v, z))
                    add_view<T, Rays>(table, weight, fast, v, x, y + j, z, sum, weights);
            divide(sum, weights, tile + j * tile_x * tile_z);
        }
}

} // namespace

template <class T>
void rebin_rows(View<const T, 3> x, View<const double, 2> view_at, View<const double, 1> column_at,
                View<T, 3> out) {
    const i64 columns = out.shape[2];
    std::vector<i64> column(columns);
    std::vector<T> column_part(columns);
    for (i64 c = 0; c < columns; ++c) {
        column[c] = static_cast<i64>(std::floor(column_at(c)));
        column_part[c] = static_cast<T>(column_at(c) - column[c]);
    }
    parallel_for(out.shape[0], 1, [&](i64 begin, i64 end, int) {
        std::vector<i64> view(columns);
        std::vector<T> view_part(columns);
        for (i64 i = begin; i < end; ++i) {
            for (i64 c = 0; c < columns; ++c) {
                view[c] = static_cast<i64>(std::floor(view_at(i, c)));
                view_part[c] = static_cast<T>(view_at(i, c) - view[c]);
            }
            rebin_view(x, view.data(), column.data(), view_part.data(), column_part.data(), out, i);
        }
    });
}

template <class T>
void backproject_helix(View<const T, 3> filtered, View<const double, 2> views, const ConeScan &scan,
                       i64 partners, double feather, bool add, View<T, 3> out) {
    const ConeTable<T> table = make_table(filtered, views, scan, out.shape[0]);
    const double half = 0.5 * scan.rows;
    const PiWeight<T> weight{static_cast<T>(half - 0.5), static_cast<T>(half),
                             static_cast<T>(1 / (half * feather))};
    const auto kernel = scan.rays == rebinned_flat ? &add_groups<T, rebinned_flat>
                                                   : &add_groups<T, rebinned_curved>;
    cone_blocks::run(views.shape[0] / partners, add, out,
                     [&](i64 begin, i64 end, i64 x, i64 y, i64 z, T *tile) {
                         kernel(table, partners, weight, begin, end, x, y, z, tile);
                     });
}

template void rebin_rows(View<const float, 3>, View<const double, 2>, View<const double, 1>,
                         View<float, 3>);
template void rebin_rows(View<const double, 3>, View<const double, 2>, View<const double, 1>,
                         View<double, 3>);
template void backproject_helix(View<const float, 3>, View<const double, 2>, const ConeScan &, i64,
                                double, bool, View<float, 3>);
template void backproject_helix(View<const double, 3>, View<const double, 2>, const ConeScan &, i64,
                                double, bool, View<double, 3>);

} // namespace pyrad
