// Eigenvalues and eigenvectors of T where they are needed. Values come from the top, by Laguerre's
// iteration on the characteristic polynomial, which approaches the largest root monotonically
// (Wilkinson, The Algebraic Eigenvalue Problem, 1965, chapter 7); those already found are divided
// out. Sturm counts certify each one; a lane that fails them, as in a cluster, takes bisection.
// Vectors are twisted factorisations (Parlett, Dhillon, Linear Algebra Appl. 267, 1997,
// doi:10.1016/S0024-3795(97)80049-3), made orthogonal to those before.

// Sums of 1 / (x - l) and 1 / (x - l)^2 over all eigenvalues l.
PYRAD_TARGET inline void resolvent_sums(const Work &work, const Vector &x, Vector &s1, Vector &s2) {
    const Vector *d = reinterpret_cast<const Vector *>(work.diagonal);
    const Vector *c = reinterpret_cast<const Vector *>(work.squares);
    Vector p0 = Vector{} + 1.0, q0{}, h0{}; // polynomial, its derivative and half the second
    Vector p1 = x - d[0], q1 = Vector{} + 1.0, h1{};
    for (int i = 1; i < work.n; ++i) {
        const Vector t = x - d[i];
        const Vector p2 = t * p1 - c[i] * p0;
        const Vector q2 = t * q1 - c[i] * q0 + p1;
        const Vector h2 = t * h1 - c[i] * h0 + q1;
        p0 = p1, q0 = q1, h0 = h1;
        p1 = p2, q1 = q2, h1 = h2;
        if (i % 8 == 7) { // far from overflow
            const Vector size = absolute(p0) + absolute(p1);
            const Vector scale = size > 0.0 ? 1.0 / size : Vector{} + 1.0;
            p0 *= scale, q0 *= scale, h0 *= scale;
            p1 *= scale, q1 *= scale, h1 *= scale;
        }
    }
    const Vector inverse = 1.0 / p1;
    s1 = q1 * inverse;
    s2 = s1 * s1 - 2.0 * h1 * inverse;
}

// How many eigenvalues exceed x: changes of sign among the leading minors of x - T.
PYRAD_TARGET inline Mask count_above(const Work &work, const Vector &x) {
    const Vector *d = reinterpret_cast<const Vector *>(work.diagonal);
    const Vector *c = reinterpret_cast<const Vector *>(work.squares);
    Vector p0 = Vector{} + 1.0, p1 = x - d[0];
    Mask count = -(p1 < 0.0);
    for (int i = 1; i < work.n; ++i) {
        const Vector p2 = (x - d[i]) * p1 - c[i] * p0;
        count -= (p2 < 0.0) ^ (p1 < 0.0);
        p0 = p1;
        p1 = p2;
        if (i % 8 == 7) {
            const Vector size = absolute(p0) + absolute(p1);
            const Vector scale = size > 0.0 ? 1.0 / size : Vector{} + 1.0;
            p0 *= scale;
            p1 *= scale;
        }
    }
    return count;
}

PYRAD_TARGET inline double rounding(const Work &work) { return 2.2e-16 * (32 + work.n); }

// Replaces `value` by the k-th largest eigenvalue (from 1), within [low, high], where it is not it.
PYRAD_TARGET inline void certify(const Work &work, int k, const Vector &lowest,
                                 const Vector &highest, Vector &value) {
    const double margin = 4 * rounding(work);
    const Mask good = (count_above(work, value + margin) < k) &
                      (count_above(work, value - margin) >= k) & (value == value);
    if (!any(~good))
        return;
    Vector low = lowest, high = highest;
    for (int step = 0; step < 50; ++step) {
        const Vector middle = 0.5 * (low + high);
        const Mask above = count_above(work, middle) >= k;
        low = above ? middle : low;
        high = above ? high : middle;
    }
    value = good ? value : 0.5 * (low + high);
}

