// Formulas of second-order total generalised variation that the CPU and CUDA kernels share.
//
//     minimise over u, w:  1/2 ||u - f||^2 + a1 |grad u - w| + a0 |E w|
//
// grad: forward differences over the voxel size. Component d of w and of the first dual p lives
// between a voxel and the next one along axis d, and is zero where there is none. E w, a symmetric
// tensor with D (D + 1) / 2 stored entries, is made of differences of what exists only: its
// diagonal backward (at voxels), the rest forward (at corners). So grad and E vanish together for
// affine images and no others. Entries off the diagonal count twice in norms.
// Duals: |p| <= 1, |q| <= 1; a1 p = a0 E^T q at the minimum, whose value is then
// <f, grad^T a1 p> - 1/2 ||grad^T a1 p||^2.
//
// Accessors give the values of one voxel: get(c, k), and before(c, k, d), after(c, k, d) of its
// neighbours along axis d, zero outside. Edges: next(d) is 1 where there is a next voxel along d,
// else 0; inner(d) is 1 away from both ends, else 0.
#pragma once

#include "denoise/tv_math.hpp"

// Loops over rows vectorise only where all of this is inlined and unrolled.
#if defined(__CUDACC__)
#define PYRAD_TGV PYRAD_HD
#define PYRAD_UNROLL _Pragma("unroll")
#else
#define PYRAD_TGV inline __attribute__((always_inline))
#define PYRAD_UNROLL _Pragma("GCC unroll 12")
#endif

namespace pyrad::tgv {

PYRAD_TGV constexpr int tensor_size(int dims) { return dims * (dims + 1) / 2; }

// Position of entry (d, e), d <= e, row by row.
template <int D> PYRAD_TGV constexpr int entry(int d, int e) {
    return d * D - d * (d - 1) / 2 + e - d;
}

template <class R, int D, class P> PYRAD_TGV R divergence(const P &p, int c, const R *inverse) {
    R sum = 0;
    PYRAD_UNROLL
    for (int d = 0; d < D; ++d)
        sum += (R(p.get(c, d)) - R(p.before(c, d, d))) * inverse[d];
    return sum;
}

// Component d of E^T q.
template <class R, int D, class Q> PYRAD_TGV R back(const Q &q, int c, int d, const R *inverse) {
    const int diagonal = entry<D>(d, d);
    R sum = (R(q.get(c, diagonal)) - R(q.after(c, diagonal, d))) * inverse[d];
    PYRAD_UNROLL
    for (int e = 0; e < D; ++e)
        if (e != d) {
            const int k = d < e ? entry<D>(d, e) : entry<D>(e, d);
            sum += (R(q.before(c, k, e)) - R(q.get(c, k))) * inverse[e];
        }
    return sum;
}

// r[c D + d]: component d of grad u - w.
template <class R, int D, int C, class U, class W, class Edges>
PYRAD_TGV void gradient_rest(const U &u, const W &w, const Edges &edges, const R *inverse, R *r) {
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c)
        PYRAD_UNROLL
    for (int d = 0; d < D; ++d)
        r[c * D + d] =
            (R(u.after(c, 0, d)) - R(u.get(c, 0))) * inverse[d] * R(edges.next(d)) - R(w.get(c, d));
}

// r[c K + k]: entry k of E w.
template <class R, int D, int C, class W, class Edges>
PYRAD_TGV void symmetric_gradient(const W &w, const Edges &edges, const R *inverse, R *r) {
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c)
        PYRAD_UNROLL
    for (int d = 0; d < D; ++d) {
        r[c * tensor_size(D) + entry<D>(d, d)] =
            (R(w.get(c, d)) - R(w.before(c, d, d))) * inverse[d] * R(edges.inner(d));
        PYRAD_UNROLL
        for (int e = d + 1; e < D; ++e) {
            const R one = (R(w.after(c, d, e)) - R(w.get(c, d))) * inverse[e];
            const R other = (R(w.after(c, e, d)) - R(w.get(c, e))) * inverse[d];
            r[c * tensor_size(D) + entry<D>(d, e)] =
                R(0.5) * (one + other) * R(edges.next(d) * edges.next(e));
        }
    }
}

template <int D, int C, class R> PYRAD_TGV R vector_length(const R *r) {
    R norm2 = 0;
    PYRAD_UNROLL
    for (int k = 0; k < C * D; ++k)
        norm2 += r[k] * r[k];
    return tv::square_root(norm2);
}

template <int D, int C, class R> PYRAD_TGV R tensor_length(const R *r) {
    R norm2 = 0;
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c)
        PYRAD_UNROLL
    for (int d = 0; d < D; ++d)
        PYRAD_UNROLL
    for (int e = d; e < D; ++e) {
        const R value = r[c * tensor_size(D) + entry<D>(d, e)];
        norm2 += R(d == e ? 1 : 2) * value * value;
    }
    return tv::square_root(norm2);
}

