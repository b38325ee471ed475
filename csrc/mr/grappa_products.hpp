// The two inner loops of GRAPPA's calibration in their widest form on this processor.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

constexpr i64 product_pad = 8; // coils and columns come in multiples of this
constexpr int product_rows = 4;

struct GrappaProducts {
    // sum[i][re, im][j] += sum over `cells` of conj(a_i) b_j; a, b are [cell][re, im][padded]
    void (*add_outer)(const double *a, const double *b, i64 cells, i64 coils, i64 padded,
                      double *sum);
    // Rows [first, first + product_rows) -= conj(U[l][row]) U[l] for l < first, columns from
    // `first` on; u is [row][re, im][width].
    void (*eliminate)(double *u, i64 width, i64 first);
};

GrappaProducts grappa_products();

// Hand-written forms; null pointers where this processor has none.
GrappaProducts wide_grappa_products();

} // namespace pyrad
