#pragma once

#include "base/view.hpp"

namespace pyrad {

// ranked and order (rows, columns, views) for the detector rows of x (views, all rows, columns)
// from first_row on: each pixel's values in ascending order, and the views they come from; equal
// values keep the order of their views.
template <class T>
void rank_views(View<const T, 3> x, i64 first_row, View<T, 3> ranked, View<i32, 3> order);

// Median of `size` (odd) neighbouring columns at every rank; the edge columns go on beyond the
// edges. x and out (rows, columns, ranks).
template <class T> void median_columns(View<const T, 3> x, i64 size, View<T, 3> out);

// Back from ranks to views: out(order(r, c, k), first_row + r, c) = ranked(r, c, k).
template <class T>
void unrank_views(View<const T, 3> ranked, View<const i32, 3> order, i64 first_row, View<T, 3> out);

} // namespace pyrad
