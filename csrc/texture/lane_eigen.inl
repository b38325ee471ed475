// Eight matrices at a time for one instruction set; PYRAD_TARGET is its attribute.

template <class Mask> PYRAD_TARGET inline bool none_of(const Mask &mask) {
    for (int lane = 0; lane < eigen_lanes; ++lane)
        if (mask[lane])
            return false;
    return true;
}

#define PYRAD_EIGEN PYRAD_TARGET inline
#include "texture/eigen.inl"
#undef PYRAD_EIGEN

// Vectors are zero beyond their elements, up to a whole number of blocks.
constexpr i32 block = 4;

PYRAD_TARGET inline Vector dot_product(const Vector *x, const Vector *y, i32 padded) {
    Vector sum[block] = {};
    for (i32 j = 0; j < padded; j += block)
        for (i32 r = 0; r < block; ++r)
            sum[r] += x[j + r] * y[j + r];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// What a pass over the leading rows reads and writes: the update A -= u w' + w u' that the row
// before has left to do, and y = A v of the next one. Blocks on the diagonal are whole.
struct LanePass {
    Vector *a;
    i32 stride;
    const Vector *u, *w, *v;
    Vector *y;
};

PYRAD_TARGET inline void pass_block(const LanePass &pass, i32 first) {
    const Vector *const u = pass.u, *const w = pass.w, *const v = pass.v;
    Vector *const a0 = pass.a + static_cast<i64>(first) * pass.stride, *const a1 = a0 + pass.stride;
    Vector *const a2 = a1 + pass.stride, *const a3 = a2 + pass.stride;
    const Vector u0 = u[first], u1 = u[first + 1], u2 = u[first + 2], u3 = u[first + 3];
    const Vector w0 = w[first], w1 = w[first + 1], w2 = w[first + 2], w3 = w[first + 3];
    const Vector v0 = v[first], v1 = v[first + 1], v2 = v[first + 2], v3 = v[first + 3];
    Vector s0 = {}, s1 = {}, s2 = {}, s3 = {};
    for (i32 j = 0; j < first + block; ++j) {
        const Vector uj = u[j], wj = w[j], vj = v[j];
        const Vector x0 = a0[j] - u0 * wj - w0 * uj, x1 = a1[j] - u1 * wj - w1 * uj;
        const Vector x2 = a2[j] - u2 * wj - w2 * uj, x3 = a3[j] - u3 * wj - w3 * uj;
        a0[j] = x0, a1[j] = x1, a2[j] = x2, a3[j] = x3;
        s0 += x0 * vj, s1 += x1 * vj, s2 += x2 * vj, s3 += x3 * vj;
        pass.y[j] += (x0 * v0 + x1 * v1) + (x2 * v2 + x3 * v3);
    }
    // the block on the diagonal has added to its own y twice
    pass.y[first] = s0, pass.y[first + 1] = s1, pass.y[first + 2] = s2, pass.y[first + 3] = s3;
}

// As tridiagonalise(), but a row's update waits for the product with the next row, so that one
// pass over the matrix does both. work: 4 times the stride, which is a whole number of blocks.
PYRAD_TARGET inline void tridiagonalise_lanes(Vector *a, i32 n, i32 stride, Vector *diagonal,
                                              Vector *off, Vector *work) {
    Vector *u = work, *v = work + stride, *const w = v + stride, *const y = w + stride;
    for (i32 i = 0; i < 4 * stride; ++i)
        work[i] = Vector{};
    for (i32 k = n - 1; k >= 1; --k) {
        const Vector *const row = a + static_cast<i64>(k) * stride;
        const i32 padded = (k + block - 1) / block * block;
        for (i32 j = 0; j < k; ++j)
            v[j] = row[j] - u[k] * w[j] - w[k] * u[j];
        v[k] = Vector{};
        diagonal[k] = row[k] - 2.0 * u[k] * w[k];
        u[k] = w[k] = Vector{};
        const Vector scale = reflect(v[k - 1], dot_product(v, v, padded), off[k]);
        const LanePass pass{a, stride, u, w, v, y};
        for (i32 i = 0; i < k; i += block)
            pass_block(pass, i);
        const Vector shift = 0.5 * scale * scale * dot_product(y, v, padded);
        for (i32 j = 0; j < k; ++j)
            w[j] = scale * y[j] - shift * v[j];
        std::swap(u, v);
    }
    diagonal[0] = a[0] - 2.0 * u[0] * w[0];
    off[0] = Vector{};
}

// Counts become D^-1/2 P D^-1/2 without its known eigenvector, the roots of the marginals: lower
// triangle, blocks on the diagonal whole.
PYRAD_TARGET inline void normalise(const LaneTables &tables, Vector *a, Vector *inverse,
                                   Vector *share) {
    const i32 stride = tables.row;
    const Vector scale = 1.0 / square_root(*tables.total);
    for (i32 i = 0; i < stride; ++i) {
        const Vector root = tables.root[i];
        inverse[i] = root > 0.0 ? 1.0 / root : Vector{};
        share[i] = root * scale;
    }
    for (i32 i = 0; i < stride; ++i) {
        const float *const cells = tables.counts + i * stride;
        const Vector over = inverse[i], part = share[i];
        Vector *const row = a + static_cast<i64>(i) * stride;
        const i32 first = i / block * block;
        for (i32 j = 0; j < first; ++j)
            row[j] = gather(cells + j, tables.stride) * over * inverse[j] - part * share[j];
        for (i32 j = first; j <= i; ++j) {
            row[j] = gather(cells + j, tables.stride) * over * inverse[j] - part * share[j];
            a[static_cast<i64>(j) * stride + i] = row[j];
        }
    }
}

// work: row + 6 rows.
PYRAD_TARGET void largest_correlations(const LaneTables &tables, double bound, Vector *work,
                                       Vector *largest) {
    const i32 stride = tables.row;
    Vector *const diagonal = work + 4 * stride, *const off = diagonal + stride;
    Vector *const a = off + stride;
    normalise(tables, a, diagonal, off);
    tridiagonalise_lanes(a, tables.n, stride, diagonal, off, work);
    *largest = largest_eigenvalue(diagonal, off, tables.n, bound);
}
