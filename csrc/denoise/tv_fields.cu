// CUDA twin of tv_fields.cpp: one kernel per step, a thread owns a voxel and goes through its
// channels twice (differences and their Gram matrix, then the projection), the second time from
// cache.
#include "denoise/tv_fields_math.hpp"
#include "denoise/volume.cuh"

namespace pyrad::tv {
namespace {

using volume::Axes;
using volume::for_each_voxel;
using volume::Sizes;

template <int D> using Cell = volume::Voxel<D>;

template <int D>
__device__ bool is_linked(const Cell<D> &v, const unsigned char *links, int has_links, int d) {
    return v.has_next(d) && (!has_links || (links[v.index] >> d) & 1);
}

template <class T> struct DualArguments {
    const T *u, *u0, *p, *p0;
    T theta, momentum;
    Axes<T> step;
    const T *limit;
    int has_limit;
    const unsigned char *links;
    int has_links;
    T *out;
    int channels, coupling;
};

// The packed matrix that projects J, from its Gram matrix.
template <int D, class T> __device__ void projection(int coupling, T *gram, T limit, T *m) {
    if (coupling == coupling_nuclear) {
        nuclear_projection<D>(gram, limit, m);
        return;
    }
    T all = 0;
    for (int d = 0; d < D; ++d)
        all += gram[packed<D>(d, d)];
    for (int i = 0; i < D; ++i)
        for (int j = i; j < D; ++j)
            m[packed<D>(i, j)] =
                i != j ? T(0)
                       : shortening(coupling == coupling_frobenius ? all : gram[packed<D>(i, i)],
                                    limit);
}

template <int D, class T> __device__ void dual_voxel(const DualArguments<T> &a, const Cell<D> &v) {
    T gram[packed_size<D>] = {}, m[packed_size<D>], r[D];
    bool linked[D];
    for (int d = 0; d < D; ++d)
        linked[d] = is_linked(v, a.links, a.has_links, d);
    for (long long c = 0; c < a.channels; ++c) {
        const long long i = c * v.voxels + v.index;
        const T here = extrapolate(a.u[i], a.u0[i], a.theta);
        for (int d = 0; d < D; ++d) {
            const long long k = (c * D + d) * v.voxels + v.index, j = i + v.stride[d];
            r[d] = v.has_next(d) ? extrapolate(a.p[k], a.p0[k], a.momentum) : T(0);
            if (linked[d])
                r[d] += a.step.values[d] * (extrapolate(a.u[j], a.u0[j], a.theta) - here);
            a.out[k] = r[d];
        }
        for (int d = 0; d < D; ++d)
            for (int e = d; e < D; ++e)
                gram[packed<D>(d, e)] += r[d] * r[e];
    }
    projection<D>(a.coupling, gram, a.has_limit ? a.limit[v.index] : T(1), m);
    for (long long c = 0; c < a.channels; ++c) {
        const long long k = c * D * v.voxels + v.index;
        for (int d = 0; d < D; ++d)
            r[d] = a.out[k + d * v.voxels];
        for (int d = 0; d < D; ++d) {
            T sum = 0;
            for (int e = 0; e < D; ++e)
                sum += m[d < e ? packed<D>(d, e) : packed<D>(e, d)] * r[e];
            a.out[k + d * v.voxels] = sum;
        }
    }
}

// div (weight p) of channel c, extrapolated.
template <int D, class R, class T>
__device__ R divergence(const T *p, const T *p0, R momentum, const R *weight, long long c,
                        const Cell<D> &v) {
    R sum = 0;
    for (int d = 0; d < D; ++d) {
        const long long k = (c * D + d) * v.voxels + v.index, former = k - v.stride[d];
        R q = extrapolate<R>(p[k], p0[k], momentum);
        if (v.at[d] > 0)
            q -= extrapolate<R>(p[former], p0[former], momentum);
        sum += weight[d] * q;
    }
    return sum;
}

template <class T> struct BoundArguments {
    T low, high;
    const T *arrays;
    int has_arrays;

    __device__ T lowest(long long i) const { return has_arrays ? arrays[i] : low; }
    __device__ T highest(long long i, long long voxels) const {
        return has_arrays ? arrays[voxels + i] : high;
    }
};

template <class T> __device__ void dual(const DualArguments<T> &a, const Sizes &sizes, int dims) {
    volume::dispatch(dims, 1, [&](auto d, auto) {
        constexpr int D = decltype(d)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            dual_voxel<D>(a, Cell<D>(sizes, z, y, x));
        });
    });
}

template <class T>
__device__ void primal(const T *f, const T *u, T take, const T *p, const T *p0, T momentum,
                       const Axes<T> &weight, const BoundArguments<T> &bounds, T *out,
                       const Sizes &sizes, int dims, int channels) {
    volume::dispatch(dims, 1, [&](auto d, auto) {
        constexpr int D = decltype(d)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            const Cell<D> v(sizes, z, y, x);
            for (long long c = 0; c < channels; ++c) {
                const long long i = c * v.voxels + v.index;
                const T sum = divergence<D>(p, p0, momentum, weight.values, c, v);
                out[i] = clamp(u[i] + take * ((f[i] - u[i]) + sum), bounds.lowest(v.index),
                               bounds.highest(v.index, v.voxels));
            }
        });
    });
}