// From x towards the eigenvalue closest to it, which lies below (sign 1) or above (-1) x and is the
// outermost of `rest`; the `found` ones before it in `values` are divided out.
PYRAD_TARGET inline void laguerre(const Work &work, double sign, int found, const Mask &wanted,
                                  Vector &x) {
    const Vector *values = reinterpret_cast<const Vector *>(work.values);
    const double rest = work.n - found, enough = rounding(work);
    Mask active = wanted;
    for (int step = 0; step < 16 && any(active); ++step) {
        Vector s1, s2;
        resolvent_sums(work, x, s1, s2);
        for (int i = 0; i < found; ++i) {
            const Vector inverse = 1.0 / (x - values[i]);
            s1 -= inverse;
            s2 -= inverse * inverse;
        }
        const Vector inner = (rest - 1.0) * (rest * s2 - s1 * s1);
        const Vector move = rest / (sign * s1 + square_root(inner > 0.0 ? inner : Vector{}));
        const Mask moving = active & (move == move);
        x = moving ? x - sign * move : x;
        active = moving & (absolute(move) > enough);
    }
}

// Largest possible eigenvalue of `count` with this sum and sum of squares (Samuelson's inequality).
PYRAD_TARGET inline Vector samuelson(double count, const Vector &sum, const Vector &squares) {
    const Vector mean = sum / count, spread = squares / count - mean * mean;
    return mean + square_root(spread > 0.0 ? spread * (count - 1.0) : Vector{});
}

// Scales T by its trace; returns the sum of the squares of its eigenvalues.
PYRAD_TARGET inline Vector normalise(Work &work) {
    Vector *d = as<Vector>(work.diagonal), *off = as<Vector>(work.off);
    Vector *c = as<Vector>(work.squares);
    Vector trace{}, squares{};
    for (int i = 0; i < work.n; ++i)
        trace += d[i];
    const Vector scale = trace > 0.0 ? 1.0 / trace : Vector{};
    for (int i = 0; i < work.n; ++i) {
        d[i] *= scale;
        off[i] *= scale;
        c[i] = off[i] * off[i];
        squares += d[i] * d[i] + 2.0 * c[i];
    }
    *as<Vector>(work.trace) = trace;
    return squares;
}

// Values from the top until the rest passes for noise.
PYRAD_TARGET void find_rank(Work &work, const Rule &rule) {
    const int n = work.n;
    Vector squares = normalise(work), rest = Vector{} + 1.0;
    Vector *values = as<Vector>(work.values);
    Vector &rank = *as<Vector>(work.rank), &variance = *as<Vector>(work.variance);
    rank = Vector{} + static_cast<double>(n);
    variance = Vector{};
    Mask active = *as<Vector>(work.trace) > 0.0;
    const Vector zero = Vector{} - rounding(work), one = Vector{} + (1.0 + rounding(work));
    Vector least = zero;
    laguerre(work, -1.0, 0, active, least);
    certify(work, n, zero, one, least);
    least = least > zero_level(n) ? least : Vector{};
    for (int k = 1; k <= n && any(active); ++k) {
        const double c = n - k + 1;
        const Vector high = k > 1 ? values[k - 2] : one;
        Vector value = samuelson(c, rest, squares) * (1.0 + 1e-9) + rounding(work);
        const Vector other = rest - (c - 1.0) * least + rounding(work);
        value = value < other ? value : other;
        value = value < high ? value : high;
        laguerre(work, 1.0, k - 1, active, value);
        certify(work, k, zero, high + rounding(work), value);
        value = active ? value : Vector{};
        values[k - 1] = value;
        const Mask nothing = active & ((value <= zero_level(n)) | (rest <= zero_level(n)));
        const Vector gap = value - least, mean = rest / c;
        const Mask noise =
            active & ~nothing &
            ((gap <= 0.0) | (gap * gap < edge_factor(rule, n, n - k + 1) * mean * mean));
        rank = noise ? Vector{} + static_cast<double>(k - 1) : rank;
        variance = noise ? mean / rule.longer : variance;
        active &= ~noise & ~nothing;
        rest -= value;
        squares -= value * value;
    }
    variance *= *as<Vector>(work.trace);
}

PYRAD_TARGET inline Vector pivot(const Vector &x) {
    return absolute(x) < 1e-18 ? Vector{} + 1e-18 : x;
}

