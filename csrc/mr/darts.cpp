// Dart throwing with a distance d(p) that depends on the place: a dart q is left out if an earlier
// one p has |p - q| < d(p). A taken dart blocks its disc, row by row; the half width of a row at
// height h is the largest w with w^2 + h^2 < d^2.
// R. L. Cook, ACM Trans. Graph. 5 (1986), doi:10.1145/7529.8927.
#include "mr/darts.hpp"

#include "base/pool.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 pixels_per_poll = 1 << 14; // blocked in between

// Blocks the disc around (y, x), cut off at the faces; returns the pixels of its rows.
i64 block_disc(i64 y, i64 x, i64 limit, i64 ny, i64 nx, u8 *blocked) {
    if (limit <= 0)
        return 0;
    i64 width = static_cast<i64>(std::sqrt(static_cast<double>(limit))) + 1, written = 0;
    const i64 farthest = std::max(y, ny - 1 - y);
    for (i64 h = 0; h <= farthest && h * h < limit; ++h) {
        while (width * width + h * h >= limit)
            --width;
        const i64 first = std::max<i64>(0, x - width), last = std::min(nx - 1, x + width);
        const i64 count = last - first + 1;
        if (y - h >= 0)
            std::fill_n(blocked + (y - h) * nx + first, count, u8(1));
        if (y + h < ny)
            std::fill_n(blocked + (y + h) * nx + first, count, u8(1));
        written += count;
    }
    return written;
}

} // namespace

i64 throw_darts(const i64 *order, i64 count, const i64 *limits, i64 ny, i64 nx, u8 *mask) {
    std::vector<u8> blocked(mask, mask + ny * nx);
    i64 taken = std::count_if(blocked.begin(), blocked.end(), [](u8 m) { return m != 0; });
    i64 work = 0;
    for (i64 i = 0; i < count; ++i) {
        if (++work >= pixels_per_poll) {
            poll();
            work = 0;
        }
        const i64 pixel = order[i];
        if (blocked[static_cast<std::size_t>(pixel)] != 0)
            continue;
        blocked[static_cast<std::size_t>(pixel)] = 1; // a limit of 0 has no disc
        mask[pixel] = 1;
        ++taken;
        work += block_disc(pixel / nx, pixel % nx, limits[pixel], ny, nx, blocked.data());
    }
    return taken;
}

} // namespace pyrad
