// Penalised weighted least squares on a grid of readings (views, rows, columns):
//
//     sum_i w_i (q_i - y_i)^2 + sum_(i, j) c_ij (q_i - q_j)^2,
//
// the second sum over the pairs of neighbours, with one coupling c for each axis (Wang, Li, Lu,
// Liang, IEEE Trans. Med. Imaging 25, 1272, 2006, doi:10.1109/TMI.2006.882141). Its minimum solves
// (W + L) q = W y, L the weighted Laplacian of the grid; the steps of the conjugate gradients
// preconditioned by the diagonal are here.
#pragma once

#include "base/portable.hpp"

namespace pyrad::pwls {

// Couplings to the neighbours at - and + along view, row and column; 0 beyond the grid.
template <class T> struct Couplings {
    T view[2], row[2], column[2];

    PYRAD_HD T sum() const {
        return (view[0] + view[1]) + (row[0] + row[1]) + (column[0] + column[1]);
    }
};

template <class T> struct Grid {
    i64 views, rows, columns;
    T view, row, column; // couplings

    PYRAD_HD Couplings<T> at(i64 v, i64 r, i64 c) const {
        return {{v > 0 ? view : T(0), v + 1 < views ? view : T(0)},
                {r > 0 ? row : T(0), r + 1 < rows ? row : T(0)},
                {c > 0 ? column : T(0), c + 1 < columns ? column : T(0)}};
    }
};

} // namespace pyrad::pwls
