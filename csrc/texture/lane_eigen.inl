// Tables in lanes for one instruction set; PYRAD_TARGET is its attribute. Vector holds a number of
// each of eight tables in double or of sixteen in single precision.

#define PYRAD_EIGEN PYRAD_TARGET inline
#include "texture/eigen.inl"
#undef PYRAD_EIGEN

// Vectors are zero beyond their elements, up to a whole number of blocks.
constexpr i32 block = 4;

template <class Vector>
PYRAD_TARGET inline Vector dot_product(const Vector *x, const Vector *y, i32 padded) {
    Vector sum[block] = {};
    for (i32 j = 0; j < padded; j += block)
        for (i32 r = 0; r < block; ++r)
            sum[r] += x[j + r] * y[j + r];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// What a pass over the leading rows reads and writes: the update A -= u w' + w u' that the row
// before has left to do, and y = A v of the next one.
template <class Vector> struct LanePass {
    Vector *a;
    i32 stride;
    const Vector *u, *w, *v;
    Vector *y;
    Vector dot; // v' A v

    PYRAD_TARGET inline Vector entry(i32 i, i32 j) const {
        Vector &x = a[static_cast<i64>(i) * stride + j];
        return x = x - u[i] * w[j] - w[i] * u[j];
    }
};

// Rows [first, first + rows) right of column `first`, a triangle; adds to the sums of the rows.
template <i32 rows, class Vector>
PYRAD_TARGET inline void pass_triangle(LanePass<Vector> &pass, i32 first, Vector *sums) {
    const Vector *const v = pass.v + first;
#pragma GCC unroll 4
    for (i32 r = 0; r < rows; ++r)
        pass.dot += v[r] * sums[r]; // what is left of the triangle counts twice
#pragma GCC unroll 4
    for (i32 r = 0; r < rows; ++r) {
#pragma GCC unroll 4
        for (i32 c = 0; c < r; ++c) {
            const Vector x = pass.entry(first + r, first + c);
            sums[r] += x * v[c];
            sums[c] += x * v[r];
        }
        sums[r] += pass.entry(first + r, first + r) * v[r];
    }
#pragma GCC unroll 4
    for (i32 r = 0; r < rows; ++r) {
        pass.y[first + r] = sums[r];
        pass.dot += v[r] * sums[r];
    }
}

template <class Vector> PYRAD_TARGET inline void pass_block(LanePass<Vector> &pass, i32 first) {
    const Vector *const u = pass.u, *const w = pass.w, *const v = pass.v;
    Vector *const a0 = pass.a + static_cast<i64>(first) * pass.stride, *const a1 = a0 + pass.stride;
    Vector *const a2 = a1 + pass.stride, *const a3 = a2 + pass.stride;
    const Vector u0 = u[first], u1 = u[first + 1], u2 = u[first + 2], u3 = u[first + 3];
    const Vector w0 = w[first], w1 = w[first + 1], w2 = w[first + 2], w3 = w[first + 3];
    const Vector v0 = v[first], v1 = v[first + 1], v2 = v[first + 2], v3 = v[first + 3];
    Vector sums[4] = {};
    for (i32 j = 0; j < first; ++j) {
        const Vector uj = u[j], wj = w[j], vj = v[j];
        const Vector x0 = a0[j] - u0 * wj - w0 * uj, x1 = a1[j] - u1 * wj - w1 * uj;
        const Vector x2 = a2[j] - u2 * wj - w2 * uj, x3 = a3[j] - u3 * wj - w3 * uj;
        a0[j] = x0, a1[j] = x1, a2[j] = x2, a3[j] = x3;
        sums[0] += x0 * vj, sums[1] += x1 * vj, sums[2] += x2 * vj, sums[3] += x3 * vj;
        Vector sum = pass.y[j] + x0 * v0;
        sum += x1 * v1, sum += x2 * v2, sum += x3 * v3;
        pass.y[j] = sum;
    }
    pass_triangle<4>(pass, first, sums);
}

// Blocks of four rows, the first rows that are left over before.
template <class Vector> PYRAD_TARGET inline void pass_rows(LanePass<Vector> &pass, i32 k) {
    Vector sums[3] = {};
    const i32 rest = k % block;
    if (rest == 1)
        pass_triangle<1>(pass, 0, sums);
    else if (rest == 2)
        pass_triangle<2>(pass, 0, sums);
    else if (rest == 3)
        pass_triangle<3>(pass, 0, sums);
    for (i32 i = rest; i < k; i += block)
        pass_block(pass, i);
}

// T of a symmetric matrix, and what it takes to transform its vectors back.
template <class Vector> struct LaneReflections {
    Vector *diagonal, *off;
    Vector *scale, *last; // of the reflection that frees row k, and element k - 1 of its vector
};

// Row k - 1 with its update that waits, w = scale y - shift u on the way; returns its squared
// length but for the diagonal.
template <class Vector> struct LaneRow {
    Vector *row, *u, *w;
    const Vector *y;
    Vector scale, shift;

    PYRAD_TARGET inline Vector entry(i32 j, const Vector &uk, const Vector &wk) const {
        const Vector wj = scale * y[j] - shift * u[j];
        const Vector x = row[j] - (uk * wj + wk * u[j]);
        w[j] = wj;
        row[j] = x;
        return x * x;
    }

    PYRAD_TARGET inline Vector update(i32 k, Vector &diagonal) const {
        const Vector uk = u[k], wk = scale * y[k] - shift * uk;
        diagonal = row[k] - (uk * wk + wk * uk);
        Vector sum[block] = {};
        i32 j = 0;
        for (; j + block <= k; j += block)
            for (i32 r = 0; r < block; ++r)
                sum[r] += entry(j + r, uk, wk);
        for (; j < k; ++j)
            sum[0] += entry(j, uk, wk);
        for (; j % block; ++j)
            w[j] = row[j] = Vector{};
        u[k] = w[k] = Vector{};
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
};

// As tridiagonalise(), but a row's update waits for the product with the next row, so that one
// pass over the matrix does both. Row k of `a` becomes the vector of its reflection, with 0 for its
// last element. work: three times the stride, which is a whole number of blocks.
template <class Vector>
PYRAD_TARGET inline void tridiagonalise_lanes(Vector *a, i32 n, i32 stride,
                                              const LaneReflections<Vector> &to, Vector *work) {
    using Real = typename EigenLimits<Vector>::Real;
    Vector *const w = work, *const y = w + stride, *u = y + stride;
    for (i32 i = 0; i < 3 * stride; ++i)
        work[i] = Vector{};
    Vector scale = {}, shift = {};
    for (i32 k = n - 1; k >= 1; --k) {
        Vector *const v = a + static_cast<i64>(k) * stride;
        const Vector norm = LaneRow<Vector>{v, u, w, y, scale, shift}.update(k, to.diagonal[k]);
        scale = reflect(v[k - 1], norm, to.off[k]);
        LanePass<Vector> pass{a, stride, u, w, v, y, {}};
        pass_rows(pass, k);
        shift = Real(0.5) * scale * scale * pass.dot;
        to.scale[k] = scale;
        to.last[k] = v[k - 1];
        u = v;
    }
    to.diagonal[0] = a[0] - Real(2) * u[0] * (scale * y[0] - shift * u[0]);
    to.off[0] = Vector{};
}

// D^-1/2 P D^-1/2 without its known eigenvector, the roots of the marginals: lower triangle, blocks
// on the diagonal whole.
template <class Vector>
PYRAD_TARGET inline void normalise(const LaneTables<Vector> &tables, Vector *a) {
    const i32 stride = tables.row;
    const Vector *const inverse = tables.inverse, *const share = tables.share;
    const i32 rows = (tables.n + block - 1) / block * block;
    for (i32 i = 0; i < rows; ++i) {
        const float *const cells = tables.counts + i * stride;
        const Vector over = inverse[i], part = share[i];
        Vector *const row = a + static_cast<i64>(i) * stride;
        for (i32 first = 0; first <= i; first += block) {
            Vector count[block];
            gather(cells + first, tables.stride, count);
            for (i32 j = 0; j < block; ++j)
                row[first + j] = count[j] * over * inverse[first + j] - part * share[first + j];
        }
    }
}

// work: a matrix and 7 rows, each a block longer than a row of the tables.
template <class Vector>
PYRAD_TARGET inline LaneReflections<Vector> reflections_in(Vector *&work, i32 stride) {
    Vector *const first = work;
    const i32 length = stride + block;
    work += 4 * length;
    return {first, first + length, first + 2 * length, first + 3 * length};
}

PYRAD_TARGET void largest_correlations(const LaneTables<Doubles> &tables, double bound,
                                       Doubles *work, Doubles *largest) {
    const i32 stride = tables.row;
    const LaneReflections<Doubles> to = reflections_in(work, stride);
    Doubles *const a = work + 3 * stride;
    normalise(tables, a);
    tridiagonalise_lanes(a, tables.n, stride, to, work);
    *largest = largest_eigenvalue(to.diagonal, to.off, tables.n, bound);
}

template <class Vector> PYRAD_TARGET inline Vector inverse_pivot(const Vector &pivot) {
    const float least = 1e-30f;
    const Vector size = pivot < 0.0f ? -pivot : pivot;
    return reciprocal(size < least ? Vector{} + least : pivot);
}

// Inverse pivots of value - T, T's sign being `side`: n + 1 from either end, those of row i at
// front[i + 1] and back[i], where off[0] and off[n] are 0. alone: 1 where T has one eigenvalue
// above value - single_gap and none below nearly -value, by the signs of their pivots (Sturm), else
// 0.
template <class Vector>
PYRAD_TARGET inline void pivots_of(const LaneReflections<Vector> &matrix, i32 n,
                                   const Vector &value, const Vector &side, Vector *front,
                                   Vector *back, Vector &alone) {
    const Vector *const diagonal = matrix.diagonal, *const off = matrix.off;
    const Vector near = value - single_gap, far = value - single_error, one = Vector{} + 1.0f;
    Vector forth = {}, rear = {}, above = {}, below = {}, found = {}, wrong = {};
    front[0] = back[n] = Vector{};
    for (i32 i = 0, r = n - 1; i < n; ++i, --r) { // four that wait for themselves, not for another
        const Vector middle = side * diagonal[i], e = off[i] * off[i];
        const Vector upper = near - middle - e * above, lower = far + middle - e * below;
        forth = inverse_pivot(value - middle - e * forth);
        rear = inverse_pivot(value - side * diagonal[r] - off[r + 1] * off[r + 1] * rear);
        found += upper < 0.0f ? one : Vector{};
        wrong += lower > 0.0f ? Vector{} : one;
        above = inverse_pivot(upper);
        below = inverse_pivot(lower);
        front[i + 1] = forth;
        back[r] = rear;
    }
    alone = (found == 1.0f) & (wrong == 0.0f) ? one : Vector{};
}

// The vector of the largest absolute eigenvalue `value` of T by a twisted factorisation (Parlett
// and Dhillon, doi:10.1016/S0024-3795(99)00263-3): one from either end, joined where the residual
// is least.
template <class Vector>
PYRAD_TARGET inline void twisted_vector(const LaneReflections<Vector> &matrix, i32 n,
                                        const Vector &value, const Vector &side,
                                        const Vector *front, const Vector *back, Vector *vector) {
    const Vector *const diagonal = matrix.diagonal, *const off = matrix.off;
    Vector least = Vector{} + 1e30f, twist = {};
    for (i32 i = 0; i < n; ++i) {
        const Vector joined = value - side * diagonal[i] - off[i] * off[i] * front[i] -
                              off[i + 1] * off[i + 1] * back[i + 1];
        const Vector size = joined < 0.0f ? -joined : joined;
        twist = size < least ? Vector{} + static_cast<float>(i) : twist;
        least = size < least ? size : least;
    }
    Vector z = {};
    for (i32 i = n - 1; i >= 0; --i) {
        const Vector at = Vector{} + static_cast<float>(i);
        z = at == twist ? Vector{} + 1.0f : side * off[i + 1] * front[i + 1] * z;
        vector[i] = z;
    }
    for (i32 i = 1; i < n; ++i) {
        const Vector at = Vector{} + static_cast<float>(i);
        vector[i] = at > twist ? side * off[i] * back[i] * vector[i - 1] : vector[i];
    }
}

// x becomes an eigenvector of the matrix itself.
template <class Vector>
PYRAD_TARGET inline void transform_back(Vector *a, i32 n, i32 stride,
                                        const LaneReflections<Vector> &by, Vector *x) {
    for (i32 k = 1; k < n; ++k) {
        Vector *const v = a + static_cast<i64>(k) * stride;
        const i32 padded = (k + block - 1) / block * block;
        v[k - 1] = by.last[k];
        const Vector part = by.scale[k] * dot_product(v, x, padded);
        for (i32 j = 0; j < k; ++j)
            x[j] -= part * v[j];
    }
}

// In single precision: the vectors of the largest absolute eigenvalues, and whether these lie
// alone, which `alone` says by a number other than 0.
PYRAD_TARGET void largest_vectors(const LaneTables<Floats> &tables, float bound, Floats *work,
                                  Floats *vectors, Floats *alone) {
    const i32 n = tables.n, stride = tables.row;
    const LaneReflections<Floats> to = reflections_in(work, stride);
    Floats *const a = work + 3 * stride;
    normalise(tables, a);
    tridiagonalise_lanes(a, n, stride, to, work);
    to.off[n] = Floats{};
    const SpectrumEnds<Floats> ends = spectrum_ends(to.diagonal, to.off, n, bound);
    const Floats one = Floats{} + 1.0f;
    const Floats side = ends.high > ends.low ? one : -one;
    const Floats value = ends.high > ends.low ? ends.high : ends.low;
    Floats *const front = work, *const back = work + stride + 1;
    pivots_of(to, n, value, side, front, back, *alone);
    for (i32 i = n; i < stride; ++i)
        vectors[i] = Floats{};
    twisted_vector(to, n, value, side, front, back, vectors);
    transform_back(a, n, stride, to, vectors);
}

PYRAD_TARGET inline double sum_of(const Doubles &x) {
    return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

// Rayleigh quotient of a table in double precision. x: its elements lie `float_lanes` apart. work:
// 3 rows.
PYRAD_TARGET Quotient quotient(const SingleTable &table, const float *x, Doubles *work) {
    const i32 row = table.row, length = row / double_lanes;
    const auto doubles = [](const double *from) { return reinterpret_cast<const Doubles *>(from); };
    const Doubles *const root = doubles(table.root), *const inverse = doubles(table.inverse);
    Doubles *const vector = work, *const product = work + length;
    Doubles square = {}, known = {}, value = {}, residual = {};
    for (i32 c = 0; c < length; ++c) {
        vector[c] = every(x + c * double_lanes * float_lanes, float_lanes);
        square += vector[c] * vector[c];
        known += vector[c] * root[c];
        product[c] = vector[c] * inverse[c];
    }
    const double *const factor = reinterpret_cast<const double *>(product);
    const double share = sum_of(known) / table.total, scale = 1 / sum_of(square);
    Doubles *const image = product + length;
    for (i32 c = 0; c < length; ++c) {
        Doubles sum[block] = {}, cells;
        for (i32 j = 0; j < table.n; j += block)
            for (i32 r = 0; r < block; ++r) {
                widen(table.counts + (j + r) * row + c * double_lanes, cells);
                sum[r] += factor[j + r] * cells;
            }
        image[c] = ((sum[0] + sum[1]) + (sum[2] + sum[3])) * inverse[c] - share * root[c];
        value += image[c] * vector[c];
    }
    const double found = sum_of(value) * scale;
    for (i32 c = 0; c < length; ++c) {
        const Doubles rest = image[c] - found * vector[c];
        residual += rest * rest;
    }
    return {found, sum_of(residual) * scale};
}
