// Householder reduction A = Q T Q^H to a real symmetric tridiagonal T (Golub and Van Loan, Matrix
// Computations, 4th ed., section 8.3), Q = H_{n-1} ... H_1 D with H_k = 1 - beta_k v v^H, v in row
// k of the packed triangle, and D diagonal phases (complex matrices only). The rank-two update of
// one step and the product of the next pass over the matrix together.

template <class S> PYRAD_TARGET inline S *row_of(S *a, i64 k) { return a + k * (k + 1) / 2; }

// Row k becomes its Householder vector; alpha is what remains beside the diagonal.
template <class S> PYRAD_TARGET inline Vector reflect(S *v, int k, S &alpha);

template <> PYRAD_TARGET inline Vector reflect(Vector *v, int k, Vector &alpha) {
    Vector norm{};
    for (int j = 0; j < k; ++j)
        norm += v[j] * v[j];
    const Vector last = v[k - 1], root = square_root(norm);
    const Mask reduced = norm - last * last <= 1e-300;
    const Vector turned = last > 0.0 ? -root : root;
    alpha = reduced ? last : turned;
    v[k - 1] = last - alpha;
    return reduced ? Vector{} : 1.0 / (turned * (turned - last));
}

template <> PYRAD_TARGET inline Vector reflect(Pair *v, int k, Pair &alpha) {
    Vector norm{};
    for (int j = 0; j < k; ++j) {
        v[j].im = -v[j].im;
        norm += norm2(v[j]);
    }
    const Pair last = v[k - 1];
    const Vector size2 = norm2(last), size = square_root(size2), root = square_root(norm);
    const Mask reduced = norm - size2 <= 1e-300, none = size2 <= 1e-300;
    const Vector scale = -root / (none ? Vector{} + 1.0 : size);
    const Pair turned{none ? -root : scale * last.re, none ? Vector{} : scale * last.im};
    alpha = {reduced ? last.re : turned.re, reduced ? last.im : turned.im};
    v[k - 1] = last - alpha;
    return reduced ? Vector{} : 1.0 / (root * (root + size));
}

// Rows [i, i + Rows) below column j: a -= v w^H + w v^H, then p += a u of these entries and their
// mirror images. u has k entries, p too.
template <int Rows, class S>
PYRAD_TARGET inline void update_rows(S *a, int i, const S *v, const S *w, const S *u, S *p) {
    S *row[Rows], vi[Rows], wi[Rows], ui[Rows], sum[Rows];
    for (int r = 0; r < Rows; ++r) {
        row[r] = row_of(a, i + r);
        vi[r] = v[i + r];
        wi[r] = w[i + r];
        ui[r] = u[i + r];
        sum[r] = p[i + r];
    }
    for (int j = 0; j < i; ++j) {
        const S wj = conj(w[j]), vj = conj(v[j]), uj = u[j];
        S pj = p[j];
        for (int r = 0; r < Rows; ++r) {
            const S entry = row[r][j] - vi[r] * wj - wi[r] * vj;
            row[r][j] = entry;
            sum[r] = sum[r] + entry * uj;
            pj = pj + conj(entry) * ui[r];
        }
        p[j] = pj;
    }
    for (int r = 0; r < Rows; ++r)
        for (int c = 0; c <= r; ++c) {
            const S entry = row[r][i + c] - vi[r] * conj(w[i + c]) - wi[r] * conj(v[i + c]);
            row[r][i + c] = entry;
            sum[r] = sum[r] + entry * ui[c];
            if (c < r)
                sum[c] = sum[c] + conj(entry) * ui[r];
        }
    for (int r = 0; r < Rows; ++r)
        p[i + r] = sum[r];
}

template <class S> PYRAD_TARGET inline void keep_phase(Work &work, int k, const S &alpha);

template <> PYRAD_TARGET inline void keep_phase(Work &work, int k, const Vector &alpha) {
    as<Vector>(work.off)[k] = alpha;
}

template <> PYRAD_TARGET inline void keep_phase(Work &work, int k, const Pair &alpha) {
    const Vector size = square_root(norm2(alpha));
    const Vector scale = 1.0 / (size > 0.0 ? size : Vector{} + 1.0);
    Pair *phase = as<Pair>(work.phase);
    const Pair turned = (scale * alpha) * phase[k];
    as<Vector>(work.off)[k] = size;
    phase[k - 1] = {size > 0.0 ? turned.re : phase[k].re, size > 0.0 ? turned.im : phase[k].im};
}

