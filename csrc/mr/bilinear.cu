// CUDA twin of bilinear.cpp. bilinear_pad: one thread per cell and lane. bilinear_crop: `lanes`
// threads of a block stand for one pixel and add their parts in shared memory.
#include "mr/gridding_math.hpp"

namespace {

using namespace pyrad;

struct Sizes {
    i64 size[3], cells[3];
};

template <class T> __device__ T factor_at(const T *factors, const Sizes &n, i64 z, i64 y, i64 x) {
    return factors[z] * factors[n.size[0] + y] * factors[n.size[0] + n.size[1] + x];
}

template <class T>
__device__ void bilinear_pad(const Complex<T> *image, const Complex<T> *maps,
                             const Complex<T> *d_image, const Complex<T> *d_maps, const T *factors,
                             const Sizes &n, int lanes, Complex<T> *grid) {
    const i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= n.cells[0] * n.cells[1] * n.cells[2] * lanes)
        return;
    const i64 cell = i / lanes;
    const i64 x = image_index(cell % n.cells[2], n.size[2], n.cells[2]);
    const i64 y = image_index(cell / n.cells[2] % n.cells[1], n.size[1], n.cells[1]);
    const i64 z = image_index(cell / n.cells[2] / n.cells[1], n.size[0], n.cells[0]);
    if (x < 0 || y < 0 || z < 0) {
        grid[i] = {0, 0};
        return;
    }
    const i64 pixel = (z * n.size[1] + y) * n.size[2] + x, at = pixel * lanes + i % lanes;
    grid[i] =
        factor_at(factors, n, z, y, x) * (d_image[pixel] * maps[at] + image[pixel] * d_maps[at]);
}

template <class T>
__device__ void bilinear_crop(const Complex<T> *grid, const Complex<T> *image,
                              const Complex<T> *maps, const T *factors, const Sizes &n, int lanes,
                              Complex<T> *sums, Complex<T> *d_image, Complex<T> *d_maps) {
    const i64 pixels = n.size[0] * n.size[1] * n.size[2];
    const int per_block = blockDim.x / lanes, lane = threadIdx.x % lanes;
    const i64 pixel = static_cast<i64>(blockIdx.x) * per_block + threadIdx.x / lanes;
    if (pixel < pixels) {
        const i64 x = pixel % n.size[2], y = pixel / n.size[2] % n.size[1];
        const i64 z = pixel / n.size[2] / n.size[1];
        const i64 cell = (grid_index(z, n.size[0], n.cells[0]) * n.cells[1] +
                          grid_index(y, n.size[1], n.cells[1])) *
                             n.cells[2] +
                         grid_index(x, n.size[2], n.cells[2]);
        const Complex<T> r = factor_at(factors, n, z, y, x) * grid[cell * lanes + lane];
        sums[threadIdx.x] = conj(maps[pixel * lanes + lane]) * r;
        d_maps[pixel * lanes + lane] = conj(image[pixel]) * r;
    }
    __syncthreads();
    if (lane == 0 && pixel < pixels) {
        Complex<T> sum = sums[threadIdx.x];
        for (int c = 1; c < lanes; ++c)
            sum = sum + sums[threadIdx.x + c];
        d_image[pixel] = sum;
    }
}

} // namespace

PYRAD_KERNEL(bilinear_pad_c64)(const pyrad::Complex<float> *image,
                               const pyrad::Complex<float> *maps,
                               const pyrad::Complex<float> *d_image,
                               const pyrad::Complex<float> *d_maps, const float *factors,
                               long long size0, long long size1, long long size2, long long cells0,
                               long long cells1, long long cells2, int lanes,
                               pyrad::Complex<float> *grid) {
    bilinear_pad(image, maps, d_image, d_maps, factors,
                 {{size0, size1, size2}, {cells0, cells1, cells2}}, lanes, grid);
}

PYRAD_KERNEL(bilinear_pad_c128)(const pyrad::Complex<double> *image,
                                const pyrad::Complex<double> *maps,
                                const pyrad::Complex<double> *d_image,
                                const pyrad::Complex<double> *d_maps, const double *factors,
                                long long size0, long long size1, long long size2, long long cells0,
                                long long cells1, long long cells2, int lanes,
                                pyrad::Complex<double> *grid) {
    bilinear_pad(image, maps, d_image, d_maps, factors,
                 {{size0, size1, size2}, {cells0, cells1, cells2}}, lanes, grid);
}

PYRAD_KERNEL(bilinear_crop_c64)(const pyrad::Complex<float> *grid,
                                const pyrad::Complex<float> *image,
                                const pyrad::Complex<float> *maps, const float *factors,
                                long long size0, long long size1, long long size2, long long cells0,
                                long long cells1, long long cells2, int lanes,
                                pyrad::Complex<float> *d_image, pyrad::Complex<float> *d_maps) {
    PYRAD_DYNAMIC_SHARED(pyrad::Complex<float>, sums);
    bilinear_crop(grid, image, maps, factors, {{size0, size1, size2}, {cells0, cells1, cells2}},
                  lanes, sums, d_image, d_maps);
}

PYRAD_KERNEL(bilinear_crop_c128)(const pyrad::Complex<double> *grid,
                                 const pyrad::Complex<double> *image,
                                 const pyrad::Complex<double> *maps, const double *factors,
                                 long long size0, long long size1, long long size2,
                                 long long cells0, long long cells1, long long cells2, int lanes,
                                 pyrad::Complex<double> *d_image, pyrad::Complex<double> *d_maps) {
    PYRAD_DYNAMIC_SHARED(pyrad::Complex<double>, sums);
    bilinear_crop(grid, image, maps, factors, {{size0, size1, size2}, {cells0, cells1, cells2}},
                  lanes, sums, d_image, d_maps);
}
