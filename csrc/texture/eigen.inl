// Householder reduction of a symmetric matrix to tridiagonal form (Golub and Van Loan, Matrix
// Computations, 4th ed., section 8.3), then the ends of its spectrum. No eigenvectors; in place.
//
// T is double (eigen_math.hpp), or a vector register with one matrix per lane (lane_eigen.inl),
// whose lanes get what a matrix of its own would. Whoever includes this defines PYRAD_EIGEN, the
// attributes of the functions, EigenLimits<T>, square_root(T) and none_of(mask).

// The last element x of a vector of squared length `norm` becomes that of its Householder vector v,
// which annihilates all but `off` of it; returns 2 / |v|^2, 0 where only x is not 0.
template <class T> PYRAD_EIGEN T reflect(T &x, const T &norm, T &off) {
    using Limits = EigenLimits<T>;
    const typename Limits::Real zero = 0, one = 1;
    const T last = x, root = square_root(norm), alpha = last > zero ? -root : root;
    const auto reduced = norm - last * last <= Limits::least;
    off = reduced ? last : alpha;
    x = reduced ? last : last - alpha;
    return reduced ? T{} : one / (alpha * (alpha - last));
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

// Determinants p of the leading blocks of x - T and their first two derivatives d and 2 h, by the
// recurrence over the blocks, without divisions.
template <class T> struct Minors {
    T p0, p1, d0, d1, h0, h1;

    // To the next block: t = x less its diagonal element, e its squared off-diagonal one.
    PYRAD_EIGEN void advance(const T &t, const T &e) {
        const T h2 = d1 + t * h1 - e * h0, d2 = p1 + t * d1 - e * d0, p2 = t * p1 - e * p0;
        h0 = h1, h1 = h2;
        d0 = d1, d1 = d2;
        p0 = p1, p1 = p2;
    }

    PYRAD_EIGEN void rescale() { // stays within the numbers' range
        using Limits = EigenLimits<T>;
        const typename Limits::Real large = Limits::large, small = 1 / large;
        const T zero = T{}, one = zero + typename Limits::Real(1);
        const T scale = p1 < small ? zero + large : p1 > large ? zero + small : one;
        h0 *= scale, h1 *= scale;
        d0 *= scale, d1 *= scale;
        p0 *= scale, p1 *= scale;
    }

    // Step of Laguerre's iteration from an x above all roots of the last determinant, of degree n,
    // towards the largest one; 0 where rounding has carried x onto it.
    PYRAD_EIGEN T step(i32 n) const {
        using Real = typename EigenLimits<T>::Real;
        const Real degree = static_cast<Real>(n), nothing = 0;
        const T zero = T{}, g = d1 / p1;
        const T spread = (degree - 1) * ((degree - 1) * g * g - 2 * degree * (h1 / p1));
        const T root = square_root(spread > nothing ? spread : zero);
        return p1 > nothing ? degree / (g + root) : zero;
    }
};

// Minors of high - T and of low + T, side by side: each alone would wait for itself.
template <class T> struct BothMinors {
    Minors<T> high, low;
};

template <class T>
PYRAD_EIGEN BothMinors<T> both_minors(const T *diagonal, const T *off, i32 n, const T &high,
                                      const T &low) {
    using Limits = EigenLimits<T>;
    const T zero = T{}, one = zero + typename Limits::Real(1);
    Minors<T> above{zero, one, zero, zero, zero, zero}, below = above;
    for (i32 i = 0; i < n; ++i) {
        const T e = off[i] * off[i];
        above.advance(high - diagonal[i], e);
        below.advance(low + diagonal[i], e);
        if ((i & (Limits::stretch - 1)) == Limits::stretch - 1) {
            above.rescale();
            below.rescale();
        }
    }
    return {above, below};
}

// Bounds from above of the largest eigenvalue of T and of -T, all at most `bound`; the larger of
// them is the eigenvalue.
template <class T> struct SpectrumEnds {
    T high, low;
};

// Laguerre's iteration from the bound towards both ends of a tridiagonal matrix's spectrum,
// monotone and of third order (Wilkinson, The Algebraic Eigenvalue Problem, 1965, chapter 7), until
// the end that lies further out stands still.
template <class T>
PYRAD_EIGEN SpectrumEnds<T> spectrum_ends(const T *diagonal, const T *off, i32 n,
                                          typename EigenLimits<T>::Real bound) {
    using Real = typename EigenLimits<T>::Real;
    const Real nothing = 0, still = EigenLimits<T>::still * bound;
    T high = T{} + bound, low = high;
    auto moving = high > nothing;
    for (i32 step = 0; step < 80 && !none_of(moving); ++step) {
        const BothMinors<T> minors = both_minors(diagonal, off, n, high, low);
        const T down = minors.high.step(n), up = minors.low.step(n);
        const T last = high > low ? down : up;
        high = moving ? high - down : high; // a lane that has arrived stays, whatever others do
        low = moving ? low - up : low;
        moving = moving & (last > still);
    }
    return {high, low};
}

// max |eigenvalue| of a tridiagonal matrix, at most `bound`.
template <class T>
PYRAD_EIGEN T largest_eigenvalue(const T *diagonal, const T *off, i32 n,
                                 typename EigenLimits<T>::Real bound) {
    const SpectrumEnds<T> ends = spectrum_ends(diagonal, off, n, bound);
    return ends.high > ends.low ? ends.high : ends.low;
}