template <class S> PYRAD_TARGET void tridiagonalise(Work &work) {
    constexpr int together = sizeof(S) == sizeof(Vector) ? 4 : 2;
    const int n = work.n;
    S *a = as<S>(work.matrix), *w = as<S>(work.first), *p = as<S>(work.second);
    Vector *beta = as<Vector>(work.beta), *diagonal = as<Vector>(work.diagonal);
    if (work.parts == 2)
        as<Pair>(work.phase)[n - 1] = {Vector{} + 1.0, Vector{}};
    for (int i = 0; i < n; ++i)
        w[i] = S{};
    const S *v = w; // of the step before, w beside it
    for (int k = n - 1; k >= 1; --k) {
        S *u = row_of(a, k);
        for (int j = 0; j <= k; ++j)
            u[j] = u[j] - v[k] * conj(w[j]) - w[k] * conj(v[j]);
        diagonal[k] = real(u[k]);
        S alpha;
        beta[k] = reflect(u, k, alpha);
        keep_phase(work, k, alpha);
        for (int i = 0; i < k; ++i)
            p[i] = S{};
        int i = 0;
        for (; i + together <= k; i += together)
            update_rows<together>(a, i, v, w, u, p);
        for (; i < k; ++i)
            update_rows<1>(a, i, v, w, u, p);
        Vector dot{};
        for (i = 0; i < k; ++i)
            dot += real(conj(u[i]) * p[i]);
        const Vector shift = 0.5 * beta[k] * beta[k] * dot;
        for (i = 0; i < k; ++i)
            p[i] = beta[k] * p[i] - shift * u[i];
        S *const free = w;
        w = p;
        p = free;
        v = u;
    }
    diagonal[0] = n > 1 ? real(a[0]) - 2.0 * real(conj(v[0]) * w[0]) : real(a[0]);
    as<Vector>(work.off)[0] = Vector{};
}

// x <- H_k x
template <class S>
PYRAD_TARGET inline void apply_reflector(const S *v, int k, const Vector &beta, S *x) {
    S sum[4] = {};
    int j = 0;
    for (; j + 4 <= k; j += 4)
        for (int r = 0; r < 4; ++r)
            sum[r] = sum[r] + conj(v[j + r]) * x[j + r];
    for (; j < k; ++j)
        sum[0] = sum[0] + conj(v[j]) * x[j];
    const S factor = beta * ((sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (j = 0; j < k; ++j)
        x[j] = x[j] - factor * v[j];
}

template <class S> PYRAD_TARGET inline void to_tridiagonal(Work &work, S *x) { // Q^H x
    for (int k = work.n - 1; k >= 1; --k)
        apply_reflector(row_of(as<S>(work.matrix), k), k, as<Vector>(work.beta)[k], x);
    if constexpr (sizeof(S) == sizeof(Pair))
        for (int i = 0; i < work.n; ++i)
            x[i] = conj(as<Pair>(work.phase)[i]) * x[i];
}

template <class S> PYRAD_TARGET inline void from_tridiagonal(Work &work, S *x) { // Q x
    if constexpr (sizeof(S) == sizeof(Pair))
        for (int i = 0; i < work.n; ++i)
            x[i] = as<Pair>(work.phase)[i] * x[i];
    for (int k = 1; k < work.n; ++k)
        apply_reflector(row_of(as<S>(work.matrix), k), k, as<Vector>(work.beta)[k], x);
}

// x = z but in lanes without noise
template <class S> PYRAD_TARGET inline void keep_or_replace(const Work &work, const S *z, S *x) {
    const Mask all = *reinterpret_cast<const Vector *>(work.rank) >= static_cast<double>(work.n);
    const Vector *from = reinterpret_cast<const Vector *>(z);
    Vector *to = reinterpret_cast<Vector *>(x);
    for (int i = 0; i < work.n * work.parts; ++i)
        to[i] = all ? to[i] : from[i];
}

template <class S> PYRAD_TARGET void project_onto(Work &work, S *x) {
    const int n = work.n;
    S *y = as<S>(work.first), *z = as<S>(work.second);
    for (int i = 0; i < n; ++i) {
        y[i] = x[i];
        z[i] = S{};
    }
    to_tridiagonal(work, y);
    for (int k = 0; k < work.kept; ++k) {
        const Vector *u = as<Vector>(work.vectors) + static_cast<i64>(k) * n;
        S dot[2] = {};
        int i = 0;
        for (; i + 2 <= n; i += 2)
            for (int r = 0; r < 2; ++r)
                dot[r] = dot[r] + u[i + r] * y[i + r];
        for (; i < n; ++i)
            dot[0] = dot[0] + u[i] * y[i];
        const S factor = as<Vector>(work.weights)[k] * (dot[0] + dot[1]);
        for (i = 0; i < n; ++i)
            z[i] = z[i] + u[i] * factor;
    }
    from_tridiagonal(work, z);
    keep_or_replace(work, z, x);
}

template <class S> PYRAD_TARGET void transform_back(Work &work, S *basis) {
    const int n = work.n;
    for (int k = 0; k < work.kept; ++k, basis += n) {
        const Vector *u = as<Vector>(work.vectors) + static_cast<i64>(k) * n;
        for (int i = 0; i < n; ++i) {
            basis[i] = S{};
            *reinterpret_cast<Vector *>(basis + i) = u[i];
        }
        from_tridiagonal(work, basis);
    }
}

template <class S> PYRAD_TARGET void project_by(const Work &work, const S *basis, S *x) {
    const int n = work.n;
    S *z = as<S>(work.second);
    for (int i = 0; i < n; ++i)
        z[i] = S{};
    for (int k = 0; k < work.kept; ++k, basis += n) {
        S dot[2] = {};
        int i = 0;
        for (; i + 2 <= n; i += 2)
            for (int r = 0; r < 2; ++r)
                dot[r] = dot[r] + conj(basis[i + r]) * x[i + r];
        for (; i < n; ++i)
            dot[0] = dot[0] + conj(basis[i]) * x[i];
        const S factor = as<Vector>(work.weights)[k] * (dot[0] + dot[1]);
        for (i = 0; i < n; ++i)
            z[i] = z[i] + basis[i] * factor;
    }
    keep_or_replace(work, z, x);
}
