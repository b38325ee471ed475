// CUDA twin of grid_pad.cpp: one thread per grid cell and lane (pad) or per pixel (crop).
#include "mr/gridding_math.hpp"

namespace {

using namespace pyrad;

__device__ i64 thread_index() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }

struct Sizes {
    i64 size[3], cells[3];
};

// Pixel of a cell, -1 if it holds none; the pixel's index per axis in `at`.
__device__ i64 pixel_of(const Sizes &n, i64 cell, i64 *at) {
    at[2] = image_index(cell % n.cells[2], n.size[2], n.cells[2]);
    at[1] = image_index(cell / n.cells[2] % n.cells[1], n.size[1], n.cells[1]);
    at[0] = image_index(cell / n.cells[2] / n.cells[1], n.size[0], n.cells[0]);
    if (at[0] < 0 || at[1] < 0 || at[2] < 0)
        return -1;
    return (at[0] * n.size[1] + at[1]) * n.size[2] + at[2];
}

__device__ i64 cell_of(const Sizes &n, i64 pixel, i64 *at) {
    at[2] = pixel % n.size[2];
    at[1] = pixel / n.size[2] % n.size[1];
    at[0] = pixel / n.size[2] / n.size[1];
    return (grid_index(at[0], n.size[0], n.cells[0]) * n.cells[1] +
            grid_index(at[1], n.size[1], n.cells[1])) *
               n.cells[2] +
           grid_index(at[2], n.size[2], n.cells[2]);
}

template <class T> __device__ T factor(const T *apodisation, const Sizes &n, const i64 *at) {
    return apodisation[n.size[0] + n.size[1] + at[2]] *
           (apodisation[at[0]] * apodisation[n.size[0] + at[1]]);
}

template <class T>
__device__ void pad(const Complex<T> *images, const T *apodisation, const Sizes &n, int coils,
                    int lanes, Complex<T> *grid) {
    const i64 i = thread_index();
    if (i >= n.cells[0] * n.cells[1] * n.cells[2] * lanes)
        return;
    const int lane = static_cast<int>(i % lanes);
    i64 at[3];
    const i64 pixel = pixel_of(n, i / lanes, at), plane = n.size[0] * n.size[1] * n.size[2];
    grid[i] = pixel < 0 || lane >= coils
                  ? Complex<T>{0, 0}
                  : factor(apodisation, n, at) * images[lane * plane + pixel];
}

template <class T>
__device__ void crop(const Complex<T> *grid, const T *apodisation, const Sizes &n, int coils,
                     int lanes, Complex<T> *images) {
    const i64 i = thread_index(), plane = n.size[0] * n.size[1] * n.size[2];
    if (i >= plane * coils)
        return;
    i64 at[3];
    const i64 cell = cell_of(n, i % plane, at);
    images[i] = factor(apodisation, n, at) * grid[cell * lanes + i / plane];
}

template <class T>
__device__ void pad_maps(const Complex<T> *image, const Complex<T> *maps, const Sizes &n, int lanes,
                         Complex<T> *grid) {
    const i64 i = thread_index();
    if (i >= n.cells[0] * n.cells[1] * n.cells[2] * lanes)
        return;
    i64 at[3];
    const i64 pixel = pixel_of(n, i / lanes, at);
    grid[i] = pixel < 0 ? Complex<T>{0, 0} : maps[pixel * lanes + i % lanes] * image[pixel];
}

template <class T>
__device__ void crop_maps(const Complex<T> *grid, const Complex<T> *maps, const Sizes &n, int lanes,
                          Complex<T> *image) {
    const i64 pixel = thread_index();
    if (pixel >= n.size[0] * n.size[1] * n.size[2])
        return;
    i64 at[3];
    const i64 cell = cell_of(n, pixel, at);
    Complex<T> sum{0, 0};
    for (int lane = 0; lane < lanes; ++lane)
        sum = sum + conj(maps[pixel * lanes + lane]) * grid[cell * lanes + lane];
    image[pixel] = sum;
}

} // namespace

PYRAD_KERNEL(pad_c64)(const pyrad::Complex<float> *images, const float *apodisation,
                      long long size0, long long size1, long long size2, long long cells0,
                      long long cells1, long long cells2, int coils, int lanes,
                      pyrad::Complex<float> *grid) {
    pad(images, apodisation, {{size0, size1, size2}, {cells0, cells1, cells2}}, coils, lanes, grid);
}

PYRAD_KERNEL(crop_c64)(const pyrad::Complex<float> *grid, const float *apodisation, long long size0,
                       long long size1, long long size2, long long cells0, long long cells1,
                       long long cells2, int coils, int lanes, pyrad::Complex<float> *images) {
    crop(grid, apodisation, {{size0, size1, size2}, {cells0, cells1, cells2}}, coils, lanes,
         images);
}

PYRAD_KERNEL(pad_maps_c64)(const pyrad::Complex<float> *image, const pyrad::Complex<float> *maps,
                           long long size0, long long size1, long long size2, long long cells0,
                           long long cells1, long long cells2, int lanes,
                           pyrad::Complex<float> *grid) {
    pad_maps(image, maps, {{size0, size1, size2}, {cells0, cells1, cells2}}, lanes, grid);
}

PYRAD_KERNEL(crop_maps_c64)(const pyrad::Complex<float> *grid, const pyrad::Complex<float> *maps,
                            long long size0, long long size1, long long size2, long long cells0,
                            long long cells1, long long cells2, int lanes,
                            pyrad::Complex<float> *image) {
    crop_maps(grid, maps, {{size0, size1, size2}, {cells0, cells1, cells2}}, lanes, image);
}

PYRAD_KERNEL(pad_c128)(const pyrad::Complex<double> *images, const double *apodisation,
                       long long size0, long long size1, long long size2, long long cells0,
                       long long cells1, long long cells2, int coils, int lanes,
                       pyrad::Complex<double> *grid) {
    pad(images, apodisation, {{size0, size1, size2}, {cells0, cells1, cells2}}, coils, lanes, grid);
}

PYRAD_KERNEL(crop_c128)(const pyrad::Complex<double> *grid, const double *apodisation,
                        long long size0, long long size1, long long size2, long long cells0,
                        long long cells1, long long cells2, int coils, int lanes,
                        pyrad::Complex<double> *images) {
    crop(grid, apodisation, {{size0, size1, size2}, {cells0, cells1, cells2}}, coils, lanes,
         images);
}

PYRAD_KERNEL(pad_maps_c128)(const pyrad::Complex<double> *image, const pyrad::Complex<double> *maps,
                            long long size0, long long size1, long long size2, long long cells0,
                            long long cells1, long long cells2, int lanes,
                            pyrad::Complex<double> *grid) {
    pad_maps(image, maps, {{size0, size1, size2}, {cells0, cells1, cells2}}, lanes, grid);
}

PYRAD_KERNEL(crop_maps_c128)(const pyrad::Complex<double> *grid, const pyrad::Complex<double> *maps,
                             long long size0, long long size1, long long size2, long long cells0,
                             long long cells1, long long cells2, int lanes,
                             pyrad::Complex<double> *image) {
    crop_maps(grid, maps, {{size0, size1, size2}, {cells0, cells1, cells2}}, lanes, image);
}
