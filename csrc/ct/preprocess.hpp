#pragma once

#include "base/view.hpp"

namespace pyrad {

// counts and out (views, pixels), dark and gain (pixels), scale (views); see preprocess_math.hpp.
// floor 0: nothing is clamped. Returns how many values are at or below dark (only without a floor),
// NaN or infinite; those come out as finite numbers without meaning.
template <class In, class T>
i64 normalize_counts(View<const In, 2> counts, View<const T, 1> dark, View<const T, 1> gain,
                     View<const T, 1> scale, T floor, View<T, 2> out);

// Every masked run of a row becomes the straight line between the good pixels beside it, the
// nearest good pixel at the ends of the row; rows without a good pixel stay.
template <class T> void fill_rows(View<const T, 2> x, View<const u8, 2> mask, View<T, 2> out);

} // namespace pyrad
