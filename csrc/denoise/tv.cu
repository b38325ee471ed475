// CUDA twin of tv.cpp, tv_fgp.cpp and tv_pdhg.cpp: one kernel per iteration. A thread owns a voxel
// and works out anew what it needs of its neighbours (from cache), so that each array crosses the
// memory bus once; results go to arrays of their own, which the launcher rotates.
#include "denoise/tv_math.hpp"
#include "denoise/volume.cuh"

namespace pyrad::tv {
namespace {

using volume::Axes;
using volume::for_each_voxel;
using volume::Int;
using volume::Sizes;

template <int D> struct Voxel : volume::Voxel<D> {
    using volume::Voxel<D>::Voxel;

    __device__ Voxel moved(int axis, int steps) const {
        Voxel v = *this;
        v.at[axis] += steps;
        v.index += steps * v.stride[axis];
        return v;
    }
};

// f + weight div q, q = p + momentum (p - old), in channel c.
template <class T, int D>
__device__ T fgp_image(const T *f, const T *p, const T *old, T momentum, const T *weight, int c,
                       const Voxel<D> &v) {
    T sum = 0;
    for (int d = 0; d < D; ++d) {
        const long long i = (c * D + d) * v.voxels + v.index, former = i - v.stride[d];
        T q = extrapolate(p[i], old[i], momentum);
        if (v.at[d] > 0)
            q -= extrapolate(p[former], old[former], momentum);
        sum += weight[d] * q;
    }
    return f[c * v.voxels + v.index] + sum;
}

template <bool Isotropic, int D, int C, class T>
__device__ void fgp_voxel(const T *f, const T *p, const T *old, T momentum, const T *weight,
                          const T *step, const Voxel<D> &v, T *out) {
    T r[C * D];
    for (int c = 0; c < C; ++c) {
        const T here = fgp_image<T, D>(f, p, old, momentum, weight, c, v);
        for (int d = 0; d < D; ++d) {
            const long long i = (c * D + d) * v.voxels + v.index;
            const T next = v.has_next(d)
                               ? fgp_image<T, D>(f, p, old, momentum, weight, c, v.moved(d, 1))
                               : here;
            r[c * D + d] = extrapolate(p[i], old[i], momentum) + step[d] * (next - here);
        }
    }
    project<Isotropic, D, C>(r);
    for (int k = 0; k < C * D; ++k)
        out[k * v.voxels + v.index] = r[k];
}

// The new dual vector of one voxel, r[channel * D + axis].
template <bool Isotropic, int D, int C, class T>
__device__ void pdhg_dual(const T *u, const T *old, T theta, const T *p, const T *step,
                          const Voxel<D> &v, T *r) {
    for (int c = 0; c < C; ++c) {
        const long long i = c * v.voxels + v.index;
        const T here = extrapolate(u[i], old[i], theta);
        for (int d = 0; d < D; ++d) {
            const long long j = i + (v.has_next(d) ? v.stride[d] : 0);
            r[c * D + d] = p[(c * D + d) * v.voxels + v.index] +
                           step[d] * (extrapolate(u[j], old[j], theta) - here);
        }
    }
    project<Isotropic, D, C>(r);
}

template <bool Isotropic, int D, int C, class T>
__device__ void pdhg_voxel(const T *f, const T *u, const T *old, T theta, T take, const T *weight,
                           const T *step, const T *p, const Voxel<D> &v, T *p_out, T *u_out) {
    T r[C * D], former[C * D], sum[C];
    pdhg_dual<Isotropic, D, C>(u, old, theta, p, step, v, r);
    for (int c = 0; c < C; ++c)
        sum[c] = 0;
    for (int d = 0; d < D; ++d) {
        for (int k = 0; k < C * D; ++k)
            former[k] = 0;
        if (v.at[d] > 0)
            pdhg_dual<Isotropic, D, C>(u, old, theta, p, step, v.moved(d, -1), former);
        for (int c = 0; c < C; ++c)
            sum[c] += weight[d] * (r[c * D + d] - former[c * D + d]);
    }
    for (int k = 0; k < C * D; ++k)
        p_out[k * v.voxels + v.index] = r[k];
    for (int c = 0; c < C; ++c) {
        const long long i = c * v.voxels + v.index;
        u_out[i] = u[i] + take * ((f[i] - u[i]) + sum[c]);
    }
}

template <bool Isotropic, int D, int C, class T>
__device__ void objective_voxel(const T *f, const T *u, const T *p, double weight,
                                const double *inverse, const Voxel<D> &v, double *primal,
                                double *dual) {
    double g[C * D], fidelity = 0;
    for (int c = 0; c < C; ++c) {
        const long long i = c * v.voxels + v.index;
        const double here = u[i], value = f[i];
        double divergence = 0;
        for (int d = 0; d < D; ++d) {
            const long long k = (c * D + d) * v.voxels + v.index;
            const double next = v.has_next(d) ? static_cast<double>(u[i + v.stride[d]]) : here;
            g[c * D + d] = (next - here) * inverse[d];
            const double former = v.at[d] > 0 ? static_cast<double>(p[k - v.stride[d]]) : 0.0;
            divergence += (p[k] - former) * inverse[d];
        }
        fidelity += (here - value) * (here - value);
        *dual -= weight * divergence * (value + 0.5 * weight * divergence);
    }
    *primal += 0.5 * fidelity + weight * magnitude<Isotropic, D, C>(g);
}

// Calls body(D, C, Isotropic) with compile-time constants.
template <class Body> __device__ void dispatch(int dims, int channels, int isotropic, Body &&body) {
    volume::dispatch(dims, channels, [&](auto d, auto c) {
        if (isotropic)
            body(d, c, Int<1>{});
        else
            body(d, c, Int<0>{});
    });
}

template <class T>
__device__ void fgp(const T *f, const T *p, const T *old, T *out, T momentum, const Axes<T> weight,
                    const Axes<T> step, long long nz, long long ny, long long nx, int dims,
                    int channels, int isotropic) {
    const Sizes sizes{nz, ny, nx};
    dispatch(dims, channels, isotropic, [&](auto d, auto c, auto iso) {
        constexpr int D = decltype(d)::value, C = decltype(c)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            fgp_voxel<decltype(iso)::value != 0, D, C>(f, p, old, momentum, weight.values,
                                                       step.values, Voxel<D>(sizes, z, y, x), out);
        });
    });
}

