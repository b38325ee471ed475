// CUDA twin of differences.cpp: a thread owns a voxel and works out anew what it needs of its
// neighbours (from cache). difference_ascent leaves one pair of partial sums per block; the cut
// into blocks depends on the size alone, so the bits repeat.
#include "denoise/differences_math.hpp"

namespace pyrad::differences {
namespace {

constexpr int threads = 256;

// The grid as the launcher gives it: axes 0, 1, 2 are z, y, x; the first 3 - dims are not used.
template <class T> struct Volume {
    int dims;
    long long size[3];
    T inverse[3];

    __device__ Volume(int dims, long long nz, long long ny, long long nx, T iz, T iy, T ix)
        : dims(dims), size{nz, ny, nx}, inverse{iz, iy, ix} {}
    __device__ long long voxels() const { return size[0] * size[1] * size[2]; }
    __device__ long long stride(int axis) const {
        return axis == 2 ? 1 : axis == 1 ? size[2] : size[1] * size[2];
    }
    __device__ int first() const { return 3 - dims; }
};

struct Place {
    long long index, at[3];

    template <class T> __device__ Place(const Volume<T> &v, long long i) : index(i) {
        at[2] = i % v.size[2];
        at[1] = i / v.size[2] % v.size[1];
        at[0] = i / v.size[2] / v.size[1];
    }
    template <class T> __device__ Place before(const Volume<T> &v, int axis) const {
        Place p = *this;
        p.index -= v.stride(axis);
        p.at[axis] -= 1;
        return p;
    }
};

template <class T>
__device__ T difference_at(const T *x, const Volume<T> &v, const Place &p, int axis) {
    if (p.at[axis] + 1 >= v.size[axis])
        return 0;
    return (x[p.index + v.stride(axis)] - x[p.index]) * v.inverse[axis];
}

// Component `axis` of the flux at a voxel.
template <class T>
__device__ T flux_at(const T *x, const Volume<T> &v, const Place &p, int axis, T delta, bool huber,
                     bool isotropic) {
    if (!isotropic) {
        const T g = difference_at(x, v, p, axis);
        return g * flux_factor(g * g, delta, huber);
    }
    T square = 0, mine = 0;
    for (int d = v.first(); d < 3; ++d) {
        const T g = difference_at(x, v, p, d);
        square += g * g;
        if (d == axis)
            mine = g;
    }
    return mine * flux_factor(square, delta, huber);
}

template <class Body> __device__ void for_each(long long n, Body &&body) {
    const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
    for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < n;
         i += step)
        body(i);
}

template <class T> __device__ void difference(const T *x, Volume<T> v, T *out) {
    const long long n = v.voxels();
    for_each(n, [&](long long i) {
        const Place p(v, i);
        for (int d = v.first(); d < 3; ++d)
            out[(d - v.first()) * n + i] = difference_at(x, v, p, d);
    });
}

template <class T> __device__ void difference_adjoint(const T *field, Volume<T> v, T *out) {
    const long long n = v.voxels();
    for_each(n, [&](long long i) {
        const Place p(v, i);
        T sum = 0;
        for (int d = v.first(); d < 3; ++d) {
            const T *q = field + (d - v.first()) * n;
            if (p.at[d] > 0)
                sum += q[i - v.stride(d)] * v.inverse[d];
            if (p.at[d] + 1 < v.size[d])
                sum -= q[i] * v.inverse[d];
        }
        out[i] = sum;
    });
}

template <class T>
__device__ void difference_ascent(const T *x, Volume<T> v, T step, T radius, bool isotropic,
                                  T *field, double *partial) {
    __shared__ double sums[2][threads];
    const long long n = v.voxels();
    double changed = 0, size = 0;
    for_each(n, [&](long long i) {
        const Place p(v, i);
        T q[3] = {0, 0, 0}, former[3] = {0, 0, 0};
        for (int d = v.first(); d < 3; ++d) {
            const int k = d - v.first();
            former[k] = field[k * n + i];
            q[k] = former[k] + step * difference_at(x, v, p, d);
        }
        into_ball(q, v.dims, radius, isotropic);
        T c = 0, s = 0;
        for (int k = 0; k < v.dims; ++k) {
            field[k * n + i] = q[k];
            c += (q[k] - former[k]) * (q[k] - former[k]);
            s += q[k] * q[k];
        }
        changed += static_cast<double>(c);
        size += static_cast<double>(s);
    });
    sums[0][threadIdx.x] = changed;
    sums[1][threadIdx.x] = size;
    for (int half = threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            sums[0][threadIdx.x] += sums[0][threadIdx.x + half];
            sums[1][threadIdx.x] += sums[1][threadIdx.x + half];
        }
    }
    if (threadIdx.x == 0) {
        partial[2 * blockIdx.x] = sums[0][0];
        partial[2 * blockIdx.x + 1] = sums[1][0];
    }
}

