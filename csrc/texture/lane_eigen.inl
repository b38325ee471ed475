// Eight matrices at a time for one instruction set; PYRAD_TARGET is its attribute.

PYRAD_TARGET inline Vector square_root(const Vector &x) {
    Vector root;
    for (int lane = 0; lane < eigen_lanes; ++lane)
        root[lane] = std::sqrt(x[lane]);
    return root;
}

template <class Mask> PYRAD_TARGET inline bool none_of(const Mask &) {
    return false; // lanes go on together
}

#define PYRAD_EIGEN PYRAD_TARGET inline
#include "texture/eigen.inl"
#undef PYRAD_EIGEN

PYRAD_TARGET void largest_eigenvalues(Vector *matrix, i32 n, double bound, Vector *diagonal,
                                      Vector *off, Vector *largest) {
    tridiagonalise(matrix, n, diagonal, off);
    *largest = largest_eigenvalue(diagonal, off, n, bound);
}
