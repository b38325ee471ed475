// AVX2 and AVX-512 forms of the inner loops of joseph2d.cpp. Where neighbouring rays are less than
// two samples apart, the samples that the rays of a register need lie in two registers' width: they
// are loaded once and permuted into place. The adjoint turns the scatter of a ray into a gather of
// a pixel: the rays closer than one sample to it are consecutive, and their weights 1 - |distance|
// are those of the projection.
#include "base/pack_x86.hpp"

#include "ct/joseph2d_tiles.hpp"

#include <cmath>

namespace pyrad::joseph {

#if defined(PYRAD_X86)
namespace {

using fan::Beam;
using fan::one_register;
using fan::two_registers;
using fan::Views;

constexpr i64 block_lines = 64, block_views = 32; // whose windows are placed at a time
constexpr float line_slack = 1e-3f;               // covers the rounding of float positions
constexpr double reach_one = 1 + 1e-6;            // columns per sample: two rays see it at most
static_assert(block_views <= Views::spare && block_views <= ParallelViews::spare);

namespace avx512 {
#define PYRAD_TARGET PYRAD_AVX512
using P = Pack512;
#include "ct/joseph2d_tile.inl"
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
#define PYRAD_TARGET PYRAD_AVX2
using P = Pack256;
#include "ct/joseph2d_tile.inl"
#undef PYRAD_TARGET
} // namespace avx2

} // namespace

LineKernel permuting_line_kernel(i64 begin, i64 end, const float *start, const float *slope) {
    const int lanes = vector_width();
    if (!lanes)
        return nullptr;
    for (const i64 k : {begin, end - 1}) // the rays spread linearly: the ends are the extremes
        for (i64 l = 0; l < ray_tile; l += lanes) {
            const i64 last = l + lanes - 1;
            const double spread = static_cast<double>(start[last]) - start[l] +
                                  (static_cast<double>(slope[last]) - slope[l]) * k;
            if (std::abs(spread) > 2 * lanes - 3)
                return nullptr;
        }
    return lanes == 16 ? &avx512::sum_lines : &avx2::sum_lines;
}

ParallelKernel permuting_parallel_kernel(const ParallelViews &views, i64 view) {
    const double inverse = std::abs(views.inverse[view]);
    switch (vector_width()) {
    case 16:
        return avx512::choose_parallel(inverse);
    case 8:
        return avx2::choose_parallel(inverse);
    }
    return nullptr;
}

FanKernel permuting_fan_kernel(const FanViews &views, i64 view, i64 line, i64 pixel) {
    const fan::Bounds most = fan::bounds(views.beam, view, pixel, line);
    if (most.advance > two_registers || most.series > fan::long_series)
        return nullptr;
    const bool tight = most.series > fan::short_series;
    switch (vector_width()) {
    case 16:
        return avx512::choose_fan(views.beam.curved, tight, most.advance);
    case 8:
        return avx2::choose_fan(views.beam.curved, tight, most.advance);
    }
    return nullptr;
}

bool can_permute() { return vector_width() > 0; }

#else

LineKernel permuting_line_kernel(i64, i64, const float *, const float *) { return nullptr; }
ParallelKernel permuting_parallel_kernel(const ParallelViews &, i64) { return nullptr; }
FanKernel permuting_fan_kernel(const FanViews &, i64, i64, i64) { return nullptr; }
bool can_permute() { return false; }

#endif

} // namespace pyrad::joseph
