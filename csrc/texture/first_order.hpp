// Sums and order statistics of the intensities of a region (contiguous values). Sums run in tiles
// of fixed size that are added in order: the same bits for any number of threads.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// out: sum, minimum, maximum, sum of (x + shift)^2.
template <class T> void value_sums(const T *values, i64 n, double shift, double *out);

// out, with c = x - mean: sum c^2, c^3, c^4, |c|, |x - median|; then of the values in [low, high]:
// their number and the sum of c.
template <class T>
void value_moments(const T *values, i64 n, double mean, double median, double low, double high,
                   double *out);

// Sum of |x - centre| over the values in [low, high].
template <class T>
double value_deviation(const T *values, i64 n, double centre, double low, double high);

// out[r] = the value of rank ranks[r] (0 = smallest); minimum and maximum of the values are known.
template <class T>
void order_statistics(const T *values, i64 n, double minimum, double maximum, const i64 *ranks,
                      i64 count, double *out);

} // namespace pyrad
