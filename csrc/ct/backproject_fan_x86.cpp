// Tile kernels of backproject_fan for AVX2 and AVX-512. As in the parallel-beam kernels, the 8 or
// 16 pixels of a register touch a short window of the detector row, which is loaded once and
// permuted into place.
//
// Let h = (across, along) point from the source to the centre of a register's pixels, and let the
// pixels lie at h + s e, s = -7.5 .. 7.5 for 16. Then, exactly,
//
//     flat:    u = u_c + g s r,                        w = w_c r^2,              r = 1 / (1 + k s)
//     curved:  u = u_c + m atan(z),  z = t s r,        w = w_c r^2 / (1 + z^2)
//
// with k = e_along / along (flat) or e.h / h^2 (curved), g = du/ds and t = e x h / h^2. u_c, k, g,
// t and w_c are made in double precision, for many views at a time; per pixel remain short series
// in k s and z in single precision, whose remainders are below 2e-6 of a column.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized" // GCC 12 on its own undefined() operands
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "base/pack_x86.hpp"

#include "ct/backproject_fan_tiles.hpp"

#include "ct/backproject_parallel.hpp"
#include "ct/fan_math.hpp"

#include <cmath>

namespace pyrad::fan {

#if defined(PYRAD_X86)
namespace {

constexpr i64 block_views = 32;
constexpr double one_register = 0.99, two_registers = 1.9; // columns per pixel
constexpr double short_series = 0.02, long_series = 0.08;  // |k s| and |z|

static_assert(block_views <= Views::spare);

namespace avx512 {
#define PYRAD_TARGET PYRAD_AVX512
using P = Pack512;
#include "ct/backproject_fan_tile.inl"
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
#define PYRAD_TARGET PYRAD_AVX2
using P = Pack256;
#include "ct/backproject_fan_tile.inl"
#undef PYRAD_TARGET
} // namespace avx2

// Bounds for one view over a tile: columns per pixel, and 1 / along.
struct Bounds {
    double advance, nearness;
};

Bounds bounds(const Scan<float> &scan, i64 v, i64 x, i64 y) {
    const Views &n = scan.view;
    const double half_x = 0.5 * (tile_columns - 1), half_y = 0.5 * (tile_rows - 1);
    const double at_x = x + half_x, at_y = y + half_y;
    const double across = n.across_x[v] * at_x + n.across_y[v] * at_y + n.across_0[v];
    const double along = n.along_x[v] * at_x + n.along_y[v] * at_y + n.along_0[v];
    // e x h is linear in y and constant in x; along is least at a corner
    const double cross = n.across_x[v] * along - n.along_x[v] * across;
    const double turn = n.across_x[v] * n.along_y[v] - n.along_x[v] * n.across_y[v];
    const double least = along - std::abs(n.along_x[v]) * half_x - std::abs(n.along_y[v]) * half_y;
    const double nearness = least > 0 ? 1 / least : 1e30;
    const double most = (std::abs(cross) + std::abs(turn) * half_y) * scan.magnify;
    return {most * nearness * nearness, nearness};
}

} // namespace
#endif

TileKernel<float> permuting_tile_kernel([[maybe_unused]] const Scan<float> &scan,
                                        [[maybe_unused]] i64 view, [[maybe_unused]] i64 x,
                                        [[maybe_unused]] i64 y) {
#if defined(PYRAD_X86)
    const int limit = backproject_isa_limit();
    if (limit < 2 || !__builtin_cpu_supports("x86-64-v3"))
        return nullptr;
    const Bounds most = bounds(scan, view, x, y);
    const double step = std::hypot(scan.view.across_x[view], scan.view.along_x[view]);
    const double series = 7.5 * step * most.nearness;
    if (most.advance > two_registers || series > long_series)
        return nullptr;
    const bool tight = series > short_series, narrow = most.advance <= one_register;
    if (limit >= 3 && __builtin_cpu_supports("x86-64-v4"))
        return scan.curved ? avx512::choose<true>(tight, narrow)
                           : avx512::choose<false>(tight, narrow);
    return scan.curved ? avx2::choose<true>(tight, narrow) : avx2::choose<false>(tight, narrow);
#else
    return nullptr;
#endif
}

} // namespace pyrad::fan
