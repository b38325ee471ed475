// Tiles of grappa_fill for AVX2 and AVX-512: up to four registers of target coils and as many cells
// as fill the registers with accumulators; every weight that is loaded serves all of these cells.
#include "base/pack_x86.hpp"

#include "mr/grappa_fill.hpp"

namespace pyrad {
namespace {

#if defined(PYRAD_X86)

namespace avx512 {
#define PYRAD_TARGET PYRAD_AVX512
using P = Pack512;
constexpr int most_vectors = 4, accumulators = 24;
PYRAD_AVX512 PYRAD_ALWAYS __m512 times_i(__m512 x) { // (re, im) -> (-im, re)
    const __m512 swapped = _mm512_permute_ps(x, 0xB1);
    return _mm512_mask_sub_ps(swapped, 0x5555, _mm512_setzero_ps(), swapped);
}
PYRAD_AVX512 PYRAD_ALWAYS __m512d times_i(__m512d x) {
    const __m512d swapped = _mm512_permute_pd(x, 0x55);
    return _mm512_mask_sub_pd(swapped, 0x55, _mm512_setzero_pd(), swapped);
}
#include "mr/grappa_fill.inl"
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
#define PYRAD_TARGET PYRAD_AVX2
using P = Pack256;
constexpr int most_vectors = 2, accumulators = 12;
PYRAD_AVX2 PYRAD_ALWAYS __m256 times_i(__m256 x) {
    return _mm256_addsub_ps(_mm256_setzero_ps(), _mm256_permute_ps(x, 0xB1));
}
PYRAD_AVX2 PYRAD_ALWAYS __m256d times_i(__m256d x) {
    return _mm256_addsub_pd(_mm256_setzero_pd(), _mm256_permute_pd(x, 0x5));
}
#include "mr/grappa_fill.inl"
#undef PYRAD_TARGET
} // namespace avx2

#endif

} // namespace

template <class T> FillTile<T> wide_fill_tile([[maybe_unused]] i64 lanes) {
#if defined(PYRAD_X86)
    const i64 bytes = lanes * 2 * static_cast<i64>(sizeof(T));
    const int width = vector_width();
    if (width >= 16 && bytes % 64 == 0)
        return &avx512::fill_tile<T>;
    if (width >= 8 && bytes % 32 == 0)
        return &avx2::fill_tile<T>;
#endif
    return nullptr;
}

template FillTile<float> wide_fill_tile(i64);
template FillTile<double> wide_fill_tile(i64);

} // namespace pyrad