// Factors of one iteration, as the caller's step sizes give them.
template <class T> struct Steps {
    T take;     // tau / (1 + tau) of u
    T weight;   // a1
    T from_p;   // step of w times a1
    T from_q;   // step of w times a0
    T into_p;   // step of p over a1
    T into_q;   // step of q over a0
    T relaxing; // 1 to 2
};

// New u and w of one voxel, and the points ahead of them that the duals' step is made at.
template <int D, int C, class T, class U, class W, class P, class Q, class Out>
PYRAD_TGV void primal_voxel(const T *f, const U &u, const W &w, const P &p, const Q &q,
                            const T *inverse, const Steps<T> &steps, const Out &out) {
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c) {
        const T here = u.get(c, 0);
        const T up = steps.take * ((f[c] - here) + steps.weight * divergence<T, D>(p, c, inverse));
        out.image(c, here + steps.relaxing * up, here + (up + up));
        PYRAD_UNROLL
        for (int d = 0; d < D; ++d) {
            const T value = w.get(c, d);
            const T change =
                steps.from_p * p.get(c, d) - steps.from_q * back<T, D>(q, c, d, inverse);
            out.vector(c, d, value + steps.relaxing * change, value + (change + change));
        }
    }
}

// New duals of one voxel from u and w ahead.
template <int D, int C, class T, class U, class W, class P, class Q, class Edges>
PYRAD_TGV void dual_voxel(const U &u, const W &w, const P &p, const Q &q, const Edges &edges,
                          const T *inverse, const Steps<T> &steps, T *p_out, T *q_out) {
    constexpr int K = tensor_size(D);
    T step[C * K];
    gradient_rest<T, D, C>(u, w, edges, inverse, step);
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c)
        PYRAD_UNROLL
    for (int d = 0; d < D; ++d)
        p_out[c * D + d] = p.get(c, d) + steps.into_p * step[c * D + d];
    const T p_scale = T(1) / max_of(T(1), vector_length<D, C>(p_out));
    symmetric_gradient<T, D, C>(w, edges, inverse, step);
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c)
        PYRAD_UNROLL
    for (int k = 0; k < K; ++k)
        q_out[c * K + k] = q.get(c, k) + steps.into_q * step[c * K + k];
    const T q_scale = T(1) / max_of(T(1), tensor_length<D, C>(q_out));
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c) {
        PYRAD_UNROLL
        for (int d = 0; d < D; ++d)
            p_out[c * D + d] =
                p.get(c, d) + steps.relaxing * (p_scale * p_out[c * D + d] - p.get(c, d));
        PYRAD_UNROLL
        for (int k = 0; k < K; ++k)
            q_out[c * K + k] =
                q.get(c, k) + steps.relaxing * (q_scale * q_out[c * K + k] - q.get(c, k));
    }
}

// What the objectives are made of; the last two are maxima, the others sums over voxels.
constexpr int terms = 7;
constexpr int summed_terms = 5;

// values: 1/2 |u - f|^2, |grad u - w|, |E w|, f grad^T v, |grad^T v|^2, |v|, |q| of one voxel.
template <int D, int C, class T, class U, class W, class Q, class V, class Edges>
PYRAD_TGV void objective_voxel(const T *f, const U &u, const W &w, const Q &q, const V &v,
                               const Edges &edges, const double *inverse, double *values) {
    constexpr int K = tensor_size(D);
    double r[C * K], fidelity = 0, product = 0, norm2 = 0;
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c) {
        const double fx = f[c], difference = double(u.get(c, 0)) - fx;
        const double image = -divergence<double, D>(v, c, inverse);
        fidelity += difference * difference;
        product += fx * image;
        norm2 += image * image;
    }
    values[0] = 0.5 * fidelity;
    gradient_rest<double, D, C>(u, w, edges, inverse, r);
    values[1] = vector_length<D, C>(r);
    symmetric_gradient<double, D, C>(w, edges, inverse, r);
    values[2] = tensor_length<D, C>(r);
    values[3] = product;
    values[4] = norm2;
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c)
        PYRAD_UNROLL
    for (int d = 0; d < D; ++d)
        r[c * D + d] = v.get(c, d);
    values[5] = vector_length<D, C>(r);
    PYRAD_UNROLL
    for (int c = 0; c < C; ++c)
        PYRAD_UNROLL
    for (int k = 0; k < K; ++k)
        r[c * K + k] = q.get(c, k);
    values[6] = tensor_length<D, C>(r);
}

} // namespace pyrad::tgv

#undef PYRAD_TGV
#undef PYRAD_UNROLL
