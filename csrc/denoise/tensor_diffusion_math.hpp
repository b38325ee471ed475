// Formulas of diffusion by a tensor, shared by the CPU and CUDA kernels (Weickert 1998, Anisotropic
// Diffusion in Image Processing; coherence enhancement: Weickert 1999,
// doi:10.1023/A:1008009714131).
//
// Tensors live in cells between 2 x 2 x 2 voxels, those at the faces included, where the image is
// mirrored. With m = D grad u of the cell's mean gradient, its diagonal part left out, the flux
// through an edge between two voxels along axis a is the mean over its four cells of
//
//     D_aa (difference along the edge) + m_a.
//
// This is minus the gradient of a sum of squares, whatever the tensors: steps up to those of the
// heat equation never increase the norm, constants and the mean stay.
#pragma once

#include "base/exp_math.hpp"

namespace pyrad::tensor {

constexpr int zz = 0, yy = 1, xx = 2, zy = 3, zx = 4, yx = 5, components = 6;

template <class T> struct Gradient {
    T z, y, x;
};

// Mean gradient of the cell whose corners along x are samples x - 1 and x of four rows, named by z
// and y; factors are 1 / (4 h).
template <class T> struct Corners {
    const T *row[2][2];
};

template <class T>
PYRAD_HD Gradient<T> cell_gradient(const Corners<T> &c, i64 x, T qz, T qy, T qx) {
    const T a0 = c.row[0][0][x - 1], a1 = c.row[0][0][x], b0 = c.row[0][1][x - 1];
    const T b1 = c.row[0][1][x], c0 = c.row[1][0][x - 1], c1 = c.row[1][0][x];
    const T d0 = c.row[1][1][x - 1], d1 = c.row[1][1][x];
    return {qz * ((c0 - a0) + (c1 - a1) + (d0 - b0) + (d1 - b1)),
            qy * ((b0 - a0) + (b1 - a1) + (d0 - c0) + (d1 - c1)),
            qx * ((a1 - a0) + (b1 - b0) + (c1 - c0) + (d1 - d0))};
}

// Edge enhancement: 1 - exp(-C / (|g| / kappa)^8) across the edge, 1 along it.
template <class T> PYRAD_HD void edge_tensor(Gradient<T> g, T kappa, T *d, i64 step) {
    const T z = g.z / kappa, y = g.y / kappa, x = g.x / kappa;
    const T s = min_of(z * z + y * y + x * x, T(1e4)), s4 = s * s * s * s;
    const T length = max_of(z * z + y * y + x * x, T(1e-30));
    const T less = exp_negative(min_of(T(3.31488) / max_of(s4, T(1e-30)), T(80))) / length;
    d[zz * step] = T(1) - less * z * z;
    d[yy * step] = T(1) - less * y * y;
    d[xx * step] = T(1) - less * x * x;
    d[zy * step] = -less * z * y;
    d[zx * step] = -less * z * x;
    d[yx * step] = -less * y * x;
}

// Turns axes p and q of a symmetric matrix so that its entry pq vanishes (Jacobi).
template <class T>
PYRAD_HD void rotate(T &pp, T &qq, T &pq, T &rp, T &rq, T &p0, T &q0, T &p1, T &q1, T &p2, T &q2) {
    const T h = qq - pp, root = sqrt(h * h + T(4) * pq * pq);
    const T down = h < 0 ? h - root : h + root;
    const T t = T(2) * pq / (down == 0 ? T(1) : down);
    const T c = T(1) / sqrt(T(1) + t * t), s = t * c;
    pp -= t * pq;
    qq += t * pq;
    pq = 0;
    const T r = rp;
    rp = c * r - s * rq;
    rq = s * r + c * rq;
    const T v0 = p0, v1 = p1, v2 = p2;
    p0 = c * v0 - s * q0;
    q0 = s * v0 + c * q0;
    p1 = c * v1 - s * q1;
    q1 = s * v1 + c * q1;
    p2 = c * v2 - s * q2;
    q2 = s * v2 + c * q2;
}

// Weight of the coherent direction from the spread of the eigenvalues over the trace.
template <class T> PYRAD_HD T coherence(T spread, T trace, T kappa, T alpha) {
    const T ratio = kappa * (kappa / trace);
    const T t = min_of(ratio * ratio / max_of(spread, T(1e-30)), T(80));
    return (T(1) - alpha) * exp_negative(t);
}

constexpr int sweeps = 4; // of Jacobi's method; the fourth is below rounding

template <class T> PYRAD_HD T tensor_trace(const T *j, i64 step) {
    return max_of(j[zz * step] + j[yy * step] + j[xx * step], T(1e-30));
}

// The tensor from eigenvalues a, b, c over the trace, and their eigenvectors.
template <class T>
PYRAD_HD void set_coherence(T *j, i64 step, bool flat, T a, T b, T c, T trace, T a0, T a1, T a2,
                            T b0, T b1, T b2, T c0, T c1, T c2, T kappa, T alpha) {
    const T others = flat ? T(0) : (a - b) * (a - b) + (a - c) * (a - c);
    const T weight = coherence(others + (b - c) * (b - c), trace, kappa, alpha);
    const bool first = !flat & (a <= b) & (a <= c), second = b <= c;
    const T z = first ? a0 : second ? b0 : c0;
    const T y = first ? a1 : second ? b1 : c1;
    const T x = first ? a2 : second ? b2 : c2;
    j[zz * step] = alpha + weight * z * z;
    j[yy * step] = alpha + weight * y * y;
    j[xx * step] = alpha + weight * x * x;
    j[zy * step] = weight * z * y;
    j[zx * step] = weight * z * x;
    j[yx * step] = weight * y * x;
}

// Coherence enhancement in place of a structure tensor: alpha everywhere, up to 1 along the
// direction of least change. `flat`: two dimensions, y and x.
template <class T> PYRAD_HD void coherence_tensor(T *j, i64 step, bool flat, T kappa, T alpha) {
    const T trace = tensor_trace(j, step);
    T a = j[zz * step] / trace, b = j[yy * step] / trace, c = j[xx * step] / trace;
    T ab = j[zy * step] / trace, ac = j[zx * step] / trace, bc = j[yx * step] / trace;
    T a0 = 1, a1 = 0, a2 = 0, b0 = 0, b1 = 1, b2 = 0, c0 = 0, c1 = 0, c2 = 1;
    for (int sweep = 0; sweep < sweeps; ++sweep) {
        if (!flat) {
            rotate(a, b, ab, ac, bc, a0, b0, a1, b1, a2, b2);
            rotate(a, c, ac, ab, bc, a0, c0, a1, c1, a2, c2);
        }
        rotate(b, c, bc, ab, ac, b0, c0, b1, c1, b2, c2);
    }
    set_coherence(j, step, flat, a, b, c, trace, a0, a1, a2, b0, b1, b2, c0, c1, c2, kappa, alpha);
}

// D grad u without its diagonal part.
template <class T> PYRAD_HD Gradient<T> mixed(const T *d, i64 step, Gradient<T> g) {
    return {d[zy * step] * g.y + d[zx * step] * g.x, d[zy * step] * g.z + d[yx * step] * g.x,
            d[zx * step] * g.z + d[yx * step] * g.y};
}

} // namespace pyrad::tensor