template <class T>
__device__ void roughness_gradient(const T *x, Volume<T> v, T delta, bool huber, bool isotropic,
                                   T scale, T *out) {
    for_each(v.voxels(), [&](long long i) {
        const Place p(v, i);
        T sum = 0;
        for (int d = v.first(); d < 3; ++d) {
            T flow = -flux_at(x, v, p, d, delta, huber, isotropic);
            if (p.at[d] > 0)
                flow += flux_at(x, v, p.before(v, d), d, delta, huber, isotropic);
            sum += flow * (scale * v.inverse[d]);
        }
        out[i] += sum;
    });
}

} // namespace
} // namespace pyrad::differences

namespace pd = pyrad::differences;

PYRAD_KERNEL(difference_f32)(const float *x, int dims, long long nz, long long ny, long long nx,
                             float iz, float iy, float ix, float *out) {
    pd::difference(x, {dims, nz, ny, nx, iz, iy, ix}, out);
}

PYRAD_KERNEL(difference_f64)(const double *x, int dims, long long nz, long long ny, long long nx,
                             double iz, double iy, double ix, double *out) {
    pd::difference(x, {dims, nz, ny, nx, iz, iy, ix}, out);
}

PYRAD_KERNEL(difference_adjoint_f32)(const float *field, int dims, long long nz, long long ny,
                                     long long nx, float iz, float iy, float ix, float *out) {
    pd::difference_adjoint(field, {dims, nz, ny, nx, iz, iy, ix}, out);
}

PYRAD_KERNEL(difference_adjoint_f64)(const double *field, int dims, long long nz, long long ny,
                                     long long nx, double iz, double iy, double ix, double *out) {
    pd::difference_adjoint(field, {dims, nz, ny, nx, iz, iy, ix}, out);
}

PYRAD_KERNEL(difference_ascent_f32)(const float *x, int dims, long long nz, long long ny,
                                    long long nx, float iz, float iy, float ix, float step,
                                    float radius, int isotropic, float *field, double *partial) {
    pd::difference_ascent(x, {dims, nz, ny, nx, iz, iy, ix}, step, radius, isotropic != 0, field,
                          partial);
}

PYRAD_KERNEL(difference_ascent_f64)(const double *x, int dims, long long nz, long long ny,
                                    long long nx, double iz, double iy, double ix, double step,
                                    double radius, int isotropic, double *field, double *partial) {
    pd::difference_ascent(x, {dims, nz, ny, nx, iz, iy, ix}, step, radius, isotropic != 0, field,
                          partial);
}

PYRAD_KERNEL(roughness_gradient_f32)(const float *x, int dims, long long nz, long long ny,
                                     long long nx, float iz, float iy, float ix, float delta,
                                     int huber, int isotropic, float scale, float *out) {
    pd::roughness_gradient(x, {dims, nz, ny, nx, iz, iy, ix}, delta, huber != 0, isotropic != 0,
                           scale, out);
}

PYRAD_KERNEL(roughness_gradient_f64)(const double *x, int dims, long long nz, long long ny,
                                     long long nx, double iz, double iy, double ix, double delta,
                                     int huber, int isotropic, double scale, double *out) {
    pd::roughness_gradient(x, {dims, nz, ny, nx, iz, iy, ix}, delta, huber != 0, isotropic != 0,
                           scale, out);
}
