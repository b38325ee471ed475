// Formulas of total variation with voxel-wise weights, masks, bounds and any number of channels,
// shared by CPU and CUDA.
//
//     minimise over low <= u <= high:  P(u) = 1/2 ||u - f||^2 + w sum_x limit(x) |J(x)|
//
// J(x) is the channels x axes matrix of forward differences over the voxel size, those without a
// link set to 0. |J| is, by coupling: the sum over the axes of the length over all channels
// (separate), the length of all (frobenius), the sum of the singular values (nuclear: Holt, IEEE
// Trans. Image Process. 23 (2014) 3975, doi:10.1109/TIP.2014.2332397; gradients of all channels
// become parallel). The dual field lies in limit(x) times the ball of the dual norm. All three
// norms and projections need only the Gram matrix G = J^T J of the axes.
#pragma once

#include "base/portable.hpp"
#include "denoise/tv_math.hpp"

namespace pyrad::tv {

enum Coupling { coupling_separate = 0, coupling_frobenius = 1, coupling_nuclear = 2 };

// Entries of a symmetric D x D matrix by rows: (0, 0), (0, 1), ..., (1, 1), ...
template <int D> PYRAD_HD constexpr int packed(int i, int j) {
    return i * D - i * (i - 1) / 2 + (j - i);
}
template <int D> constexpr int packed_size = D * (D + 1) / 2;

// One Jacobi rotation in the plane of axes i < j; v collects the rotations as rows.
template <int D, class T> PYRAD_HD void rotate(T *a, T (*v)[D], int i, int j) {
    const T off = a[packed<D>(i, j)], gap = a[packed<D>(j, j)] - a[packed<D>(i, i)];
    const T size = gap < 0 ? -gap : gap;
    const T root_of = square_root(gap * gap + T(4) * off * off);
    const T below = size + root_of;
    const T tangent = below > 0 ? (gap < 0 ? T(-2) : T(2)) * off / below : T(0);
    const T cosine = T(1) / square_root(T(1) + tangent * tangent), sine = tangent * cosine;
    a[packed<D>(i, i)] -= tangent * off;
    a[packed<D>(j, j)] += tangent * off;
    a[packed<D>(i, j)] = 0;
    for (int k = 0; k < D; ++k) {
        if (k != i && k != j) {
            T &x = a[k < i ? packed<D>(k, i) : packed<D>(i, k)];
            T &y = a[k < j ? packed<D>(k, j) : packed<D>(j, k)];
            const T former = x;
            x = cosine * former - sine * y;
            y = sine * former + cosine * y;
        }
        const T former = v[i][k];
        v[i][k] = cosine * former - sine * v[j][k];
        v[j][k] = sine * former + cosine * v[j][k];
    }
}

// a becomes diagonal; rows of v are the eigenvectors.
template <int D, class T> PYRAD_HD void diagonalise(T *a, T (*v)[D]) {
    for (int i = 0; i < D; ++i)
        for (int j = 0; j < D; ++j)
            v[i][j] = i == j ? T(1) : T(0);
    constexpr int sweeps = D < 2 ? 0 : D == 2 ? 1 : sizeof(T) == 4 ? 4 : 5;
    for (int sweep = 0; sweep < sweeps; ++sweep)
        for (int i = 0; i < D; ++i)
            for (int j = i + 1; j < D; ++j)
                rotate<D>(a, v, i, j);
}

// What a length becomes by projection onto the ball, over itself.
template <class T> PYRAD_HD T shortening(T norm2, T limit) {
    const T norm = square_root(max_of(norm2, T(0)));
    return norm > limit ? limit / norm : T(1);
}

// Packed matrix m, the projection being J -> J m; g is the Gram matrix and is overwritten.
template <int D, class T> PYRAD_HD void nuclear_projection(T *g, T limit, T *m) {
    T v[D][D], factor[D];
    diagonalise<D>(g, v);
    for (int k = 0; k < D; ++k)
        factor[k] = shortening(g[packed<D>(k, k)], limit);
    for (int i = 0; i < D; ++i)
        for (int j = i; j < D; ++j) {
            T sum = 0;
            for (int k = 0; k < D; ++k)
                sum += factor[k] * v[k][i] * v[k][j];
            m[packed<D>(i, j)] = sum;
        }
}

// |J| from its Gram matrix, which is overwritten.
template <int D, class T> PYRAD_HD T coupled_length(int coupling, T *g) {
    if (coupling == coupling_nuclear) {
        T v[D][D];
        diagonalise<D>(g, v);
    }
    T sum = 0, squares = 0;
    for (int k = 0; k < D; ++k) {
        squares += g[packed<D>(k, k)];
        sum += square_root(max_of(g[packed<D>(k, k)], T(0)));
    }
    return coupling == coupling_frobenius ? square_root(squares) : sum;
}

// One voxel's share of D(p): the minimum over u within the bounds, z = f + w div p.
template <class T> PYRAD_HD T dual_share(T f, T weighted_divergence, T low, T high) {
    const T u = clamp(f + weighted_divergence, low, high);
    return T(0.5) * (u - f) * (u - f) - u * weighted_divergence;
}

} // namespace pyrad::tv