template <class T>
__device__ void pdhg(const T *f, const T *p, const T *u, const T *old, T *p_out, T *u_out, T theta,
                     T take, const Axes<T> weight, const Axes<T> step, long long nz, long long ny,
                     long long nx, int dims, int channels, int isotropic) {
    const Sizes sizes{nz, ny, nx};
    dispatch(dims, channels, isotropic, [&](auto d, auto c, auto iso) {
        constexpr int D = decltype(d)::value, C = decltype(c)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            pdhg_voxel<decltype(iso)::value != 0, D, C>(f, u, old, theta, take, weight.values,
                                                        step.values, p, Voxel<D>(sizes, z, y, x),
                                                        p_out, u_out);
        });
    });
}

template <class T>
__device__ void primal(const T *f, const T *p, T *out, const Axes<T> weight, long long nz,
                       long long ny, long long nx, int dims, int channels) {
    const Sizes sizes{nz, ny, nx};
    dispatch(dims, 1, 1, [&](auto d, auto, auto) {
        constexpr int D = decltype(d)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            const Voxel<D> v(sizes, z, y, x);
            for (int c = 0; c < channels; ++c)
                out[c * v.voxels + v.index] = fgp_image<T, D>(f, p, p, T(0), weight.values, c, v);
        });
    });
}

