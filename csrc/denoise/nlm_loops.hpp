// Loops along x of non-local means: the portable ones, and those for AVX-512 and AVX2 in single
// precision. Lengths n are multiples of `lanes`; one vector before and after every row may be read.
#pragma once

#include "denoise/nlm_math.hpp"

namespace pyrad::nlm {

constexpr i64 lanes = 16;

// out[i] = sum over |k| <= radius of (b[i + k] - a[i + k])^2, for `rows` rows.
template <class T> struct Squares {
    const T *a, *b;
    i64 stride;
    T *out;
    i64 out_stride, rows, n, radius;
};

// Adds up the squares of 2 radius + 1 rows, then those of the other planes of the patch, and turns
// the sum into weights.
template <class T> struct Weighing {
    const T *squares;
    i64 stride, radius;
    T *plane; // sums over rows of this plane, kept for later ones; null: not needed
    // sums over rows of the other planes, `others_count` of them; one may be `plane`
    const T *const *others;
    i64 others_count;
    T *weights; // null: only keep the plane
    i64 weights_stride;
    const T *variance, *partner_variance; // null: the same everywhere
    i64 variance_stride;
    Strength<T> strength;
    i64 rows, n;
};

// Sums of weights over neighbours with factors (side, 1, side), along y, x and z where wanted.
template <class T> struct Spreading {
    const T *weights; // row 0 of the result, with a row before and after; null: all zero
    i64 stride;
    bool along_y, along_x, along_z;
    T *plane;                 // sums over y and x, kept for later planes; unused without along_z
    const T *before, *centre; // sums of the two planes before, the same length
    T *out;                   // the centre's plane with along_z, this one without; null: only keep
    i64 out_stride, rows, n;
};

// Adds the pairs (i, i + dx), dx = first .. first + count - 1, of one row at both ends.
template <class T> struct Adding {
    const T *weights; // of the first dx; zeros beyond both ends
    i64 weights_step; // to the next dx
    i64 first, count;
    const T *value, *partner;                   // rows of i and of j
    T *numerator, *denominator;                 // sums at i
    T *partner_numerator, *partner_denominator; // sums at j: may be the same row
    i64 n, begin, end;                          // i in 0 .. n-1, j in begin .. end-1
};

template <class T> struct Loops {
    void (*squares)(const Squares<T> &);
    void (*weigh)(const Weighing<T> &);
    // Both at once, squares in registers (their `out` is unused); false: not for these radii.
    bool (*square_and_weigh)(const Squares<T> &, const Weighing<T> &);
    void (*spread)(const Spreading<T> &);
    void (*add)(const Adding<T> &);
};

template <class T> Loops<T> portable_loops();

// Null entries where this processor has neither AVX2 nor AVX-512.
Loops<float> vector_loops();

} // namespace pyrad::nlm
