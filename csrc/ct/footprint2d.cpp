// Strip integrals of pixels: every pixel casts a trapezoid on the detector whose corners are those
// of the pixel and whose height is the chord through its centre (footprint_math.hpp),
//
//     p_k = sum over pixels of image * chord * area of the trapezoid over cell k,
//
// exact for parallel rays. The projection is parallel over views, each of which one task adds up;
// the adjoint over blocks of image lines, which sum their views in order: same bits for any
// threads.
#include "ct/footprint2d.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/footprint2d_parallel.hpp"
#include "ct/footprint_weights.hpp"

#include <algorithm>
#include <type_traits>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 block = footprint_block;
constexpr i64 lines_per_task = 8;
constexpr i64 read_ahead = 48; // of gather_wide

// row[first[i] + j] += weight[j][i] * line[i]. Neighbours meet the same columns, one sum waits for
// the other: four parts of the line take turns.
template <class T> void scatter(const FootprintBlock<T> &given, const T *line, i64 count, T *row) {
    const T *weight = given.weight.data();
    const auto add = [&](auto width) {
        const auto add_pixel = [&](i64 i) {
            T *at = row + given.first[i];
            const T value = line[i];
            for (i64 j = 0; j < width; ++j)
                at[j] += weight[j * block + i] * value;
        };
        constexpr i64 parts = 4, length = block / parts;
        if (count == block)
            for (i64 i = 0; i < length; ++i)
                for (i64 part = 0; part < parts; ++part)
                    add_pixel(part * length + i);
        else
            for (i64 i = 0; i < count; ++i)
                add_pixel(i);
    };
    switch (given.width) {
    case 1:
        return add(std::integral_constant<i64, 1>());
    case 2:
        return add(std::integral_constant<i64, 2>());
    case 3:
        return add(std::integral_constant<i64, 3>());
    case 4:
        return add(std::integral_constant<i64, 4>());
    default:
        return add(given.width);
    }
}

// line[i] += sum over j of weight[j][i] * row[first[i] + j]
template <class T>
PYRAD_CLONES void gather_any(const i32 *first, const T *weight, i64 width, const T *row, i64 count,
                             T *line) {
    alignas(64) T sum[block] = {};
    for (i64 j = 0; j < width; ++j)
        for (i64 i = 0; i < block; ++i)
            sum[i] += weight[j * block + i] * row[first[i] + j];
    for (i64 i = 0; i < count; ++i)
        line[i] += sum[i];
}

template <class T> void gather(const FootprintBlock<T> &given, const T *row, i64 count, T *line) {
    if constexpr (sizeof(T) == 4)
        if (footprint::gather_wide(given, row, count, line))
            return;
    gather_any(given.first, given.weight.data(), given.width, row, count, line);
}

} // namespace

template <class T>
void project_footprint2d(View<const T, 3> image, View<const double, 2> views, double arc,
                         double pitch_x, double pitch_y, View<T, 3> projections) {
    if (project_footprint_parallel(image, views, pitch_x, pitch_y, projections))
        return;
    const i64 slices = image.shape[0], ny = image.shape[1], nx = image.shape[2];
    const i64 columns = projections.shape[2];
    const FootprintPlane plane{arc, pitch_x, pitch_y, columns};
    parallel_for(views.shape[0], 1, [&](i64 begin, i64 end, int) {
        FootprintBlock<T> given;
        FootprintCorners corners[2];
        std::vector<T> rows;
        for (i64 v = begin; v < end; ++v) {
            const FootprintView view = footprint_view(&views(v, 0));
            const i64 stride = 2 * columns + 4; // count <= columns, first >= -1
            rows.assign(static_cast<size_t>(slices * stride), T(0));
            for (i64 x = 0; x < nx; x += block) {
                const i64 count = std::min(block, nx - x);
                footprint_corners<T>(view, plane, x, 0.0, corners[0]);
                for (i64 y = 0; y < ny; ++y) {
                    const FootprintCorners &above = corners[y & 1];
                    FootprintCorners &below = corners[(y + 1) & 1];
                    footprint_corners<T>(view, plane, x, static_cast<double>(y + 1), below);
                    footprint_block_weights(view, plane, x, y, above, below, given);
                    if (given.width > 0)
                        for (i64 s = 0; s < slices; ++s)
                            scatter(given, &image(s, y, x), count, rows.data() + s * stride + 1);
                }
                poll();
            }
            for (i64 s = 0; s < slices; ++s)
                std::copy_n(rows.data() + s * stride + 1, columns, &projections(v, s, 0));
        }
    });
}

template <class T>
void backproject_footprint2d(View<const T, 3> projections, View<const double, 2> views, double arc,
                             double pitch_x, double pitch_y, View<T, 3> image) {
    if (backproject_footprint_parallel(projections, views, pitch_x, pitch_y, image))
        return;
    const i64 slices = image.shape[0], ny = image.shape[1], nx = image.shape[2];
    const i64 columns = projections.shape[2];
    const FootprintPlane plane{arc, pitch_x, pitch_y, columns};
    parallel_for(ny, lines_per_task, [&](i64 begin, i64 end, int) {
        FootprintBlock<T> given;
        FootprintCorners corners[2];
        std::vector<T> row(static_cast<size_t>(2 * columns + 4 + read_ahead), T(0));
        for (i64 s = 0; s < slices; ++s)
            std::fill_n(&image(s, begin, 0), (end - begin) * nx, T(0));
        for (i64 v = 0; v < views.shape[0]; ++v) {
            const FootprintView view = footprint_view(&views(v, 0));
            for (i64 s = 0; s < slices; ++s) {
                std::copy_n(&projections(v, s, 0), columns, row.data() + 1);
                for (i64 x = 0; x < nx; x += block) {
                    const i64 count = std::min(block, nx - x);
                    footprint_corners<T>(view, plane, x, static_cast<double>(begin),
                                         corners[begin & 1]);
                    for (i64 y = begin; y < end; ++y) {
                        const FootprintCorners &above = corners[y & 1];
                        FootprintCorners &below = corners[(y + 1) & 1];
                        footprint_corners<T>(view, plane, x, static_cast<double>(y + 1), below);
                        footprint_block_weights(view, plane, x, y, above, below, given);
                        if (given.width > 0)
                            gather(given, row.data() + 1, count, &image(s, y, x));
                    }
                }
            }
            poll();
        }
    });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void project_footprint2d(View<const T, 3>, View<const double, 2>, double, double,     \
                                      double, View<T, 3>);                                         \
    template void backproject_footprint2d(View<const T, 3>, View<const double, 2>, double, double, \
                                          double, View<T, 3>);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad
