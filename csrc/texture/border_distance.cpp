// Exact: the city-block distance is separable. Along x from the ends of each run, then y and z by
// d(k) = min(d(k), d(k -+ 1) + 1) forwards and backwards, whole rows at a time.
#include "base/pool.hpp"
#include "base/simd.hpp"
#include "texture/zones.hpp"

#include <algorithm>

namespace pyrad {
namespace {

PYRAD_CLONES void nearer(const u16 *from, i64 n, u16 *__restrict row) {
    for (i64 x = 0; x < n; ++x) {
        const u16 there = static_cast<u16>(from[x] + 1);
        row[x] = there < row[x] ? there : row[x];
    }
}

void run_distances(const u8 *mask, i64 n, u16 *out) {
    for (i64 x = 0; x < n;) {
        if (!mask[x]) {
            out[x++] = 0;
            continue;
        }
        i64 end = x;
        while (end < n && mask[end])
            ++end;
        for (i64 k = x; k < end; ++k)
            out[k] = static_cast<u16>(std::min<i64>(std::min(k - x, end - 1 - k) + 1, 65534));
        x = end;
    }
}

} // namespace

void border_distance(View<const u8, 3> mask, i64 pad, bool in_plane, View<u16, 3> out) {
    const i64 nz = mask.shape[0], ny = mask.shape[1], nx = mask.shape[2];
    parallel_for(out.shape[0], 1, [&](i64 z, i64, int) {
        u16 *slice = &out(z, 0, 0);
        std::fill_n(slice, out.stride[0], u16(0));
        if (z < pad || z >= nz + pad)
            return;
        for (i64 y = 0; y < ny; ++y)
            run_distances(&mask(z - pad, y, 0), nx, &out(z, y + pad, pad));
        for (i64 y = pad; y < ny + pad; ++y)
            nearer(&out(z, y - 1, pad), nx, &out(z, y, pad));
        for (i64 y = ny + pad; y-- > pad;)
            nearer(&out(z, y + 1, pad), nx, &out(z, y, pad));
    });
    if (in_plane)
        return;
    parallel_for(ny, 1, [&](i64 row, i64, int) {
        const i64 y = row + pad;
        for (i64 z = pad; z < nz + pad; ++z)
            nearer(&out(z - 1, y, pad), nx, &out(z, y, pad));
        for (i64 z = nz + pad; z-- > pad;)
            nearer(&out(z + 1, y, pad), nx, &out(z, y, pad));
    });
}

} // namespace pyrad