// parts[2 block], parts[2 block + 1]: this block's share of P and of D.
template <class T>
__device__ void objectives(const T *f, const T *u, const T *p, double weight,
                           const Axes<double> inverse, double *parts, long long nz, long long ny,
                           long long nx, int dims, int channels, int isotropic) {
    const Sizes sizes{nz, ny, nx};
    double primal_sum = 0, dual_sum = 0;
    dispatch(dims, channels, isotropic, [&](auto d, auto c, auto iso) {
        constexpr int D = decltype(d)::value, C = decltype(c)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            objective_voxel<decltype(iso)::value != 0, D, C>(
                f, u, p, weight, inverse.values, Voxel<D>(sizes, z, y, x), &primal_sum, &dual_sum);
        });
    });
    volume::store_block_terms({primal_sum, dual_sum}, 2, parts);
}

} // namespace
} // namespace pyrad::tv

PYRAD_KERNEL(tv_fgp_f32)(const float *f, const float *p, const float *old, float *out,
                         float momentum, float w0, float w1, float w2, float s0, float s1, float s2,
                         long long nz, long long ny, long long nx, int dims, int channels,
                         int isotropic) {
    pyrad::tv::fgp<float>(f, p, old, out, momentum, {{w0, w1, w2}}, {{s0, s1, s2}}, nz, ny, nx,
                          dims, channels, isotropic);
}

PYRAD_KERNEL(tv_fgp_f64)(const double *f, const double *p, const double *old, double *out,
                         double momentum, double w0, double w1, double w2, double s0, double s1,
                         double s2, long long nz, long long ny, long long nx, int dims,
                         int channels, int isotropic) {
    pyrad::tv::fgp<double>(f, p, old, out, momentum, {{w0, w1, w2}}, {{s0, s1, s2}}, nz, ny, nx,
                           dims, channels, isotropic);
}

PYRAD_KERNEL(tv_pdhg_f32)(const float *f, const float *p, const float *u, const float *old,
                          float *p_out, float *u_out, float theta, float take, float w0, float w1,
                          float w2, float s0, float s1, float s2, long long nz, long long ny,
                          long long nx, int dims, int channels, int isotropic) {
    pyrad::tv::pdhg<float>(f, p, u, old, p_out, u_out, theta, take, {{w0, w1, w2}}, {{s0, s1, s2}},
                           nz, ny, nx, dims, channels, isotropic);
}

PYRAD_KERNEL(tv_pdhg_f64)(const double *f, const double *p, const double *u, const double *old,
                          double *p_out, double *u_out, double theta, double take, double w0,
                          double w1, double w2, double s0, double s1, double s2, long long nz,
                          long long ny, long long nx, int dims, int channels, int isotropic) {
    pyrad::tv::pdhg<double>(f, p, u, old, p_out, u_out, theta, take, {{w0, w1, w2}}, {{s0, s1, s2}},
                            nz, ny, nx, dims, channels, isotropic);
}

PYRAD_KERNEL(tv_primal_f32)(const float *f, const float *p, float *out, float w0, float w1,
                            float w2, long long nz, long long ny, long long nx, int dims,
                            int channels) {
    pyrad::tv::primal<float>(f, p, out, {{w0, w1, w2}}, nz, ny, nx, dims, channels);
}

PYRAD_KERNEL(tv_primal_f64)(const double *f, const double *p, double *out, double w0, double w1,
                            double w2, long long nz, long long ny, long long nx, int dims,
                            int channels) {
    pyrad::tv::primal<double>(f, p, out, {{w0, w1, w2}}, nz, ny, nx, dims, channels);
}

PYRAD_KERNEL(tv_objectives_f32)(const float *f, const float *u, const float *p, double weight,
                                double i0, double i1, double i2, double *parts, long long nz,
                                long long ny, long long nx, int dims, int channels, int isotropic) {
    pyrad::tv::objectives<float>(f, u, p, weight, {{i0, i1, i2}}, parts, nz, ny, nx, dims, channels,
                                 isotropic);
}

PYRAD_KERNEL(tv_objectives_f64)(const double *f, const double *u, const double *p, double weight,
                                double i0, double i1, double i2, double *parts, long long nz,
                                long long ny, long long nx, int dims, int channels, int isotropic) {
    pyrad::tv::objectives<double>(f, u, p, weight, {{i0, i1, i2}}, parts, nz, ny, nx, dims,
                                  channels, isotropic);
}
