// Pad and crop between images and the oversampled grid (formulas in grid_pad.hpp). One task is a
// few rows; the transposition between planar images and interleaved cells happens within a row, in
// the first-level cache.
#include "mr/grid_pad.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/gridding_math.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 row_grain = 4;

// body(row of the grid, row of the image or -1, its apodisation) for every row of the grid.
template <class Body> void for_grid_rows(const Shape3 &size, const Shape3 &cells, Body &&body) {
    parallel_for(cells[0] * cells[1], row_grain, [&](i64 begin, i64 end, int) {
        for (i64 row = begin; row < end; ++row) {
            const i64 z = image_index(row / cells[1], size[0], cells[0]);
            const i64 y = image_index(row % cells[1], size[1], cells[1]);
            body(row, z < 0 || y < 0 ? -1 : z * size[1] + y, z, y);
        }
    });
}

template <class Body> void for_image_rows(const Shape3 &size, const Shape3 &cells, Body &&body) {
    parallel_for(size[0] * size[1], row_grain, [&](i64 begin, i64 end, int) {
        for (i64 row = begin; row < end; ++row) {
            const i64 z = row / size[1], y = row % size[1];
            body(grid_index(z, size[0], cells[0]) * cells[1] + grid_index(y, size[1], cells[1]),
                 row, z, y);
        }
    });
}

// Pixels [first, first + count) of every coil's row -> interleaved cells, and back.
template <class T>
PYRAD_CLONES void interleave(const T *images, i64 plane, i64 coils, i64 lanes, const T *factor,
                             T scale, i64 count, T *cells) {
    for (i64 c = 0; c < coils; ++c)
        for (i64 i = 0; i < count; ++i) {
            const T f = factor[i] * scale;
            cells[2 * (i * lanes + c)] = f * images[2 * (c * plane + i)];
            cells[2 * (i * lanes + c) + 1] = f * images[2 * (c * plane + i) + 1];
        }
    for (i64 i = 0; coils < lanes && i < count; ++i)
        std::fill(cells + 2 * (i * lanes + coils), cells + 2 * (i + 1) * lanes, T(0));
}

template <class T>
PYRAD_CLONES void deinterleave(const T *cells, i64 lanes, const T *factor, T scale, i64 count,
                               i64 coils, i64 plane, T *images) {
    for (i64 c = 0; c < coils; ++c)
        for (i64 i = 0; i < count; ++i) {
            const T f = factor[i] * scale;
            images[2 * (c * plane + i)] = f * cells[2 * (i * lanes + c)];
            images[2 * (c * plane + i) + 1] = f * cells[2 * (i * lanes + c) + 1];
        }
}

template <class T>
PYRAD_CLONES void times_maps(const T *image, const T *maps, i64 lanes, i64 count, T *cells) {
    for (i64 i = 0; i < count; ++i) {
        const T re = image[2 * i], im = image[2 * i + 1];
        const T *map = maps + 2 * i * lanes;
        T *cell = cells + 2 * i * lanes;
        for (i64 c = 0; c < lanes; ++c) {
            cell[2 * c] = map[2 * c] * re - map[2 * c + 1] * im;
            cell[2 * c + 1] = map[2 * c] * im + map[2 * c + 1] * re;
        }
    }
}

template <class T>
PYRAD_CLONES void combine_maps(const T *cells, const T *maps, i64 lanes, i64 count, T *image) {
    for (i64 i = 0; i < count; ++i) {
        const T *map = maps + 2 * i * lanes, *cell = cells + 2 * i * lanes;
        T re = 0, im = 0;
        for (i64 c = 0; c < lanes; ++c) {
            re += map[2 * c] * cell[2 * c] + map[2 * c + 1] * cell[2 * c + 1];
            im += map[2 * c] * cell[2 * c + 1] - map[2 * c + 1] * cell[2 * c];
        }
        image[2 * i] = re;
        image[2 * i + 1] = im;
    }
}

