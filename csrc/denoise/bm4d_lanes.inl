// Registers of one instruction set for collaborative filtering. A file BM4D_SOURCE is included in
// the namespaces avx512, avx2 (where there are any) and portable; there `bytes` is the size of a
// register, PYRAD_TARGET the attribute of functions, below(a, b) a bit for each lane with a < b.
//
//     #define BM4D_SOURCE "denoise/file.inl"
//     #include "denoise/bm4d_lanes.inl"
#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between functions of one file only

#if defined(PYRAD_X86)
namespace avx512 {
constexpr int bytes = 64;
#define PYRAD_TARGET PYRAD_AVX512
PYRAD_INLINE_AVX512 unsigned below(__m512 a, __m512 b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
PYRAD_INLINE_AVX512 unsigned below(__m512d a, __m512d b) {
    return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}
#include BM4D_SOURCE
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
constexpr int bytes = 32;
#define PYRAD_TARGET PYRAD_AVX2
PYRAD_INLINE_AVX2 unsigned below(__m256 a, __m256 b) {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ)));
}
PYRAD_INLINE_AVX2 unsigned below(__m256d a, __m256d b) {
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ)));
}
#include BM4D_SOURCE
#undef PYRAD_TARGET
} // namespace avx2
#endif

namespace portable {
constexpr int bytes = 16;
#define PYRAD_TARGET
template <class V> inline unsigned below(V a, V b) {
    unsigned bits = 0;
    for (unsigned k = 0; k < sizeof(V) / sizeof(a[0]); ++k)
        bits |= static_cast<unsigned>(a[k] < b[k]) << k;
    return bits;
}
#include BM4D_SOURCE
#undef PYRAD_TARGET
} // namespace portable