template <int D, class T>
__device__ double voxel_length(const T *u, const double *inverse, int coupling,
                               const unsigned char *links, int has_links, int channels,
                               const Cell<D> &v) {
    double gram[packed_size<D>] = {}, g[D];
    for (long long c = 0; c < channels; ++c) {
        const long long i = c * v.voxels + v.index;
        for (int d = 0; d < D; ++d)
            g[d] = is_linked(v, links, has_links, d)
                       ? inverse[d] * (static_cast<double>(u[i + v.stride[d]]) - u[i])
                       : 0.0;
        for (int d = 0; d < D; ++d)
            for (int e = d; e < D; ++e)
                gram[packed<D>(d, e)] += g[d] * g[e];
    }
    return coupled_length<D>(coupling, gram);
}

// parts[2 block], parts[2 block + 1]: this block's share of P and of D.
template <class T>
__device__ void objectives(const T *f, const T *u, double weight, const Axes<double> &inverse,
                           const T *limit, int has_limit, const unsigned char *links, int has_links,
                           const BoundArguments<T> &bounds, const T *p, double *parts,
                           const Sizes &sizes, int dims, int channels, int coupling) {
    double primal_sum = 0, dual_sum = 0;
    volume::dispatch(dims, 1, [&](auto d, auto) {
        constexpr int D = decltype(d)::value;
        double weights[D];
        for (int k = 0; k < D; ++k)
            weights[k] = weight * inverse.values[k];
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            const Cell<D> v(sizes, z, y, x);
            const double most = has_limit ? static_cast<double>(limit[v.index]) : 1.0;
            primal_sum +=
                weight * most *
                voxel_length<D>(u, inverse.values, coupling, links, has_links, channels, v);
            for (long long c = 0; c < channels; ++c) {
                const long long i = c * v.voxels + v.index;
                const double fi = f[i], away = static_cast<double>(u[i]) - fi;
                primal_sum += 0.5 * away * away;
                dual_sum +=
                    dual_share<double>(fi, divergence<D>(p, p, 0.0, weights, c, v),
                                       bounds.lowest(v.index), bounds.highest(v.index, v.voxels));
            }
        });
    });
    volume::store_block_terms({primal_sum, dual_sum}, 2, parts);
}

} // namespace
} // namespace pyrad::tv

PYRAD_KERNEL(tv_fields_dual_f32)(const float *u, const float *u0, float theta, const float *p,
                                 const float *p0, float momentum, float s0, float s1, float s2,
                                 int coupling, const float *limit, int has_limit,
                                 const unsigned char *links, int has_links, float *out,
                                 long long nz, long long ny, long long nx, int dims, int channels) {
    pyrad::tv::dual<float>({u,
                            u0,
                            p,
                            p0,
                            theta,
                            momentum,
                            {{s0, s1, s2}},
                            limit,
                            has_limit,
                            links,
                            has_links,
                            out,
                            channels,
                            coupling},
                           {nz, ny, nx}, dims);
}

PYRAD_KERNEL(tv_fields_dual_f64)(const double *u, const double *u0, double theta, const double *p,
                                 const double *p0, double momentum, double s0, double s1, double s2,
                                 int coupling, const double *limit, int has_limit,
                                 const unsigned char *links, int has_links, double *out,
                                 long long nz, long long ny, long long nx, int dims, int channels) {
    pyrad::tv::dual<double>({u,
                             u0,
                             p,
                             p0,
                             theta,
                             momentum,
                             {{s0, s1, s2}},
                             limit,
                             has_limit,
                             links,
                             has_links,
                             out,
                             channels,
                             coupling},
                            {nz, ny, nx}, dims);
}

PYRAD_KERNEL(tv_fields_primal_f32)(const float *f, const float *u, float take, const float *p,
                                   const float *p0, float momentum, float w0, float w1, float w2,
                                   float low, float high, const float *bounds, int has_bounds,
                                   float *out, long long nz, long long ny, long long nx, int dims,
                                   int channels) {
    pyrad::tv::primal<float>(f, u, take, p, p0, momentum, {{w0, w1, w2}},
                             {low, high, bounds, has_bounds}, out, {nz, ny, nx}, dims, channels);
}

PYRAD_KERNEL(tv_fields_primal_f64)(const double *f, const double *u, double take, const double *p,
                                   const double *p0, double momentum, double w0, double w1,
                                   double w2, double low, double high, const double *bounds,
                                   int has_bounds, double *out, long long nz, long long ny,
                                   long long nx, int dims, int channels) {
    pyrad::tv::primal<double>(f, u, take, p, p0, momentum, {{w0, w1, w2}},
                              {low, high, bounds, has_bounds}, out, {nz, ny, nx}, dims, channels);
}

PYRAD_KERNEL(tv_fields_objectives_f32)(const float *f, const float *u, double weight, double i0,
                                       double i1, double i2, int coupling, const float *limit,
                                       int has_limit, const unsigned char *links, int has_links,
                                       float low, float high, const float *bounds, int has_bounds,
                                       const float *p, double *parts, long long nz, long long ny,
                                       long long nx, int dims, int channels) {
    pyrad::tv::objectives<float>(f, u, weight, {{i0, i1, i2}}, limit, has_limit, links, has_links,
                                 {low, high, bounds, has_bounds}, p, parts, {nz, ny, nx}, dims,
                                 channels, coupling);
}

PYRAD_KERNEL(tv_fields_objectives_f64)(const double *f, const double *u, double weight, double i0,
                                       double i1, double i2, int coupling, const double *limit,
                                       int has_limit, const unsigned char *links, int has_links,
                                       double low, double high, const double *bounds,
                                       int has_bounds, const double *p, double *parts, long long nz,
                                       long long ny, long long nx, int dims, int channels) {
    pyrad::tv::objectives<double>(f, u, weight, {{i0, i1, i2}}, limit, has_limit, links, has_links,
                                  {low, high, bounds, has_bounds}, p, parts, {nz, ny, nx}, dims,
                                  channels, coupling);
}
