// Windows side by side, one per vector lane: Gram matrices, their noise by mppca_math.hpp and the
// projection onto what is left. A number of each window takes `lanes` doubles, a complex one as
// many real and then imaginary parts.
#pragma once

#include "denoise/mppca_math.hpp"

namespace pyrad::mppca {

constexpr int most_lanes = 8;

// Memory of one group of windows; n is the size of its matrices, parts 1 (real) or 2 (complex).
struct Work {
    int n, parts;
    double *matrix;                   // packed lower triangle, then the reflectors
    double *beta, *phase;             // of the reflectors; phases of T (complex)
    double *diagonal, *off, *squares; // of T, over the trace; off[k] is T[k][k-1]
    double *values;                   // largest first
    double *vectors;                  // [k][n], of T
    double *unused;                   // per index: part no vector has taken so far
    double *first, *second;           // n numbers each, real or complex
    double *weights;                  // [k], 0 beyond a lane's rank
    alignas(64) double trace[most_lanes], variance[most_lanes],
        rank[most_lanes]; // rank is n where no noise was found
    int kept;             // vectors: the largest rank but n
};

// products[entry][part][columns] of lines[z][volume][part][columns], columns a multiple of 8, for
// entries [i][j], j <= i, of the packed lower triangle: sum_z x_i conj(x_j).
using LineProducts = void (*)(const double *lines, int depth, int n, int parts, int columns,
                              double *products);
// sums[entry]: over `width` columns from column first + lane on.
using ColumnSums = void (*)(const double *products, i64 entries, int columns, int width,
                            double *sums);
// matrix[entry] = the sum of `count` rows of a ring.
using RowSums = void (*)(const double *const *rows, int count, i64 entries, double *matrix);
// matrix[i][j] = sum_v conj(samples[i][v]) samples[j][v]
using DenseGram = void (*)(const double *samples, int n, int length, int parts, double *matrix);
// From matrix to values, vectors, weights, variance and rank.
using Decompose = void (*)(Work &work, const Rule &rule);
// x (n numbers) becomes its projection; lanes of rank n keep theirs.
using Project = void (*)(Work &work, double *x);
// basis[k][n]: the kept vectors of the matrix itself.
using Basis = void (*)(Work &work, double *basis);
// As Project, by the basis.
using ProjectByBasis = void (*)(const Work &work, const double *basis, double *x);
// out[v] = sum_i samples[i][v] z[i], i < n, v < length
using Mix = void (*)(const double *samples, int n, int length, int parts, const double *z,
                     double *out);

struct Solver {
    int lanes;
    LineProducts line_products;
    ColumnSums column_sums;
    RowSums row_sums;
    DenseGram dense_gram;
    Decompose decompose;
    Project project;
    Basis basis;
    ProjectByBasis project_by_basis;
    Mix mix;
};

// For the widest vectors of this processor.
Solver solver();

} // namespace pyrad::mppca
