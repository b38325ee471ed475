// The arithmetic under every wavelet transform here: weighted sums of rows.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// first[i] = sum_t first_weight[t] rows[t][i], second[i] likewise, i in [0, n); no overlap between
// the sums and the rows. `streamed` results go past the cache: for those that nobody reads soon.
template <class T>
void combine_pair(const T *const *rows, const T *first_weight, const T *second_weight, i64 taps,
                  i64 n, T *first, T *second, bool streamed = false);

// sum[i] = sum_t weight[t] rows[t][i].
template <class T>
void combine_one(const T *const *rows, const T *weight, i64 taps, i64 n, T *sum,
                 bool streamed = false);

} // namespace pyrad
