#include "texture/local_first_order.hpp"

#include "base/pool.hpp"
#include "texture/first_order_math.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace pyrad {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Entropy (bits) and sum of squared shares of sorted levels.
template <class L> void level_shares(const std::vector<L> &sorted, FirstOrderSums &s) {
    const double n = static_cast<double>(sorted.size());
    for (size_t begin = 0, end; begin < sorted.size(); begin = end) {
        end = begin;
        while (end < sorted.size() && sorted[end] == sorted[begin])
            ++end;
        const double share = static_cast<double>(end - begin) / n;
        s.entropy -= share * std::log2(share);
        s.uniformity += share * share;
    }
}

} // namespace

template <class T, class L>
void local_first_order(View<const T, 3> values, View<const L, 3> levels, const i64 *centres,
                       i64 count, const i64 *window, i64 window_size,
                       const LocalStatistics &settings, double *out) {
    parallel_for(count, 128, [&](i64 begin, i64 end, int) {
        std::vector<T> inside;
        std::vector<L> seen;
        for (i64 c = begin; c < end; ++c) {
            inside.clear();
            seen.clear();
            for (i64 v = 0; v < window_size; ++v) {
                const i64 at = centres[c] + window[v];
                if (levels.data[at]) {
                    inside.push_back(values.data[at]);
                    seen.push_back(levels.data[at]);
                }
            }
            std::sort(inside.begin(), inside.end());
            std::sort(seen.begin(), seen.end());
            double *to = out + c * first_order_feature_count;
            if (inside.empty()) {
                std::fill(to, to + first_order_feature_count, nan);
                continue;
            }
            FirstOrderSums s =
                sorted_sums(inside.data(), static_cast<i32>(inside.size()), settings.shift);
            level_shares(seen, s);
            s.voxel_volume = settings.voxel_volume;
            first_order_finish(s, settings.excess, settings.flat, nan, to);
        }
    });
}

#define PYRAD_LOCAL(T, L)                                                                          \
    template void local_first_order(View<const T, 3>, View<const L, 3>, const i64 *, i64,          \
                                    const i64 *, i64, const LocalStatistics &, double *);
PYRAD_LOCAL(float, u8)
PYRAD_LOCAL(float, u16)
PYRAD_LOCAL(double, u8)
PYRAD_LOCAL(double, u16)
#undef PYRAD_LOCAL

} // namespace pyrad
