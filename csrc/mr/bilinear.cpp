// Derivative of (image, maps) -> image x maps and its adjoint, between pixels and the wrapped grid
// that the FFT works on, in one pass. M. Uecker et al., Magn. Reson. Med. 60 (2008),
// doi:10.1002/mrm.21691.
#include "mr/bilinear.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/gridding_math.hpp"

#include <algorithm>

namespace pyrad {
namespace {

constexpr i64 row_grain = 4;

template <class T>
PYRAD_CLONES void pad_pixels(const T *image, const T *maps, const T *d_image, const T *d_maps,
                             const T *factor, T scale, i64 lanes, i64 count, T *cells) {
    for (i64 i = 0; i < count; ++i) {
        const T f = scale * factor[i];
        const T a = f * image[2 * i], b = f * image[2 * i + 1];
        const T da = f * d_image[2 * i], db = f * d_image[2 * i + 1];
        const T *m = maps + 2 * i * lanes, *dm = d_maps + 2 * i * lanes;
        T *cell = cells + 2 * i * lanes;
        for (i64 c = 0; c < lanes; ++c) {
            cell[2 * c] = (da * m[2 * c] - db * m[2 * c + 1]) + (a * dm[2 * c] - b * dm[2 * c + 1]);
            cell[2 * c + 1] =
                (da * m[2 * c + 1] + db * m[2 * c]) + (a * dm[2 * c + 1] + b * dm[2 * c]);
        }
    }
}

template <class T>
PYRAD_CLONES void crop_pixels(const T *cells, const T *image, const T *maps, const T *factor,
                              T scale, i64 lanes, i64 count, T *d_image, T *d_maps) {
    for (i64 i = 0; i < count; ++i) {
        const T f = scale * factor[i];
        const T a = f * image[2 * i], b = f * image[2 * i + 1];
        const T *m = maps + 2 * i * lanes, *cell = cells + 2 * i * lanes;
        T *dm = d_maps + 2 * i * lanes, re = 0, im = 0;
        for (i64 c = 0; c < lanes; ++c) {
            re += m[2 * c] * cell[2 * c] + m[2 * c + 1] * cell[2 * c + 1];
            im += m[2 * c] * cell[2 * c + 1] - m[2 * c + 1] * cell[2 * c];
            dm[2 * c] = a * cell[2 * c] + b * cell[2 * c + 1];
            dm[2 * c + 1] = a * cell[2 * c + 1] - b * cell[2 * c];
        }
        d_image[2 * i] = f * re;
        d_image[2 * i + 1] = f * im;
    }
}

} // namespace

template <class T>
void bilinear_pad(const T *image, const T *maps, const T *d_image, const T *d_maps,
                  const T *factors, const Shape3 &size, const Shape3 &cells, i64 lanes, T *grid) {
    const i64 width = size[2];
    parallel_for(cells[0] * cells[1], row_grain, [&](i64 begin, i64 end, int) {
        for (i64 row = begin; row < end; ++row) {
            const i64 z = image_index(row / cells[1], size[0], cells[0]);
            const i64 y = image_index(row % cells[1], size[1], cells[1]);
            T *line = grid + 2 * row * cells[2] * lanes;
            if (z < 0 || y < 0) {
                std::fill(line, line + 2 * cells[2] * lanes, T(0));
                continue;
            }
            // The right half of the image comes first, then zeros, then the left half.
            const i64 left = width / 2, right = width - left, at = (z * size[1] + y) * width;
            const T scale = factors[z] * factors[size[0] + y], *along = factors + size[0] + size[1];
            const auto part = [&](i64 first, i64 count, i64 cell) {
                pad_pixels(image + 2 * (at + first), maps + 2 * (at + first) * lanes,
                           d_image + 2 * (at + first), d_maps + 2 * (at + first) * lanes,
                           along + first, scale, lanes, count, line + 2 * cell * lanes);
            };
            part(left, right, 0);
            std::fill(line + 2 * right * lanes, line + 2 * (cells[2] - left) * lanes, T(0));
            part(0, left, cells[2] - left);
        }
    });
}

template <class T>
void bilinear_crop(const T *grid, const T *image, const T *maps, const T *factors,
                   const Shape3 &size, const Shape3 &cells, i64 lanes, T *d_image, T *d_maps) {
    const i64 width = size[2];
    parallel_for(size[0] * size[1], row_grain, [&](i64 begin, i64 end, int) {
        for (i64 row = begin; row < end; ++row) {
            const i64 z = row / size[1], y = row % size[1], at = row * width;
            const i64 line =
                grid_index(z, size[0], cells[0]) * cells[1] + grid_index(y, size[1], cells[1]);
            const T scale = factors[z] * factors[size[0] + y], *along = factors + size[0] + size[1];
            const i64 left = width / 2;
            const auto part = [&](i64 first, i64 count, i64 cell) {
                crop_pixels(grid + 2 * (line * cells[2] + cell) * lanes, image + 2 * (at + first),
                            maps + 2 * (at + first) * lanes, along + first, scale, lanes, count,
                            d_image + 2 * (at + first), d_maps + 2 * (at + first) * lanes);
            };
            part(0, left, cells[2] - left);
            part(left, width - left, 0);
        }
    });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void bilinear_pad(const T *, const T *, const T *, const T *, const T *,              \
                               const Shape3 &, const Shape3 &, i64, T *);                          \
    template void bilinear_crop(const T *, const T *, const T *, const T *, const Shape3 &,        \
                                const Shape3 &, i64, T *, T *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad
