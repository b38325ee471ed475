// mppca_lanes.hpp for one instruction set; PYRAD_TARGET is the attribute of its functions, `lanes`
// the doubles of a register.

typedef double Vector __attribute__((vector_size(lanes * sizeof(double)), may_alias));
typedef double Unaligned
    __attribute__((vector_size(lanes * sizeof(double)), aligned(8), may_alias));
typedef long long Mask __attribute__((vector_size(lanes * sizeof(double)), may_alias));

// One complex number of each window.
struct Pair {
    Vector re, im;
};

PYRAD_TARGET inline Pair operator+(const Pair &a, const Pair &b) {
    return {a.re + b.re, a.im + b.im};
}
PYRAD_TARGET inline Pair operator-(const Pair &a, const Pair &b) {
    return {a.re - b.re, a.im - b.im};
}
PYRAD_TARGET inline Pair operator*(const Pair &a, const Pair &b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
PYRAD_TARGET inline Pair operator*(const Vector &s, const Pair &a) { return {s * a.re, s * a.im}; }
PYRAD_TARGET inline Pair conj(const Pair &a) { return {a.re, -a.im}; }
PYRAD_TARGET inline Vector norm2(const Pair &a) { return a.re * a.re + a.im * a.im; }
PYRAD_TARGET inline Vector real(const Pair &a) { return a.re; }
PYRAD_TARGET inline Vector conj(const Vector &a) { return a; }
PYRAD_TARGET inline Vector norm2(const Vector &a) { return a * a; }
PYRAD_TARGET inline Vector real(const Vector &a) { return a; }
PYRAD_TARGET inline Vector square_root(const Vector &x) {
    Vector root;
    for (int lane = 0; lane < lanes; ++lane)
        root[lane] = __builtin_sqrt(x[lane]);
    return root;
}
PYRAD_TARGET inline Vector absolute(const Vector &x) { return x < 0.0 ? -x : x; }
PYRAD_TARGET inline bool any(const Mask &mask) {
    long long found = 0;
    for (int lane = 0; lane < lanes; ++lane)
        found |= mask[lane];
    return found != 0;
}
template <class S> PYRAD_TARGET inline S *as(double *p) { return reinterpret_cast<S *>(p); }

#include "denoise/mppca_gram.inl"
#include "denoise/mppca_tridiagonal.inl"
#include "denoise/mppca_spectrum.inl"

PYRAD_TARGET void decompose(Work &work, const Rule &rule) {
    if (work.parts == 1)
        tridiagonalise<Vector>(work);
    else
        tridiagonalise<Pair>(work);
    find_rank(work, rule);
    find_vectors(work);
    find_weights(work, rule);
}

PYRAD_TARGET void project(Work &work, double *x) {
    if (work.parts == 1)
        project_onto<Vector>(work, as<Vector>(x));
    else
        project_onto<Pair>(work, as<Pair>(x));
}

PYRAD_TARGET void basis(Work &work, double *out) {
    if (work.parts == 1)
        transform_back<Vector>(work, as<Vector>(out));
    else
        transform_back<Pair>(work, as<Pair>(out));
}

PYRAD_TARGET void project_by_basis(const Work &work, const double *basis, double *x) {
    if (work.parts == 1)
        project_by(work, reinterpret_cast<const Vector *>(basis), as<Vector>(x));
    else
        project_by(work, reinterpret_cast<const Pair *>(basis), as<Pair>(x));
}

PYRAD_TARGET Solver solver() {
    return {lanes,     line_products, column_sums, row_sums,         dense_gram,
            decompose, project,       basis,       project_by_basis, mix};
}
