// CUDA twin of tgv.cpp: two kernels per iteration, a thread per voxel; neighbours come from cache.
#include "denoise/tgv_math.hpp"
#include "denoise/volume.cuh"

namespace pyrad::tgv {
namespace {

using volume::Axes;
using volume::dispatch;
using volume::for_each_voxel;
using volume::Sizes;

template <int D> struct Voxel : volume::Voxel<D> {
    using volume::Voxel<D>::Voxel;

    __device__ float next(int d) const { return this->has_next(d) ? 1.0f : 0.0f; }
    __device__ float inner(int d) const {
        return this->at[d] > 0 && this->has_next(d) ? 1.0f : 0.0f;
    }
};

// A field with K components at one voxel.
template <class T, int D, int K> struct Point {
    const T *field;
    const Voxel<D> &v;

    __device__ long long index(int c, int k) const { return (c * K + k) * v.voxels + v.index; }
    __device__ T get(int c, int k) const { return field[index(c, k)]; }
    __device__ T before(int c, int k, int d) const {
        return v.at[d] > 0 ? field[index(c, k) - v.stride[d]] : T(0);
    }
    __device__ T after(int c, int k, int d) const {
        return v.at[d] + 1 < v.size[d] ? field[index(c, k) + v.stride[d]] : T(0);
    }
};

template <class T, int D> struct PrimalOut {
    T *u, *u_ahead, *w, *w_ahead;
    const Voxel<D> &v;

    __device__ void image(int c, T value, T ahead) const {
        u[c * v.voxels + v.index] = value;
        u_ahead[c * v.voxels + v.index] = ahead;
    }
    __device__ void vector(int c, int d, T value, T ahead) const {
        w[(c * D + d) * v.voxels + v.index] = value;
        w_ahead[(c * D + d) * v.voxels + v.index] = ahead;
    }
};

template <class T>
__device__ void primal(const T *f, T *u, T *w, const T *p, const T *q, T *u_ahead, T *w_ahead,
                       const Steps<T> steps, const Axes<T> inverse, const Sizes sizes, int dims,
                       int channels) {
    dispatch(dims, channels, [&](auto dims_, auto channels_) {
        constexpr int D = decltype(dims_)::value, C = decltype(channels_)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            const Voxel<D> v(sizes, z, y, x);
            T here[C];
            for (int c = 0; c < C; ++c)
                here[c] = f[c * v.voxels + v.index];
            primal_voxel<D, C>(here, Point<T, D, 1>{u, v}, Point<T, D, D>{w, v},
                               Point<T, D, D>{p, v}, Point<T, D, tensor_size(D)>{q, v},
                               inverse.values, steps, PrimalOut<T, D>{u, u_ahead, w, w_ahead, v});
        });
    });
}

template <class T>
__device__ void dual(const T *u_ahead, const T *w_ahead, T *p, T *q, const Steps<T> steps,
                     const Axes<T> inverse, const Sizes sizes, int dims, int channels) {
    dispatch(dims, channels, [&](auto dims_, auto channels_) {
        constexpr int D = decltype(dims_)::value, C = decltype(channels_)::value;
        constexpr int K = tensor_size(D);
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            const Voxel<D> v(sizes, z, y, x);
            T p_new[C * D], q_new[C * K];
            dual_voxel<D, C>(Point<T, D, 1>{u_ahead, v}, Point<T, D, D>{w_ahead, v},
                             Point<T, D, D>{p, v}, Point<T, D, K>{q, v}, v, inverse.values, steps,
                             p_new, q_new);
            for (int k = 0; k < C * D; ++k)
                p[k * v.voxels + v.index] = p_new[k];
            for (int k = 0; k < C * K; ++k)
                q[k * v.voxels + v.index] = q_new[k];
        });
    });
}

template <class T>
__device__ void back_field(const T *q, T *out, T factor, const Axes<T> inverse, const Sizes sizes,
                           int dims, int channels) {
    dispatch(dims, channels, [&](auto dims_, auto channels_) {
        constexpr int D = decltype(dims_)::value, C = decltype(channels_)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            const Voxel<D> v(sizes, z, y, x);
            const Point<T, D, tensor_size(D)> point{q, v};
            for (int c = 0; c < C; ++c)
                for (int d = 0; d < D; ++d)
                    out[(c * D + d) * v.voxels + v.index] =
                        factor * back<T, D>(point, c, d, inverse.values);
        });
    });
}

