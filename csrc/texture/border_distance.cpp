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

// Distances to both ends of a run.
PYRAD_CLONES void within_run(i32 n, u16 *out) {
    for (i32 k = 0; k < n; ++k) {
        const i32 near = (k < n - 1 - k ? k : n - 1 - k) + 1;
        out[k] = static_cast<u16>(near < 65534 ? near : 65534);
    }
}

void run_distances(const u8 *mask, i64 n, u16 *out) {
    const auto inside = [](u8 x) { return x != 0; };
    for (const u8 *at = mask;;) {
        const u8 *const begin = std::find_if(at, mask + n, inside);
        std::fill(out + (at - mask), out + (begin - mask), u16(0));
        if (begin == mask + n)
            return;
        at = std::find_if_not(begin, mask + n, inside);
        within_run(static_cast<i32>(at - begin), out + (begin - mask));
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
