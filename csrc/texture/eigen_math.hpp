// Largest absolute eigenvalue of a small symmetric matrix: Householder reduction to tridiagonal
// form, then Sturm bisection at both ends of the spectrum (Golub and Van Loan, Matrix Computations,
// 4th ed., sections 8.3 and 8.4). No eigenvectors; works in place; CPU and CUDA.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// a: n x n row-major, destroyed. diagonal: n, off: n (off[0] unused).
PYRAD_HD void tridiagonalise(double *a, i32 n, double *diagonal, double *off) {
    for (i32 k = n - 1; k >= 1; --k) { // annihilates row k left of its subdiagonal
        double *v = a + static_cast<i64>(k) * n;
        double norm = 0;
        for (i32 i = 0; i < k; ++i)
            norm += v[i] * v[i];
        const double last = v[k - 1];
        if (norm - last * last <= 1e-300) { // already tridiagonal here
            off[k] = last;
            continue;
        }
        const double alpha = last > 0 ? -sqrt(norm) : sqrt(norm);
        off[k] = alpha;
        v[k - 1] = last - alpha;
        const double scale = 1 / (alpha * (alpha - last)); // 2 / |v|^2
        double dot = 0;
        for (i32 i = 0; i < k; ++i) { // diagonal[0..k) holds scale * A v for now
            double sum = 0;
            for (i32 j = 0; j <= i; ++j)
                sum += a[static_cast<i64>(i) * n + j] * v[j];
            for (i32 j = i + 1; j < k; ++j)
                sum += a[static_cast<i64>(j) * n + i] * v[j];
            diagonal[i] = scale * sum;
            dot += diagonal[i] * v[i];
        }
        const double shift = 0.5 * scale * dot;
        for (i32 i = 0; i < k; ++i)
            diagonal[i] -= shift * v[i];
        for (i32 i = 0; i < k; ++i)
            for (i32 j = 0; j <= i; ++j)
                a[static_cast<i64>(i) * n + j] -= v[i] * diagonal[j] + diagonal[i] * v[j];
    }
    for (i32 i = 0; i < n; ++i)
        diagonal[i] = a[static_cast<i64>(i) * n + i];
    off[0] = 0;
}

// Whether all eigenvalues of the tridiagonal matrix lie in (-x, x): Sturm counts at both ends.
PYRAD_HD bool eigenvalues_within(const double *diagonal, const double *off, i32 n, double x) {
    double above = 1, below = 1; // pivots of T - x (all negative) and T + x (all positive)
    for (i32 i = 0; i < n; ++i) {
        const double squared = i ? off[i] * off[i] : 0.0;
        above = diagonal[i] - x - squared / above;
        below = diagonal[i] + x - squared / below;
        if (!(above < 0) || !(below > 0))
            return false;
    }
    return true;
}

// max |eigenvalue| <= bound, to 1e-12 of the bound.
PYRAD_HD double largest_eigenvalue(const double *diagonal, const double *off, i32 n, double bound) {
    double low = 0, high = bound;
    for (i32 step = 0; step < 40; ++step) {
        const double middle = 0.5 * (low + high);
        if (eigenvalues_within(diagonal, off, n, middle))
            high = middle;
        else
            low = middle;
    }
    return 0.5 * (low + high);
}

} // namespace pyrad
