// Between images and the oversampled coil-interleaved grid: pad or crop, divide out the kernel's
// transform (apodisation), multiply by coil maps or combine with their conjugates, in one pass.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad {

using Shape3 = std::array<i64, 3>;

// grid[cell][c] = apodisation(pixel) images[c][pixel], 0 outside the image and in unused lanes.
// `apodisation` holds the factors of the three axes one after another.
template <class T>
void pad_images(const T *images, i64 coils, const Shape3 &size, const T *apodisation,
                const Shape3 &cells, i64 lanes, T *grid);
// Adjoint: images[c][pixel] = apodisation(pixel) grid[cell][c].
template <class T>
void crop_images(const T *grid, const Shape3 &cells, i64 lanes, const T *apodisation, i64 coils,
                 const Shape3 &size, T *images);

// grid[cell][c] = maps[pixel][c] image[pixel]; maps are interleaved and hold the apodisation.
template <class T>
void pad_maps(const T *image, const T *maps, const Shape3 &size, const Shape3 &cells, i64 lanes,
              T *grid);
// Adjoint: image[pixel] = sum_c conj(maps[pixel][c]) grid[cell][c].
template <class T>
void crop_maps(const T *grid, const T *maps, const Shape3 &cells, i64 lanes, const Shape3 &size,
               T *image);

} // namespace pyrad