// Twisted factorisation T - value = L D L^T from above and U D U^T from below, meeting where the
// vector is large and `unused` is not small; lower[i], upper[i] are the factors beside index i.
PYRAD_TARGET inline void twisted_vector(Work &work, const Vector &value, Vector *u) {
    const int n = work.n;
    const Vector *d = as<Vector>(work.diagonal), *off = as<Vector>(work.off);
    const Vector *c = as<Vector>(work.squares), *unused = as<Vector>(work.unused);
    Vector *down = as<Vector>(work.first), *up = as<Vector>(work.second); // pivots
    down[0] = pivot(d[0] - value);
    up[n - 1] = pivot(d[n - 1] - value);
    for (int i = 1, j = n - 2; i < n; ++i, --j) {
        down[i] = pivot(d[i] - value - c[i] / down[i - 1]);
        up[j] = pivot(d[j] - value - c[j + 1] / up[j + 1]);
    }
    Vector twist{}, best = Vector{} + 1e300, weight = Vector{} + 1.0;
    for (int i = 0; i < n; ++i) {
        const Vector size = absolute(down[i] + up[i] - (d[i] - value));
        const Mask better = size * weight < best * unused[i];
        twist = better ? Vector{} + static_cast<double>(i) : twist;
        best = better ? size : best;
        weight = better ? unused[i] : weight;
    }
    u[n - 1] = twist == static_cast<double>(n - 1) ? Vector{} + 1.0 : Vector{};
    for (int i = n - 2; i >= 0; --i) {
        const Vector next = -off[i + 1] * u[i + 1] / down[i];
        u[i] = twist == static_cast<double>(i) ? Vector{} + 1.0
                                               : (twist > static_cast<double>(i) ? next : Vector{});
    }
    for (int i = 1; i < n; ++i) {
        const Vector next = -off[i] * u[i - 1] / up[i];
        u[i] = twist < static_cast<double>(i) ? next : u[i];
    }
}

// Unit length after the parts along the k vectors before are gone.
PYRAD_TARGET inline void orthogonalise(Work &work, int k, Vector *u) {
    const int n = work.n;
    for (int pass = 0; pass < 2; ++pass) {
        Vector norm{};
        for (int i = 0; i < n; ++i)
            norm += u[i] * u[i];
        const Vector scale = norm > 0.0 ? 1.0 / square_root(norm) : Vector{};
        for (int i = 0; i < n; ++i)
            u[i] *= scale;
        Vector most{};
        for (int m = 0; m < k; ++m) {
            const Vector *other = as<Vector>(work.vectors) + static_cast<i64>(m) * n;
            Vector dot{};
            for (int i = 0; i < n; ++i)
                dot += other[i] * u[i];
            for (int i = 0; i < n; ++i)
                u[i] -= dot * other[i];
            most = absolute(dot) > most ? absolute(dot) : most;
        }
        if (!any(most > 1e-9))
            return;
    }
    Vector norm{};
    for (int i = 0; i < n; ++i)
        norm += u[i] * u[i];
    const Vector scale = norm > 0.0 ? 1.0 / square_root(norm) : Vector{};
    for (int i = 0; i < n; ++i)
        u[i] *= scale;
}

PYRAD_TARGET void find_vectors(Work &work) {
    const int n = work.n;
    work.kept = 0;
    for (int lane = 0; lane < lanes; ++lane) {
        const int rank = static_cast<int>(work.rank[lane]);
        if (rank < n && rank > work.kept)
            work.kept = rank;
    }
    Vector *unused = as<Vector>(work.unused);
    for (int i = 0; i < n; ++i)
        unused[i] = Vector{} + 1.0;
    for (int k = 0; k < work.kept; ++k) {
        Vector *u = as<Vector>(work.vectors) + static_cast<i64>(k) * n;
        twisted_vector(work, as<Vector>(work.values)[k], u);
        orthogonalise(work, k, u);
        for (int i = 0; i < n; ++i) {
            const Vector left = unused[i] - u[i] * u[i];
            unused[i] = left > 1e-12 ? left : Vector{} + 1e-12;
        }
    }
}

PYRAD_TARGET void find_weights(Work &work, const Rule &rule) {
    const Vector rank = *as<Vector>(work.rank), variance = *as<Vector>(work.variance);
    const Vector scale =
        *as<Vector>(work.trace) / (rule.longer * (variance > 0.0 ? variance : Vector{} + 1.0));
    for (int k = 0; k < work.kept; ++k) {
        const Mask kept = (rank > static_cast<double>(k)) & (rank < static_cast<double>(work.n));
        Vector weight = Vector{} + 1.0;
        if (rule.shrinkage)
            for (int lane = 0; lane < lanes; ++lane)
                weight[lane] = __builtin_sqrt(squared_shrinkage(
                    as<Vector>(work.values)[k][lane] * scale[lane], work.n / rule.longer));
        as<Vector>(work.weights)[k] = kept ? weight : Vector{};
    }
}
