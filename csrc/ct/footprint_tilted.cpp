// Footprints on detectors in any pose: voxel by voxel, with the two trapezoids of
// footprint_tilted_math.hpp. Weights are made for a block of voxels at a time, columns and rows
// apart; then each voxel meets its few cells, four columns at once. The projection is parallel over
// views, the adjoint over lines of voxels, which sum their views in order: same bits for any
// threads.
#include "ct/footprint_tilted.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/footprint_tilted_math.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 block = 32;
constexpr i64 together = 4; // columns

// The shadows of a block of voxels along one detector axis: cells first[i] .. first[i] + count[i] -
// 1 with weight[j * block + i]. What falls before the axis is added up in cell -1.
template <class T> struct Profiles {
    alignas(64) double centre[block];
    alignas(64) T width[3][block];
    alignas(64) T plateau[block], end[block], up[block], scale[block], at[block];
    alignas(64) i32 first[block], count[block];
    std::vector<T> weight;
};

template <class T> struct Shadows {
    Profiles<T> columns, rows;
    alignas(64) T mass[block];
};

template <class T>
PYRAD_CLONES void locate(const TiltedView &view, i64 x, i64 y, i64 z, Shadows<T> &shadows) {
    Profiles<T> &columns = shadows.columns, &rows = shadows.rows;
    for (i64 i = 0; i < block; ++i) {
        const TiltedShadow<T> s = tilted_shadow<T>(view, static_cast<double>(x + i),
                                                   static_cast<double>(y), static_cast<double>(z));
        columns.centre[i] = s.column;
        rows.centre[i] = s.row;
        columns.width[0][i] = s.column_width[0];
        columns.width[1][i] = s.column_width[1];
        columns.width[2][i] = s.column_width[2];
        rows.width[0][i] = s.row_width[0];
        rows.width[1][i] = s.row_width[1];
        rows.width[2][i] = s.row_width[2];
        shadows.mass[i] = s.mass;
    }
}

// First cell and number of cells; a voxel without mass has none.
template <class T> PYRAD_CLONES void bound(i64 length, const T *mass, Profiles<T> &p) {
    const double cells = static_cast<double>(length);
    for (i64 i = 0; i < block; ++i) {
        const TiltedProfile<T> t = tilted_profile(p.width[0][i], p.width[1][i], p.width[2][i]);
        p.plateau[i] = t.plateau;
        p.end[i] = t.end;
        p.up[i] = t.up;
        p.scale[i] = t.scale;
        const double at = p.centre[i] + 0.5, end = t.end;
        const double begin = std::min(std::max(std::floor(at - end), -1.0), cells);
        const double last = std::min(std::floor(at + end), cells - 1);
        p.first[i] = static_cast<i32>(begin);
        const bool hit = mass[i] > T(0) && last >= 0 && last >= begin;
        p.count[i] = hit ? static_cast<i32>(std::max(last, -1.0) - begin + 1) : 0;
        p.at[i] = hit ? static_cast<T>(at - begin) : T(0);
    }
}

template <class T> PYRAD_CLONES void weigh(i64 most, Profiles<T> &p) {
    alignas(64) T left[block];
    for (i64 i = 0; i < block; ++i)
        left[i] = T(-0.5);
    for (i64 j = 0; j < most; ++j)
        for (i64 i = 0; i < block; ++i) {
            const TiltedProfile<T> t{p.plateau[i], p.end[i], p.up[i], p.scale[i]};
            const T z = static_cast<T>(j + 1) - p.at[i];
            const T here = tilted_area(t, z);
            p.weight[j * block + i] = std::max(here - left[i], T(0));
            left[i] = here;
        }
}

// False where no voxel of the block meets the detector.
template <class T>
bool cast(const TiltedView &view, i64 rows, i64 columns, i64 x, i64 y, i64 z, Shadows<T> &shadows) {
    locate(view, x, y, z, shadows);
    Profiles<T> *axes[2] = {&shadows.columns, &shadows.rows};
    const i64 length[2] = {columns, rows};
    for (int d = 0; d < 2; ++d) {
        bound(length[d], shadows.mass, *axes[d]);
        const i64 most = *std::max_element(axes[d]->count, axes[d]->count + block);
        if (most == 0)
            return false;
        const i64 padded = (most + together - 1) / together * together;
        if (static_cast<i64>(axes[d]->weight.size()) < padded * block)
            axes[d]->weight.resize(padded * block);
        weigh(padded, *axes[d]);
    }
    return true;
}

