// Tile kernels of backproject_parallel for AVX2 and AVX-512. The 8 or 16 pixels of a register
// touch a window of the detector row that fits one register where |du/dx| <= 0.998, two where
// |du/dx| <= 2: the samples are loaded once and permuted into place instead of gathered.
#include "base/pack_x86.hpp"

#include "ct/backproject_parallel.hpp"

#include <atomic>
#include <cmath>

namespace pyrad {
namespace {

std::atomic<int> isa_limit{3};

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

int limit_backproject_isa(int level) { return isa_limit.exchange(level); }
int backproject_isa_limit() { return isa_limit.load(); }

TileKernel permuting_tile_kernel([[maybe_unused]] const SampleTable<float> &table) {
#if defined(PYRAD_X86)
    for (i64 v = 0; v < table.views; ++v)
        if (std::abs(table.per_x[v]) > two_registers)
            return nullptr;
    const int limit = isa_limit.load();
    if (limit >= 3 && __builtin_cpu_supports("x86-64-v4"))
        return &avx512::add_views;
    if (limit >= 2 && __builtin_cpu_supports("x86-64-v3"))
        return &avx2::add_views;
#endif
    return nullptr;
}

} // namespace pyrad
