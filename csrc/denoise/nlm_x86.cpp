// Loops of non-local means for AVX-512 and AVX2, single precision.
#include "denoise/nlm_loops.hpp"

#include "base/pack_x86.hpp"

namespace pyrad::nlm {
namespace {

#if defined(PYRAD_X86)

namespace avx512 {
#define PYRAD_TARGET PYRAD_AVX512
struct P : Pack512 {
    // Elements k .. k + 15 of low and high in a row.
    template <int k> PYRAD_AVX512 PYRAD_ALWAYS F shifted(F low, F high) {
        return _mm512_castsi512_ps(
            _mm512_alignr_epi32(_mm512_castps_si512(high), _mm512_castps_si512(low), k));
    }
    PYRAD_AVX512 PYRAD_ALWAYS F nearest(F a) {
        return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    // power 2^nearest(y) where y >= limit, else 0
    PYRAD_AVX512 PYRAD_ALWAYS F scaled_where(F y, F limit, F power) {
        return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(y, limit, _CMP_GE_OQ), power, nearest(y));
    }
};
#include "denoise/nlm_loops.inl"
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
#define PYRAD_TARGET PYRAD_AVX2
struct P : Pack256 {
    template <int k> PYRAD_AVX2 PYRAD_ALWAYS F shifted(F low, F high) {
        const __m256i a = _mm256_castps_si256(low), b = _mm256_castps_si256(high);
        const __m256i middle = _mm256_permute2x128_si256(a, b, 0x21);
        return _mm256_castsi256_ps(k < 4 ? _mm256_alignr_epi8(middle, a, k % 4 * 4)
                                         : _mm256_alignr_epi8(b, middle, k % 4 * 4));
    }
    PYRAD_AVX2 PYRAD_ALWAYS F nearest(F a) {
        return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    PYRAD_AVX2 PYRAD_ALWAYS F scaled_where(F y, F limit, F power) {
        const __m256i shift = _mm256_slli_epi32(_mm256_cvtps_epi32(y), 23);
        const __m256i bits = _mm256_add_epi32(_mm256_castps_si256(power), shift);
        return _mm256_and_ps(_mm256_castsi256_ps(bits), _mm256_cmp_ps(y, limit, _CMP_GE_OQ));
    }
};
#include "denoise/nlm_loops.inl"
#undef PYRAD_TARGET
} // namespace avx2

#endif

} // namespace

Loops<float> vector_loops() {
#if defined(PYRAD_X86)
    const int width = vector_width();
    if (width >= 16)
        return {&avx512::squares, &avx512::weigh, &avx512::square_and_weigh, &avx512::spread,
                &avx512::add};
    if (width >= 8)
        return {&avx2::squares, &avx2::weigh, &avx2::square_and_weigh, &avx2::spread, &avx2::add};
#endif
    return {};
}

} // namespace pyrad::nlm
