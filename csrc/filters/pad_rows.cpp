// Rows are copied whole; only their ends are looked up sample by sample.
#include "filters/pad_rows.hpp"

#include "base/pool.hpp"

#include <algorithm>

namespace pyrad {
namespace {

constexpr i64 tile_samples = 1 << 16;

} // namespace

template <class T>
void pad_rows(View<const T, 2> x, const i64 *source, i64 before, Boundary boundary,
              View<T, 2> out) {
    const i64 n = x.shape[1], wide = out.shape[1];
    const i64 first = std::min(before, wide), last = std::min(before + n, wide);
    parallel_for(out.shape[0], std::max<i64>(1, tile_samples / wide), [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            T *const row = out.data + r * wide;
            if (source[r] < 0) {
                std::fill_n(row, wide, T(0));
                continue;
            }
            const T *const from = x.data + source[r] * n;
            const auto end_sample = [&](i64 k) {
                const i64 at = index_within(k - before, n, boundary);
                row[k] = at < 0 ? T(0) : from[at];
            };
            for (i64 k = 0; k < first; ++k)
                end_sample(k);
            std::copy_n(from, last - first, row + first);
            for (i64 k = last; k < wide; ++k)
                end_sample(k);
        }
    });
}

template void pad_rows(View<const float, 2>, const i64 *, i64, Boundary, View<float, 2>);
template void pad_rows(View<const double, 2>, const i64 *, i64, Boundary, View<double, 2>);

} // namespace pyrad
