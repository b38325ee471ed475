// CUDA twin of diffusion.cpp: a thread owns a voxel and works out all fluxes around it; neighbours
// come through the caches. The two sides of a flux use one formula, so that the mean is kept to
// rounding.
#include "denoise/diffusion_math.hpp"

namespace pyrad::diffusion {
namespace {

template <class T> struct Image {
    const T *data;
    i64 nz, ny, stride; // rows with a margin of one sample at both ends

    __device__ const T *row(i64 z, i64 y) const {
        return data + (clamp<i64>(z, 0, nz - 1) * ny + clamp<i64>(y, 0, ny - 1)) * stride + 1;
    }
};

template <bool Reciprocal, bool Curvature, class T>
__device__ T divergence(const Image<T> &u, const Step<T> &step, i64 z, i64 y, i64 x) {
    const T iz = step.inverse[0], iy = step.inverse[1], ix = step.inverse[2];
    const T qz = T(0.25) * iz, qy = T(0.25) * iy, qx = T(0.25) * ix;
    const Scale<T> k(step.kappa);
    const auto along_z = [&](i64 z) {
        const T *const a = u.row(z, y) + x, *const b = u.row(z + 1, y) + x;
        const T *const pa = u.row(z, y + 1) + x, *const ma = u.row(z, y - 1) + x;
        const T *const pb = u.row(z + 1, y + 1) + x, *const mb = u.row(z + 1, y - 1) + x;
        return flux<Reciprocal, Curvature>((*b - *a) * iz,
                                           half_gradient(a[1], a[-1], b[1], b[-1], qx),
                                           half_gradient(*pa, *ma, *pb, *mb, qy), k);
    };
    const auto along_y = [&](i64 y) {
        const T *const a = u.row(z, y) + x, *const b = u.row(z, y + 1) + x;
        const T *const pa = u.row(z + 1, y) + x, *const ma = u.row(z - 1, y) + x;
        const T *const pb = u.row(z + 1, y + 1) + x, *const mb = u.row(z - 1, y + 1) + x;
        return flux<Reciprocal, Curvature>((*b - *a) * iy,
                                           half_gradient(a[1], a[-1], b[1], b[-1], qx),
                                           half_gradient(*pa, *ma, *pb, *mb, qz), k);
    };
    const T *const p = u.row(z, y + 1), *const m = u.row(z, y - 1), *const c = u.row(z, y);
    const T *const q = u.row(z + 1, y), *const n = u.row(z - 1, y);
    const auto along_x = [&](i64 b) { // before sample b
        return flux<Reciprocal, Curvature>((c[b] - c[b - 1]) * ix,
                                           half_gradient(p[b - 1], m[b - 1], p[b], m[b], qy),
                                           half_gradient(q[b - 1], n[b - 1], q[b], n[b], qz), k);
    };
    return (along_z(z) - along_z(z - 1)) * iz + (along_y(y) - along_y(y - 1)) * iy +
           (along_x(x + 1) - along_x(x)) * ix;
}

template <class T> __device__ T moved(const Image<T> &u, const Step<T> &step, i64 z, i64 y, i64 x) {
    const T speed = step.reciprocal  ? step.curvature ? divergence<true, true>(u, step, z, y, x)
                                                      : divergence<true, false>(u, step, z, y, x)
                    : step.curvature ? divergence<false, true>(u, step, z, y, x)
                                     : divergence<false, false>(u, step, z, y, x);
    const T *const c = u.row(z, y) + x;
    if (!step.curvature)
        return *c + step.tau * speed;
    const T inverse_kappa = T(1) / step.kappa;
    const T sz = step.inverse[0] * inverse_kappa, sy = step.inverse[1] * inverse_kappa;
    const T sx = step.inverse[2] * inverse_kappa;
    const T squares =
        upwind(speed, (c[0] - c[-1]) * sx, (c[1] - c[0]) * sx) +
        upwind(speed, (*c - u.row(z, y - 1)[x]) * sy, (u.row(z, y + 1)[x] - *c) * sy) +
        upwind(speed, (*c - u.row(z - 1, y)[x]) * sz, (u.row(z + 1, y)[x] - *c) * sz);
    return *c + step.tau * step.kappa * (speed * sqrt(squares));
}

template <class T>
__device__ void diffuse(const Image<T> &u, const Step<T> &step, i64 wide, T *out) {
    const i64 n = u.stride - 2, margin = wide == n ? 0 : 1;
    const i64 x = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 y = static_cast<i64>(blockIdx.y) * blockDim.y + threadIdx.y;
    if (x >= n || y >= u.ny)
        return;
    for (i64 z = blockIdx.z; z < u.nz; z += gridDim.z) {
        T *const row = out + (z * u.ny + y) * wide + margin;
        const T value = moved(u, step, z, y, x);
        row[x] = value;
        if (margin && x == 0)
            row[-1] = value;
        if (margin && x == n - 1)
            row[n] = value;
    }
}

template <class T> __device__ void squares(const Image<T> &u, const Step<T> &step, double *out) {
    const i64 n = u.stride - 2;
    const i64 x = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 y = static_cast<i64>(blockIdx.y) * blockDim.y + threadIdx.y;
    if (x >= n || y >= u.ny)
        return;
    double sum = 0;
    for (i64 z = 0; z < u.nz; ++z) {
        const T *const c = u.row(z, y) + x;
        const double dx = T(0.5) * step.inverse[2] * (c[1] - c[-1]);
        const double dy = T(0.5) * step.inverse[1] * (u.row(z, y + 1)[x] - u.row(z, y - 1)[x]);
        const double dz = T(0.5) * step.inverse[0] * (u.row(z + 1, y)[x] - u.row(z - 1, y)[x]);
        sum += dx * dx + dy * dy + dz * dz;
    }
    out[y * n + x] = sum;
}

} // namespace
} // namespace pyrad::diffusion

PYRAD_KERNEL(diffuse_f32)
(const float *u, long long nz, long long ny, long long stride, float iz, float iy, float ix,
 float tau, float kappa, int reciprocal, int curvature, long long wide, float *out) {
    const pyrad::diffusion::Step<float> step{
        {iz, iy, ix}, tau, kappa, reciprocal != 0, curvature != 0};
    pyrad::diffusion::diffuse(pyrad::diffusion::Image<float>{u, nz, ny, stride}, step, wide, out);
}

PYRAD_KERNEL(diffuse_f64)
(const double *u, long long nz, long long ny, long long stride, double iz, double iy, double ix,
 double tau, double kappa, int reciprocal, int curvature, long long wide, double *out) {
    const pyrad::diffusion::Step<double> step{
        {iz, iy, ix}, tau, kappa, reciprocal != 0, curvature != 0};
    pyrad::diffusion::diffuse(pyrad::diffusion::Image<double>{u, nz, ny, stride}, step, wide, out);
}

PYRAD_KERNEL(squared_gradient_f32)
(const float *u, long long nz, long long ny, long long stride, float iz, float iy, float ix,
 double *out) {
    const pyrad::diffusion::Step<float> step{{iz, iy, ix}, 0, 1, false, false};
    pyrad::diffusion::squares(pyrad::diffusion::Image<float>{u, nz, ny, stride}, step, out);
}

PYRAD_KERNEL(squared_gradient_f64)
(const double *u, long long nz, long long ny, long long stride, double iz, double iy, double ix,
 double *out) {
    const pyrad::diffusion::Step<double> step{{iz, iy, ix}, 0, 1, false, false};
    pyrad::diffusion::squares(pyrad::diffusion::Image<double>{u, nz, ny, stride}, step, out);
}
