// Tile kernels of backproject_fan for AVX2 and AVX-512. As in the parallel-beam kernels, the 8 or
// 16 pixels of a register touch a short window of the detector row, which is loaded once and
// permuted into place; fan_windows.inl tells where.
#include "base/pack_x86.hpp"

#include "ct/backproject_fan_tiles.hpp"

namespace pyrad::fan {

#if defined(PYRAD_X86)
namespace {

constexpr i64 block_views = 32;
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

} // namespace
#endif

TileKernel<float> permuting_tile_kernel([[maybe_unused]] const Scan<float> &scan,
                                        [[maybe_unused]] i64 view, [[maybe_unused]] i64 x,
                                        [[maybe_unused]] i64 y) {
#if defined(PYRAD_X86)
    const int width = vector_width();
    if (width < 8)
        return nullptr;
    const Bounds most = bounds(scan.beam, view, x, y);
    if (most.advance > two_registers || most.series > long_series)
        return nullptr;
    const bool tight = most.series > short_series, narrow = most.advance <= one_register;
    if (width >= 16)
        return scan.beam.curved ? avx512::choose<true>(tight, narrow)
                                : avx512::choose<false>(tight, narrow);
    return scan.beam.curved ? avx2::choose<true>(tight, narrow)
                            : avx2::choose<false>(tight, narrow);
#else
    return nullptr;
#endif
}

} // namespace pyrad::fan
