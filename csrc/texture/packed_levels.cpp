#include "texture/packed_levels.hpp"

#include "base/error.hpp"
#include "base/simd.hpp"

#include <algorithm>

namespace pyrad {
namespace {

template <class L> PYRAD_CLONES L largest(const L *values, i64 n) {
    L top = 0;
    for (i64 v = 0; v < n; ++v)
        top = values[v] > top ? values[v] : top;
    return top;
}

template <class L> bool zeros(const L *from, i64 n) {
    return std::all_of(from, from + n, [](L level) { return level == 0; });
}

} // namespace

template <class L> void require_below(View<const L, 3> levels, i64 ng) {
    const L top = largest(levels.data, levels.size());
    if (top > ng)
        fail(ErrorKind::data, "levels holds ", static_cast<i64>(top), ", but ng is ", ng);
}

template <class L> void require_margin(View<const L, 3> levels, i64 pad, i64 least) {
    if (pad < least || pad > (i64(1) << 20))
        fail(ErrorKind::data, "pad is ", pad, "; expected at least ", least);
    for (i64 n : levels.shape)
        if (n < 2 * pad)
            fail(ErrorKind::shape, "levels is smaller than its margin of ", pad);
    const i64 nz = levels.shape[0], ny = levels.shape[1], nx = levels.shape[2];
    bool clean = zeros(levels.data, pad * ny * nx) && zeros(&levels(nz - pad, 0, 0), pad * ny * nx);
    for (i64 z = pad; z < nz - pad && clean; ++z)
        for (i64 y = 0; y < ny; ++y) {
            const bool inner = y >= pad && y < ny - pad;
            clean &= zeros(&levels(z, y, 0), inner ? pad : nx);
            clean &= zeros(&levels(z, y, nx - pad), pad);
        }
    if (!clean)
        fail(ErrorKind::data, "the margin of levels holds levels that are not 0");
}

template void require_below(View<const u8, 3>, i64);
template void require_below(View<const u16, 3>, i64);
template void require_margin(View<const u8, 3>, i64, i64);
template void require_margin(View<const u16, 3>, i64, i64);

} // namespace pyrad
