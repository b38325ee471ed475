// Householder reduction of a symmetric matrix to tridiagonal form (Golub and Van Loan, Matrix
// Computations, 4th ed., section 8.3), then the ends of its spectrum. No eigenvectors; in place.
//
// T is double (eigen_math.hpp), or a vector register with one matrix per lane (lane_eigen.inl),
// whose lanes get what a matrix of its own would. Whoever includes this defines PYRAD_EIGEN, the
// attributes of the functions, and square_root(T) and none_of(mask).

// The last element x of a vector of squared length `norm` becomes that of its Householder vector v,
// which annihilates all but `off` of it; returns 2 / |v|^2, 0 where only x is not 0.
template <class T> PYRAD_EIGEN T reflect(T &x, const T &norm, T &off) {
    const T last = x, root = square_root(norm), alpha = last > 0.0 ? -root : root;
    const auto reduced = norm - last * last <= 1e-300;
    off = reduced ? last : alpha;
    x = reduced ? last : last - alpha;
    return reduced ? T{} : 1.0 / (alpha * (alpha - last));
}

// a: n x n row-major, lower triangle, destroyed. diagonal: n, off: n (off[0] unused).
template <class T> PYRAD_EIGEN void tridiagonalise(T *a, i32 n, T *diagonal, T *off) {
    for (i32 k = n - 1; k >= 1; --k) { // annihilates row k left of its subdiagonal
        T *v = a + static_cast<i64>(k) * n;
        T norm = T{}, dot = T{};
        for (i32 i = 0; i < k; ++i)
            norm += v[i] * v[i];
        const T scale = reflect(v[k - 1], norm, off[k]);
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

// Step of Laguerre's iteration from x, which is above all roots of det(x - side T), towards the
// largest one; 0 where rounding has carried x onto it. The determinant's first two derivatives come
// from the recurrence over leading blocks, without divisions.
template <class T>
PYRAD_EIGEN T laguerre_step(const T *diagonal, const T *off, i32 n, const T &x, double side) {
    const T zero = T{}, one = zero + 1.0;
    T p0 = zero, p1 = one, d0 = zero, d1 = zero, h0 = zero, h1 = zero; // p, p', p'' / 2
    for (i32 i = 0; i < n; ++i) {
        const T t = x - side * diagonal[i], e = off[i] * off[i];
        const T h2 = d1 + t * h1 - e * h0, d2 = p1 + t * d1 - e * d0, p2 = t * p1 - e * p0;
        h0 = h1, h1 = h2;
        d0 = d1, d1 = d2;
        p0 = p1, p1 = p2;
        if ((i & 15) == 15) { // stays within the range of the numbers
            const T scale = p1 < 1e-60 ? zero + 1e60 : p1 > 1e60 ? zero + 1e-60 : one;
            h0 *= scale, h1 *= scale;
            d0 *= scale, d1 *= scale;
            p0 *= scale, p1 *= scale;
        }
    }
    const double degree = n;
    const T g = d1 / p1, spread = (degree - 1) * ((degree - 1) * g * g - 2 * degree * (h1 / p1));
    const T root = square_root(spread > 0.0 ? spread : zero);
    return p1 > 0.0 ? degree / (g + root) : zero;
}

// max |eigenvalue| <= bound of a tridiagonal matrix: Laguerre's iteration from the bound towards
// both ends of the spectrum, monotone and of third order (Wilkinson, The Algebraic Eigenvalue
// Problem, 1965, chapter 7), until the end that lies further out stands still.
template <class T>
PYRAD_EIGEN T largest_eigenvalue(const T *diagonal, const T *off, i32 n, double bound) {
    T high = T{} + bound, low = high; // above the largest eigenvalue of T and of -T
    auto moving = high > 0.0;
    for (i32 step = 0; step < 80 && !none_of(moving); ++step) {
        const T down = laguerre_step(diagonal, off, n, high, 1.0);
        const T up = laguerre_step(diagonal, off, n, low, -1.0);
        const T last = high > low ? down : up;
        high = moving ? high - down : high; // a lane that has arrived stays, whatever others do
        low = moving ? low - up : low;
        moving = moving & (last > 1e-13 * bound);
    }
    return high > low ? high : low;
}
