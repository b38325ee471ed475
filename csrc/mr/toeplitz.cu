// CUDA twin of toeplitz.cpp: what stands around cuFFT's transforms, one thread per cell and lane
// (load, times_spectrum, store_images) or per pixel (store_maps). Here the rows of `work` end at
// the spectrum's length.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

__device__ i64 thread_index() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }

// Rows (pixel row, cell, lane); cells beyond the image are 0.
template <class T>
__device__ void load_maps(const Complex<T> *images, const Complex<T> *maps, int sets, i64 rows,
                          i64 nx, i64 cells, int lanes, Complex<T> *work) {
    const i64 i = thread_index();
    if (i >= rows * cells * lanes)
        return;
    const i64 x = i / lanes % cells, pixel = i / lanes / cells * nx + x;
    Complex<T> sum{0, 0};
    for (int m = 0; m < sets && x < nx; ++m) {
        const i64 at = m * rows * nx + pixel;
        sum = sum + maps[at * lanes + i % lanes] * images[at];
    }
    work[i] = sum;
}

template <class T>
__device__ void load_images(const Complex<T> *images, i64 rows, i64 nx, i64 cells, int coils,
                            int lanes, Complex<T> *work) {
    const i64 i = thread_index();
    if (i >= rows * cells * lanes)
        return;
    const i64 x = i / lanes % cells, pixel = i / lanes / cells * nx + x;
    const int lane = static_cast<int>(i % lanes);
    work[i] = x < nx && lane < coils ? images[lane * rows * nx + pixel] : Complex<T>{0, 0};
}

template <class T>
__device__ void times_spectrum(Complex<T> *grid, const T *spectrum, i64 cells, int lanes) {
    const i64 i = thread_index();
    if (i < cells * lanes)
        grid[i] = spectrum[i / lanes] * grid[i];
}

template <class T>
__device__ void store_maps(const Complex<T> *work, const Complex<T> *maps, int sets, i64 rows,
                           i64 nx, i64 cells, int lanes, Complex<T> *images) {
    const i64 i = thread_index(), pixel = i % (rows * nx);
    if (i >= sets * rows * nx)
        return;
    const Complex<T> *cell = work + (pixel / nx * cells + pixel % nx) * lanes;
    Complex<T> sum{0, 0};
    for (int c = 0; c < lanes; ++c)
        sum = sum + conj(maps[i * lanes + c]) * cell[c];
    images[i] = sum;
}

template <class T>
__device__ void store_images(const Complex<T> *work, i64 rows, i64 nx, i64 cells, int coils,
                             int lanes, Complex<T> *images) {
    const i64 i = thread_index();
    if (i >= rows * nx * coils)
        return;
    const i64 pixel = i % (rows * nx);
    images[i] = work[(pixel / nx * cells + pixel % nx) * lanes + i / (rows * nx)];
}

} // namespace

PYRAD_KERNEL(load_maps_c64)
(const c64 *images, const c64 *maps, int sets, i64 rows, i64 nx, i64 cells, int lanes, c64 *work) {
    load_maps(images, maps, sets, rows, nx, cells, lanes, work);
}
PYRAD_KERNEL(load_maps_c128)
(const c128 *images, const c128 *maps, int sets, i64 rows, i64 nx, i64 cells, int lanes,
 c128 *work) {
    load_maps(images, maps, sets, rows, nx, cells, lanes, work);
}
PYRAD_KERNEL(load_images_c64)
(const c64 *images, i64 rows, i64 nx, i64 cells, int coils, int lanes, c64 *work) {
    load_images(images, rows, nx, cells, coils, lanes, work);
}
PYRAD_KERNEL(load_images_c128)
(const c128 *images, i64 rows, i64 nx, i64 cells, int coils, int lanes, c128 *work) {
    load_images(images, rows, nx, cells, coils, lanes, work);
}
PYRAD_KERNEL(times_spectrum_c64)(c64 *grid, const float *spectrum, i64 cells, int lanes) {
    times_spectrum(grid, spectrum, cells, lanes);
}
PYRAD_KERNEL(times_spectrum_c128)(c128 *grid, const double *spectrum, i64 cells, int lanes) {
    times_spectrum(grid, spectrum, cells, lanes);
}
PYRAD_KERNEL(store_maps_c64)
(const c64 *work, const c64 *maps, int sets, i64 rows, i64 nx, i64 cells, int lanes, c64 *images) {
    store_maps(work, maps, sets, rows, nx, cells, lanes, images);
}
PYRAD_KERNEL(store_maps_c128)
(const c128 *work, const c128 *maps, int sets, i64 rows, i64 nx, i64 cells, int lanes,
 c128 *images) {
    store_maps(work, maps, sets, rows, nx, cells, lanes, images);
}
PYRAD_KERNEL(store_images_c64)
(const c64 *work, i64 rows, i64 nx, i64 cells, int coils, int lanes, c64 *images) {
    store_images(work, rows, nx, cells, coils, lanes, images);
}
PYRAD_KERNEL(store_images_c128)
(const c128 *work, i64 rows, i64 nx, i64 cells, int coils, int lanes, c128 *images) {
    store_images(work, rows, nx, cells, coils, lanes, images);
}