// A row of n pixels is two runs of the grid: the pixels from n / 2 on start at cell 0, those before
// end at the last cell.
template <class Run> void two_runs(i64 size, i64 cells, Run &&run) {
    const i64 half = size / 2;
    run(half, i64(0), size - half);
    run(i64(0), cells - half, half);
}

} // namespace

template <class T>
void pad_images(const T *images, i64 coils, const Shape3 &size, const T *apodisation,
                const Shape3 &cells, i64 lanes, T *grid) {
    const i64 plane = size[0] * size[1] * size[2];
    const T *fz = apodisation, *fy = fz + size[0], *fx = fy + size[1];
    for_grid_rows(size, cells, [&](i64 row, i64 image_row, i64 z, i64 y) {
        T *line = grid + row * cells[2] * lanes * 2;
        if (image_row < 0)
            return std::fill(line, line + cells[2] * lanes * 2, T(0)), void();
        const T *source = images + image_row * size[2] * 2;
        two_runs(size[2], cells[2], [&](i64 pixel, i64 cell, i64 count) {
            interleave(source + 2 * pixel, plane, coils, lanes, fx + pixel, fz[z] * fy[y], count,
                       line + cell * lanes * 2);
        });
        const i64 half = size[2] / 2;
        std::fill(line + (size[2] - half) * lanes * 2, line + (cells[2] - half) * lanes * 2, T(0));
    });
}

template <class T>
void crop_images(const T *grid, const Shape3 &cells, i64 lanes, const T *apodisation, i64 coils,
                 const Shape3 &size, T *images) {
    const i64 plane = size[0] * size[1] * size[2];
    const T *fz = apodisation, *fy = fz + size[0], *fx = fy + size[1];
    for_image_rows(size, cells, [&](i64 row, i64 image_row, i64 z, i64 y) {
        const T *line = grid + row * cells[2] * lanes * 2;
        T *target = images + image_row * size[2] * 2;
        two_runs(size[2], cells[2], [&](i64 pixel, i64 cell, i64 count) {
            deinterleave(line + cell * lanes * 2, lanes, fx + pixel, fz[z] * fy[y], count, coils,
                         plane, target + 2 * pixel);
        });
    });
}

template <class T>
void pad_maps(const T *image, const T *maps, const Shape3 &size, const Shape3 &cells, i64 lanes,
              T *grid) {
    for_grid_rows(size, cells, [&](i64 row, i64 image_row, i64, i64) {
        T *line = grid + row * cells[2] * lanes * 2;
        if (image_row < 0)
            return std::fill(line, line + cells[2] * lanes * 2, T(0)), void();
        const i64 at = image_row * size[2], half = size[2] / 2;
        two_runs(size[2], cells[2], [&](i64 pixel, i64 cell, i64 count) {
            times_maps(image + 2 * (at + pixel), maps + 2 * (at + pixel) * lanes, lanes, count,
                       line + cell * lanes * 2);
        });
        std::fill(line + (size[2] - half) * lanes * 2, line + (cells[2] - half) * lanes * 2, T(0));
    });
}

template <class T>
void crop_maps(const T *grid, const T *maps, const Shape3 &cells, i64 lanes, const Shape3 &size,
               T *image) {
    for_image_rows(size, cells, [&](i64 row, i64 image_row, i64, i64) {
        const T *line = grid + row * cells[2] * lanes * 2;
        const i64 at = image_row * size[2];
        two_runs(size[2], cells[2], [&](i64 pixel, i64 cell, i64 count) {
            combine_maps(line + cell * lanes * 2, maps + 2 * (at + pixel) * lanes, lanes, count,
                         image + 2 * (at + pixel));
        });
    });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void pad_images(const T *, i64, const Shape3 &, const T *, const Shape3 &, i64, T *); \
    template void crop_images(const T *, const Shape3 &, i64, const T *, i64, const Shape3 &,      \
                              T *);                                                                \
    template void pad_maps(const T *, const T *, const Shape3 &, const Shape3 &, i64, T *);        \
    template void crop_maps(const T *, const T *, const Shape3 &, i64, const Shape3 &, T *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)

} // namespace pyrad
