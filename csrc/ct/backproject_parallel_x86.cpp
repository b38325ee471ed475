// Tile kernels of backproject_parallel for AVX2 and AVX-512. The 8 or 16 pixels of a register
// touch a window of the detector row that fits one register where |du/dx| <= 0.998, two where
// |du/dx| <= 2: the samples are loaded once and permuted into place instead of gathered.
#include "base/pack_x86.hpp"

#include "ct/backproject_parallel.hpp"

#include <cmath>

namespace pyrad {
namespace {

#if defined(PYRAD_X86)

constexpr i64 block_views = 32;
constexpr double one_register = 0.998, two_registers = 2.0;
static_assert(block_views <= SampleTable<float>::spare);

namespace avx512 {
#define PYRAD_TARGET PYRAD_AVX512
using P = Pack512;
#include "ct/backproject_parallel_tile.inl"
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
#define PYRAD_TARGET PYRAD_AVX2
using P = Pack256;
#include "ct/backproject_parallel_tile.inl"
#undef PYRAD_TARGET
} // namespace avx2

#endif

} // namespace

TileKernel permuting_tile_kernel([[maybe_unused]] const SampleTable<float> &table) {
#if defined(PYRAD_X86)
    for (i64 v = 0; v < table.views; ++v)
        if (std::abs(table.per_x[v]) > two_registers)
            return nullptr;
    const int width = vector_width();
    if (width >= 16)
        return &avx512::add_views;
    if (width >= 8)
        return &avx2::add_views;
#endif
    return nullptr;
}

} // namespace pyrad
