// Real rows two by two as complex ones, side by side for the FFT of mr/lane_line.hpp: row 2 j is
// the real and row 2 j + 1 the imaginary part of lane j, so that a batch of rows is transposed and
// nothing else. Spectra A, B of such a pair come out of that of the sum, Z = A + i B, by
//
//   A(k) = (Z(k) + conj Z(n - k)) / 2,   B(k) = (Z(k) - conj Z(n - k)) / 2i
//
// (J. W. Cooley, P. A. W. Lewis, P. D. Welch, J. Sound Vib. 12 (1970),
// doi:10.1016/0022-460X(70)90075-1).
#pragma once

#include "base/portable.hpp"

namespace pyrad {

template <class T> constexpr i64 row_batch = 64 / sizeof(T); // rows side by side in a line

// A line is [n][row_batch]. Rows, real or complex, are `step` reals apart; there are `count`.
template <class T> struct RowPairs {
    // line[i][r] = rows[r][i], zeros beyond the last row
    void (*spread)(const T *rows, i64 step, i64 count, i64 n, T *line);
    // spectra[r][k] = 2 A(k) or 2 B(k) of the pair, k in [0, n / 2]
    void (*separate)(const T *line, i64 n, T *spectra, i64 step, i64 count);
    // the other way round, without the factor 2: line = A + i B, with A(n - k) = conj A(k)
    void (*join)(const T *spectra, i64 step, i64 count, i64 n, T *line);
    // rows[r][i] = line[i][r]
    void (*gather)(const T *line, i64 n, T *rows, i64 step, i64 count);
};

// Those for this processor.
template <class T> RowPairs<T> row_pairs();

} // namespace pyrad
