// CUDA twin of tensor_diffusion.cpp: a thread owns a cell, or a voxel with the eight cells around
// it.
#include "denoise/tensor_diffusion_math.hpp"

namespace pyrad::tensor {
namespace {

template <class T> struct Image {
    const T *data;
    i64 nz, ny, nx; // rows have one more sample at both ends

    __device__ const T *row(i64 z, i64 y) const {
        return data + (clamp<i64>(z, 0, nz - 1) * ny + clamp<i64>(y, 0, ny - 1)) * (nx + 2) + 1;
    }
    __device__ Corners<T> corners(i64 z, i64 y) const {
        return {{{row(z - 1, y - 1), row(z - 1, y)}, {row(z, y - 1), row(z, y)}}};
    }
};

__device__ i64 thread_number() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }

template <class T>
__device__ void make(const Image<T> &image, T iz, T iy, T ix, bool edges, T kappa, T *tensor) {
    const i64 wide = image.nx + 1, high = image.ny + 1, cells = (image.nz + 1) * high * wide;
    const i64 at = thread_number();
    if (at >= cells)
        return;
    const T q = T(0.25);
    const Gradient<T> g = cell_gradient(image.corners(at / wide / high, at / wide % high),
                                        at % wide, q * iz, q * iy, q * ix);
    if (edges)
        return edge_tensor(g, kappa, tensor + at, cells);
    tensor[at + zz * cells] = g.z * g.z;
    tensor[at + yy * cells] = g.y * g.y;
    tensor[at + xx * cells] = g.x * g.x;
    tensor[at + zy * cells] = g.z * g.y;
    tensor[at + zx * cells] = g.z * g.x;
    tensor[at + yx * cells] = g.y * g.x;
}

template <class T>
__device__ void make_coherent(T *tensor, i64 nz, i64 ny, i64 nx, bool flat, T kappa, T alpha) {
    const i64 cells = nz * ny * nx, at = thread_number();
    if (at >= cells)
        return;
    const i64 z = at / nx / ny, y = at / nx % ny, x = at % nx;
    const bool face_z = z == 0 || z == nz - 1, face_y = y == 0 || y == ny - 1;
    const bool face_x = x == 0 || x == nx - 1;
    T *const j = tensor + at;
    if (face_z || face_y)
        j[zy * cells] = 0;
    if (face_z || face_x)
        j[zx * cells] = 0;
    if (face_y || face_x)
        j[yx * cells] = 0;
    coherence_tensor(j, cells, flat, kappa, alpha);
}

template <class T>
__device__ void move(const Image<T> &image, const T *tensor, T iz, T iy, T ix, T tau, i64 wide,
                     T *out) {
    const i64 at = thread_number(), nx = image.nx, ny = image.ny;
    if (at >= image.nz * ny * nx)
        return;
    const i64 z = at / nx / ny, y = at / nx % ny, x = at % nx;
    const i64 cells = (image.nz + 1) * (ny + 1) * (nx + 1);
    const T q = T(0.25), *const u = image.row(z, y) + x;
    T sum = 0;
    for (int k = 0; k < 8; ++k) { // an eighth of all fluxes around the voxel
        const int dz = k / 4, dy = k / 2 % 2, dx = k % 2;
        const i64 cz = z + dz, cy = y + dy, cx = x + dx;
        const T *const d = tensor + (cz * (ny + 1) + cy) * (nx + 1) + cx;
        const Gradient<T> m =
            mixed(d, cells, cell_gradient(image.corners(cz, cy), cx, q * iz, q * iy, q * ix));
        const T toward_z = image.row(z + 2 * dz - 1, y)[x] - *u;
        const T toward_y = image.row(z, y + 2 * dy - 1)[x] - *u;
        const T toward_x = u[2 * dx - 1] - *u;
        sum += (d[zz * cells] * toward_z * iz + (dz ? m.z : -m.z)) * iz +
               (d[yy * cells] * toward_y * iy + (dy ? m.y : -m.y)) * iy +
               (d[xx * cells] * toward_x * ix + (dx ? m.x : -m.x)) * ix;
    }
    const i64 margin = wide == nx ? 0 : 1;
    T *const row = out + (z * ny + y) * wide + margin;
    const T value = *u + tau * (q * sum);
    row[x] = value;
    if (margin && x == 0)
        row[-1] = value;
    if (margin && x == nx - 1)
        row[nx] = value;
}

} // namespace
} // namespace pyrad::tensor

PYRAD_KERNEL(edge_tensor_f32)
(const float *u, long long nz, long long ny, long long nx, float iz, float iy, float ix,
 float kappa, float *tensor) {
    pyrad::tensor::make(pyrad::tensor::Image<float>{u, nz, ny, nx}, iz, iy, ix, true, kappa,
                        tensor);
}

PYRAD_KERNEL(gradient_products_f32)
(const float *u, long long nz, long long ny, long long nx, float iz, float iy, float ix,
 float *tensor) {
    pyrad::tensor::make(pyrad::tensor::Image<float>{u, nz, ny, nx}, iz, iy, ix, false, float(1),
                        tensor);
}

PYRAD_KERNEL(coherence_tensor_f32)
(float *tensor, long long nz, long long ny, long long nx, int flat, float kappa, float alpha) {
    pyrad::tensor::make_coherent(tensor, nz, ny, nx, flat != 0, kappa, alpha);
}

PYRAD_KERNEL(tensor_step_f32)
(const float *u, const float *tensor, long long nz, long long ny, long long nx, float iz, float iy,
 float ix, float tau, long long wide, float *out) {
    pyrad::tensor::move(pyrad::tensor::Image<float>{u, nz, ny, nx}, tensor, iz, iy, ix, tau, wide,
                        out);
}

PYRAD_KERNEL(edge_tensor_f64)
(const double *u, long long nz, long long ny, long long nx, double iz, double iy, double ix,
 double kappa, double *tensor) {
    pyrad::tensor::make(pyrad::tensor::Image<double>{u, nz, ny, nx}, iz, iy, ix, true, kappa,
                        tensor);
}

PYRAD_KERNEL(gradient_products_f64)
(const double *u, long long nz, long long ny, long long nx, double iz, double iy, double ix,
 double *tensor) {
    pyrad::tensor::make(pyrad::tensor::Image<double>{u, nz, ny, nx}, iz, iy, ix, false, double(1),
                        tensor);
}

PYRAD_KERNEL(coherence_tensor_f64)
(double *tensor, long long nz, long long ny, long long nx, int flat, double kappa, double alpha) {
    pyrad::tensor::make_coherent(tensor, nz, ny, nx, flat != 0, kappa, alpha);
}

PYRAD_KERNEL(tensor_step_f64)
(const double *u, const double *tensor, long long nz, long long ny, long long nx, double iz,
 double iy, double ix, double tau, long long wide, double *out) {
    pyrad::tensor::move(pyrad::tensor::Image<double>{u, nz, ny, nx}, tensor, iz, iy, ix, tau, wide,
                        out);
}
