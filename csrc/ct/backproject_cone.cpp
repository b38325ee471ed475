// Backprojection step of FDK (Feldkamp, Davis & Kress 1984, doi 10.1364/JOSAA.1.000612):
//
//     f(x, y, z) = sum_view w(x, y) q_view(u(x, y), v(x, y, z))
//
// where the source and an upright detector turn about z, so that column u and weight w do not
// depend on z and row v is linear in it (backproject_cone_math.hpp). The projections lie with
// their rows innermost: the two columns next to u are blended by w (1 - f) and w f, and z runs
// along the blend.
#include "ct/backproject_cone.hpp"

#include "base/simd.hpp"
#include "ct/cone_blocks.hpp"

namespace pyrad {
namespace {

// The portable tile kernel, and the oracle of the permuting ones; rows may advance by any step.
template <class T, int Rays>
PYRAD_CLONES void add_views(const ConeTable<T> &table, i64 begin, i64 end, i64 x, i64 y, i64 z,
                            T *tile) {
    ConeLine<T, tile_z> line;
    const int rows = static_cast<int>(table.rows);
    for (i64 v = begin; v < end; ++v)
        for (i64 row = 0; row < tile_y; ++row) {
            place<T, Rays, tile_z>(table, v, x, y + row, z, line);
            for (int i = 0; i < tile_x; ++i) {
                if (line.column[i] < -1)
                    continue;
                const T *p =
                    table.value + v * table.view_stride + line.column[i] * table.column_stride;
                const T *q = p + table.column_stride;
                const T low = line.low[i], high = line.high[i];
                const T first = line.first[i], rise = line.rise[i];
                T *out = tile + (row * tile_x + i) * tile_z;
                for (int k = 0; k < tile_z; ++k) {
                    const T at = min_of(max_of(first + rise * T(k), T(-1)), T(rows));
                    const int whole = static_cast<int>(at + T(1)) - 1;
                    const T part = at - static_cast<T>(whole);
                    const T a = low * p[whole] + high * q[whole];
                    const T b = low * p[whole + 1] + high * q[whole + 1];
                    out[k] += a + part * (b - a);
                }
            }
        }
}

template <class T> ConeKernel<T> portable_kernel(int rays) {
    switch (rays) {
    case flat:
        return &add_views<T, flat>;
    case curved:
        return &add_views<T, curved>;
    case rebinned_flat:
        return &add_views<T, rebinned_flat>;
    default:
        return &add_views<T, rebinned_curved>;
    }
}

template <class T> ConeKernel<T> fast_kernel(int) { return nullptr; }
template <> ConeKernel<float> fast_kernel<float>(int rays) { return permuting_cone_kernel(rays); }

} // namespace

template <class T>
void backproject_cone(View<const T, 3> filtered, View<const double, 2> views, const ConeScan &scan,
                      bool add, View<T, 3> out) {
    const ConeTable<T> table = make_table(filtered, views, scan, out.shape[0]);
    ConeKernel<T> kernel = fast_kernel<T>(scan.rays);
    if (!kernel)
        kernel = portable_kernel<T>(scan.rays);
    cone_blocks::run(views.shape[0], add, out,
                     [&](i64 begin, i64 end, i64 x, i64 y, i64 z, T *tile) {
                         kernel(table, begin, end, x, y, z, tile);
                     });
}

template void backproject_cone(View<const float, 3>, View<const double, 2>, const ConeScan &, bool,
                               View<float, 3>);
template void backproject_cone(View<const double, 3>, View<const double, 2>, const ConeScan &, bool,
                               View<double, 3>);

} // namespace pyrad