// One view between spare columns: -1 and, behind, what four at once may touch.
struct Plane {
    i64 rows, columns, stride;
    Plane(i64 rows, i64 columns) : rows(rows), columns(columns), stride(columns + 2 + together) {}
    i64 size() const { return rows * stride; }
    i64 at(i64 row, i64 column) const { return row * stride + column + 1; }
};

// Calls body(first cell, four column weights times mass, row weight) for the cells of voxel i.
template <class T, class Body>
inline void each_cell(const Shadows<T> &s, const Plane &plane, i64 i, Body body) {
    const Profiles<T> &columns = s.columns, &rows = s.rows;
    if (columns.count[i] == 0)
        return;
    for (i64 j = 0; j < columns.count[i]; j += together) {
        T weight[together];
        for (i64 n = 0; n < together; ++n)
            weight[n] = s.mass[i] * columns.weight[(j + n) * block + i];
        for (i64 r = std::max<i64>(0, -rows.first[i]); r < rows.count[i]; ++r)
            body(plane.at(rows.first[i] + r, columns.first[i] + j), weight,
                 rows.weight[r * block + i]);
    }
}

} // namespace

template <class T>
void project_footprint_tilted(View<const T, 3> volume, View<const double, 2> views,
                              View<T, 3> projections) {
    const i64 nz = volume.shape[0], ny = volume.shape[1], nx = volume.shape[2];
    const Plane plane(projections.shape[1], projections.shape[2]);
    parallel_for(views.shape[0], 1, [&](i64 begin, i64 end, int) {
        Shadows<T> shadows;
        std::vector<T> cells;
        for (i64 v = begin; v < end; ++v) {
            const TiltedView view = tilted_view(&views(v, 0));
            cells.assign(static_cast<size_t>(plane.size()), T(0));
            for (i64 z = 0; z < nz; ++z) {
                for (i64 y = 0; y < ny; ++y)
                    for (i64 x = 0; x < nx; x += block) {
                        if (!cast(view, plane.rows, plane.columns, x, y, z, shadows))
                            continue;
                        const T *line = &volume(z, y, x);
                        for (i64 i = 0; i < std::min(block, nx - x); ++i)
                            each_cell(shadows, plane, i, [&](i64 at, const T *weight, T row) {
                                const T value = row * line[i];
                                T *to = cells.data() + at;
                                for (i64 n = 0; n < together; ++n)
                                    to[n] += weight[n] * value;
                            });
                    }
                poll();
            }
            for (i64 r = 0; r < plane.rows; ++r)
                std::copy_n(cells.data() + plane.at(r, 0), plane.columns, &projections(v, r, 0));
        }
    });
}

template <class T>
void backproject_footprint_tilted(View<const T, 3> projections, View<const double, 2> views,
                                  View<T, 3> volume) {
    const i64 nz = volume.shape[0], ny = volume.shape[1], nx = volume.shape[2];
    const Plane plane(projections.shape[1], projections.shape[2]);
    std::vector<T> cells(static_cast<size_t>(plane.size()), T(0));
    std::fill_n(volume.data, volume.size(), T(0));
    for (i64 v = 0; v < views.shape[0]; ++v) {
        const TiltedView view = tilted_view(&views(v, 0));
        for (i64 r = 0; r < plane.rows; ++r)
            std::copy_n(&projections(v, r, 0), plane.columns, cells.data() + plane.at(r, 0));
        parallel_for(nz * ny, 16, [&](i64 begin, i64 end, int) {
            Shadows<T> shadows;
            for (i64 zy = begin; zy < end; ++zy)
                for (i64 x = 0; x < nx; x += block) {
                    if (!cast(view, plane.rows, plane.columns, x, zy % ny, zy / ny, shadows))
                        continue;
                    T *line = &volume(zy / ny, zy % ny, x);
                    for (i64 i = 0; i < std::min(block, nx - x); ++i) {
                        T sum[together] = {};
                        each_cell(shadows, plane, i, [&](i64 at, const T *weight, T row) {
                            const T *from = cells.data() + at;
                            for (i64 n = 0; n < together; ++n)
                                sum[n] += weight[n] * (row * from[n]);
                        });
                        line[i] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
                    }
                }
        });
    }
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void project_footprint_tilted(View<const T, 3>, View<const double, 2>, View<T, 3>);   \
    template void backproject_footprint_tilted(View<const T, 3>, View<const double, 2>, View<T, 3>);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad
