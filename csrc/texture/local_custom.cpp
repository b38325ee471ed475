#include "texture/local_custom.hpp"

#include "base/pool.hpp"

#include <limits>
#include <vector>

namespace pyrad {

template <class T>
void local_custom(View<const T, 3> values, View<const u8, 3> inside, const i64 *centres, i64 count,
                  const LocalBox &box, LocalFeature feature, double *out) {
    const i64 size = box.shape[0] * box.shape[1] * box.shape[2];
    parallel_for(count, 64, [&](i64 begin, i64 end, int) {
        std::vector<double> chosen(size), window(size);
        for (i64 c = begin; c < end; ++c) {
            poll();
            i64 n = 0;
            for (i64 v = 0; v < size; ++v) {
                const i64 at = centres[c] + box.offsets[v];
                const double x = static_cast<double>(values.data[at]);
                window[v] = inside.data[at] ? x : std::numeric_limits<double>::quiet_NaN();
                chosen[n] = x;
                n += inside.data[at] != 0;
            }
            out[c] = feature(chosen.data(), n, window.data(), box.shape, box.spacing);
        }
    });
}

template void local_custom(View<const float, 3>, View<const u8, 3>, const i64 *, i64,
                           const LocalBox &, LocalFeature, double *);
template void local_custom(View<const double, 3>, View<const u8, 3>, const i64 *, i64,
                           const LocalBox &, LocalFeature, double *);

} // namespace pyrad
