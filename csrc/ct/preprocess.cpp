// Flat-field correction and logarithm in one pass over the counts, see preprocess_math.hpp, and
// linear interpolation of masked pixels along detector rows.
#include "ct/preprocess.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/preprocess_math.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile = 1 << 14;

template <class In, class T>
PYRAD_CLONES i64 normalize_part(const In *counts, const T *dark, const T *gain, T scale, T low,
                                T floor, T *out, i64 size) {
    constexpr T high = std::numeric_limits<T>::max();
    i32 unusable = 0;
    for (i64 i = 0; i < size; ++i) {
        const auto t = transmission(static_cast<T>(counts[i]), dark[i], gain[i], scale, low, high);
        unusable += t.unusable;
        out[i] = -elementary::log_of(std::max(floor, t.value));
    }
    return unusable;
}

// First unmasked pixel at or after c.
i64 next_good(const u8 *mask, i64 c, i64 columns) {
    while (c < columns && mask[c])
        ++c;
    return c;
}

template <class T> void fill_row(const T *x, const u8 *mask, T *out, i64 columns) {
    std::copy(x, x + columns, out);
    for (i64 c = 0; c < columns; ++c) {
        if (!mask[c])
            continue;
        const i64 after = next_good(mask, c, columns);
        const i64 before = c - 1;
        if (before < 0 && after == columns)
            return;
        const T left = before < 0 ? x[after] : x[before];
        const T right = after == columns ? left : x[after];
        const T step = (right - left) / static_cast<T>(after - before);
        for (i64 k = c; k < after; ++k)
            out[k] = left + step * static_cast<T>(k - before);
        c = after;
    }
}

} // namespace

template <class In, class T>
i64 normalize_counts(View<const In, 2> counts, View<const T, 1> dark, View<const T, 1> gain,
                     View<const T, 1> scale, T floor, View<T, 2> out) {
    const i64 views = counts.shape[0], pixels = counts.shape[1];
    const i64 parts = (pixels + tile - 1) / tile;
    const i64 grain = std::max<i64>(1, tile / std::max<i64>(1, pixels));
    const T low = floor > T(0) ? std::numeric_limits<T>::lowest() : T(0);
    const T smallest = floor > T(0) ? floor : std::numeric_limits<T>::min();
    std::vector<i64> unusable(views * parts);
    parallel_for(views * parts, grain, [&](i64 begin, i64 end, int) {
        for (i64 p = begin; p < end; ++p) {
            const i64 view = p / parts, first = p % parts * tile;
            const i64 size = std::min(tile, pixels - first);
            unusable[p] = normalize_part(&counts(view, first), &dark(first), &gain(first),
                                         scale(view), low, smallest, &out(view, first), size);
        }
    });
    return std::accumulate(unusable.begin(), unusable.end(), i64(0));
}

template <class T> void fill_rows(View<const T, 2> x, View<const u8, 2> mask, View<T, 2> out) {
    const i64 rows = x.shape[0], columns = x.shape[1];
    const i64 grain = std::max<i64>(1, tile / std::max<i64>(1, columns));
    parallel_for(rows, grain, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r)
            fill_row(&x(r, 0), &mask(r, 0), &out(r, 0), columns);
    });
}

template i64 normalize_counts(View<const u16, 2>, View<const float, 1>, View<const float, 1>,
                              View<const float, 1>, float, View<float, 2>);
template i64 normalize_counts(View<const float, 2>, View<const float, 1>, View<const float, 1>,
                              View<const float, 1>, float, View<float, 2>);
template i64 normalize_counts(View<const double, 2>, View<const double, 1>, View<const double, 1>,
                              View<const double, 1>, double, View<double, 2>);
template void fill_rows(View<const float, 2>, View<const u8, 2>, View<float, 2>);
template void fill_rows(View<const double, 2>, View<const u8, 2>, View<double, 2>);

} // namespace pyrad
