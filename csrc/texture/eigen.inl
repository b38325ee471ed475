// Householder reduction of a symmetric matrix to tridiagonal form, then Sturm bisection at both
// ends of its spectrum (Golub and Van Loan, Matrix Computations, 4th ed., sections 8.3 and 8.4). No
// eigenvectors; works in place.
//
// T is double (eigen_math.hpp), or a vector register with one matrix per lane (lane_eigen.inl),
// whose lanes get what a matrix of its own would. Whoever includes this defines PYRAD_EIGEN, the
// attributes of the functions, and square_root(T) and none_of(mask).

// Householder vector of row k, which is left of the subdiagonal; returns 2 / |v|^2, 0 where the
// row is already tridiagonal.
template <class T> PYRAD_EIGEN T reflect_row(T *v, i32 k, T &off) {
    T norm = T{};
    for (i32 i = 0; i < k; ++i)
        norm += v[i] * v[i];
    const T last = v[k - 1], root = square_root(norm);
    const T alpha = last > 0.0 ? -root : root;
    const auto reduced = norm - last * last <= 1e-300;
    off = reduced ? last : alpha;
    v[k - 1] = reduced ? last : last - alpha;
    return reduced ? T{} : 1.0 / (alpha * (alpha - last));
}

// a: n x n row-major, lower triangle, destroyed. diagonal: n, off: n (off[0] unused).
template <class T> PYRAD_EIGEN void tridiagonalise(T *a, i32 n, T *diagonal, T *off) {
    for (i32 k = n - 1; k >= 1; --k) { // annihilates row k left of its subdiagonal
        T *v = a + static_cast<i64>(k) * n;
        const T scale = reflect_row(v, k, off[k]);
        T dot = T{};
        for (i32 i = 0; i < k; ++i) { // diagonal[0..k) holds scale * A v for now
            T sum = T{};
            for (i32 j = 0; j <= i; ++j)
                sum += a[static_cast<i64>(i) * n + j] * v[j];
            for (i32 j = i + 1; j < k; ++j)
                sum += a[static_cast<i64>(j) * n + i] * v[j];
            diagonal[i] = scale * sum;
            dot += diagonal[i] * v[i];
        }
        const T shift = 0.5 * scale * dot;
        for (i32 i = 0; i < k; ++i)
            diagonal[i] -= shift * v[i];
        for (i32 i = 0; i < k; ++i)
            for (i32 j = 0; j <= i; ++j)
                a[static_cast<i64>(i) * n + j] -= v[i] * diagonal[j] + diagonal[i] * v[j];
    }
    for (i32 i = 0; i < n; ++i)
        diagonal[i] = a[static_cast<i64>(i) * n + i];
    off[0] = T{};
}

// Whether all eigenvalues of the tridiagonal matrix lie in (-x, x): Sturm counts at both ends.
template <class T>
PYRAD_EIGEN auto eigenvalues_within(const T *diagonal, const T *off, i32 n, const T &x) {
    T above = diagonal[0] - x, below = diagonal[0] + x; // pivots of T - x (< 0) and T + x (> 0)
    auto within = (above < 0.0) & (below > 0.0);
    for (i32 i = 1; i < n && !none_of(within); ++i) {
        above = diagonal[i] - x - off[i] * off[i] / above;
        below = diagonal[i] + x - off[i] * off[i] / below;
        within = within & (above < 0.0) & (below > 0.0);
    }
    return within;
}

// max |eigenvalue| <= bound, to 1e-12 of the bound.
template <class T>
PYRAD_EIGEN T largest_eigenvalue(const T *diagonal, const T *off, i32 n, double bound) {
    T low = T{}, high = T{} + bound;
    for (i32 step = 0; step < 40; ++step) {
        const T middle = 0.5 * (low + high);
        const auto within = eigenvalues_within(diagonal, off, n, middle);
        high = within ? middle : high;
        low = within ? low : middle;
    }
    return 0.5 * (low + high);
}