template <class T>
__device__ void objectives(const T *f, const T *u, const T *w, const T *q, const T *field,
                           double *parts, const Axes<double> inverse, const Sizes sizes, int dims,
                           int channels) {
    double total[terms] = {};
    dispatch(dims, channels, [&](auto dims_, auto channels_) {
        constexpr int D = decltype(dims_)::value, C = decltype(channels_)::value;
        for_each_voxel(sizes, [&](long long z, long long y, long long x) {
            const Voxel<D> v(sizes, z, y, x);
            T here[C];
            double values[terms];
            for (int c = 0; c < C; ++c)
                here[c] = f[c * v.voxels + v.index];
            objective_voxel<D, C>(here, Point<T, D, 1>{u, v}, Point<T, D, D>{w, v},
                                  Point<T, D, tensor_size(D)>{q, v}, Point<T, D, D>{field, v}, v,
                                  inverse.values, values);
            for (int i = 0; i < terms; ++i)
                total[i] = i < summed_terms ? total[i] + values[i] : max_of(total[i], values[i]);
        });
    });
    volume::store_block_terms(total, summed_terms, parts);
}

} // namespace
} // namespace pyrad::tgv

PYRAD_KERNEL(tgv_primal_f32)(const float *f, float *u, float *w, const float *p, const float *q,
                             float *u_ahead, float *w_ahead, float s0, float s1, float s2, float s3,
                             float s4, float s5, float s6, float i0, float i1, float i2,
                             long long nz, long long ny, long long nx, int dims, int channels) {
    pyrad::tgv::primal<float>(f, u, w, p, q, u_ahead, w_ahead, {s0, s1, s2, s3, s4, s5, s6},
                              {{i0, i1, i2}}, {nz, ny, nx}, dims, channels);
}

PYRAD_KERNEL(tgv_primal_f64)(const double *f, double *u, double *w, const double *p,
                             const double *q, double *u_ahead, double *w_ahead, double s0,
                             double s1, double s2, double s3, double s4, double s5, double s6,
                             double i0, double i1, double i2, long long nz, long long ny,
                             long long nx, int dims, int channels) {
    pyrad::tgv::primal<double>(f, u, w, p, q, u_ahead, w_ahead, {s0, s1, s2, s3, s4, s5, s6},
                               {{i0, i1, i2}}, {nz, ny, nx}, dims, channels);
}

PYRAD_KERNEL(tgv_dual_f32)(const float *u_ahead, const float *w_ahead, float *p, float *q, float s0,
                           float s1, float s2, float s3, float s4, float s5, float s6, float i0,
                           float i1, float i2, long long nz, long long ny, long long nx, int dims,
                           int channels) {
    pyrad::tgv::dual<float>(u_ahead, w_ahead, p, q, {s0, s1, s2, s3, s4, s5, s6}, {{i0, i1, i2}},
                            {nz, ny, nx}, dims, channels);
}

PYRAD_KERNEL(tgv_dual_f64)(const double *u_ahead, const double *w_ahead, double *p, double *q,
                           double s0, double s1, double s2, double s3, double s4, double s5,
                           double s6, double i0, double i1, double i2, long long nz, long long ny,
                           long long nx, int dims, int channels) {
    pyrad::tgv::dual<double>(u_ahead, w_ahead, p, q, {s0, s1, s2, s3, s4, s5, s6}, {{i0, i1, i2}},
                             {nz, ny, nx}, dims, channels);
}

PYRAD_KERNEL(tgv_back_f32)(const float *q, float *out, float factor, float i0, float i1, float i2,
                           long long nz, long long ny, long long nx, int dims, int channels) {
    pyrad::tgv::back_field<float>(q, out, factor, {{i0, i1, i2}}, {nz, ny, nx}, dims, channels);
}

PYRAD_KERNEL(tgv_back_f64)(const double *q, double *out, double factor, double i0, double i1,
                           double i2, long long nz, long long ny, long long nx, int dims,
                           int channels) {
    pyrad::tgv::back_field<double>(q, out, factor, {{i0, i1, i2}}, {nz, ny, nx}, dims, channels);
}

PYRAD_KERNEL(tgv_objectives_f32)(const float *f, const float *u, const float *w, const float *q,
                                 const float *field, double *parts, double i0, double i1, double i2,
                                 long long nz, long long ny, long long nx, int dims, int channels) {
    pyrad::tgv::objectives<float>(f, u, w, q, field, parts, {{i0, i1, i2}}, {nz, ny, nx}, dims,
                                  channels);
}

PYRAD_KERNEL(tgv_objectives_f64)(const double *f, const double *u, const double *w, const double *q,
                                 const double *field, double *parts, double i0, double i1,
                                 double i2, long long nz, long long ny, long long nx, int dims,
                                 int channels) {
    pyrad::tgv::objectives<double>(f, u, w, q, field, parts, {{i0, i1, i2}}, {nz, ny, nx}, dims,
                                   channels);
}
