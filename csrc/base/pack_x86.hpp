// One vocabulary for registers of AVX-512 (16 floats) and AVX2 (8 floats), so that a kernel is
// written once and compiled for both:
//
//     #define PYRAD_TARGET PYRAD_AVX512
//     namespace avx512 { using P = Pack512; #include "kernel.inl" }
//
// where every function of kernel.inl carries PYRAD_TARGET. Plain arithmetic on F and D is written
// with operators. Functions of the standard library must not be called from there: the linker might
// keep the copy that was compiled for the wider processor.
#pragma once

#include "base/x86.hpp"

#if defined(PYRAD_X86)
#define PYRAD_ALWAYS __attribute__((always_inline)) static inline

namespace pyrad {

// pick1 and pick2 take samples out of the one or two registers behind p, by index.
struct Pack512 {
    static constexpr int width = 16, wide = 8; // floats and doubles of a register
    using F = __m512;
    using I = __m512i;
    using D = __m512d;

    PYRAD_AVX512 PYRAD_ALWAYS F all(float x) { return _mm512_set1_ps(x); }
    PYRAD_AVX512 PYRAD_ALWAYS F load(const float *p) { return _mm512_loadu_ps(p); }
    PYRAD_AVX512 PYRAD_ALWAYS void store(float *p, F x) { _mm512_storeu_ps(p, x); }
    PYRAD_AVX512 PYRAD_ALWAYS F lanes() { // 0, 1, 2, ...
        return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    }
    PYRAD_AVX512 PYRAD_ALWAYS F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    PYRAD_AVX512 PYRAD_ALWAYS F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); } // c - a b
    PYRAD_AVX512 PYRAD_ALWAYS F max(F a, F b) { return _mm512_max_ps(a, b); }
    PYRAD_AVX512 PYRAD_ALWAYS F abs(F a) { return _mm512_abs_ps(a); }
    PYRAD_AVX512 PYRAD_ALWAYS F guess_inverse(F a) { return _mm512_rcp14_ps(a); }
    PYRAD_AVX512 PYRAD_ALWAYS F min(F a, F b) { return _mm512_min_ps(a, b); }
    PYRAD_AVX512 PYRAD_ALWAYS F floor(F a) {
        return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    }
    PYRAD_AVX512 PYRAD_ALWAYS void store(int *p, I x) { _mm512_storeu_si512(p, x); }
    PYRAD_AVX512 PYRAD_ALWAYS I whole(F a) { return _mm512_cvttps_epi32(a); } // towards zero
    PYRAD_AVX512 PYRAD_ALWAYS F part(F a, I) {                                // a - whole(a)
        return _mm512_reduce_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    }
    PYRAD_AVX512 PYRAD_ALWAYS F pick1(const float *p, I index) {
        return _mm512_permutexvar_ps(index, _mm512_loadu_ps(p));
    }
    PYRAD_AVX512 PYRAD_ALWAYS F pick2(const float *p, I index) {
        return _mm512_permutex2var_ps(_mm512_loadu_ps(p), index, _mm512_loadu_ps(p + 16));
    }

    PYRAD_AVX512 PYRAD_ALWAYS D all(double x) { return _mm512_set1_pd(x); }
    PYRAD_AVX512 PYRAD_ALWAYS D load(const double *p) { return _mm512_loadu_pd(p); }
    PYRAD_AVX512 PYRAD_ALWAYS void store(double *p, D x) { _mm512_storeu_pd(p, x); }
    PYRAD_AVX512 PYRAD_ALWAYS D fma(D a, D b, D c) { return _mm512_fmadd_pd(a, b, c); }
    PYRAD_AVX512 PYRAD_ALWAYS D fnma(D a, D b, D c) { return _mm512_fnmadd_pd(a, b, c); }
    PYRAD_AVX512 PYRAD_ALWAYS D max(D a, D b) { return _mm512_max_pd(a, b); }
    PYRAD_AVX512 PYRAD_ALWAYS D min(D a, D b) { return _mm512_min_pd(a, b); }
    PYRAD_AVX512 PYRAD_ALWAYS D abs(D a) { return _mm512_abs_pd(a); }
    PYRAD_AVX512 PYRAD_ALWAYS D floor(D a) {
        return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    }
    PYRAD_AVX512 PYRAD_ALWAYS D root(D a) { return _mm512_sqrt_pd(a); }
    PYRAD_AVX512 PYRAD_ALWAYS D with_sign_of(D a, D sign) { // a >= 0
        return _mm512_or_pd(a, _mm512_and_pd(sign, _mm512_set1_pd(-0.0)));
    }
    PYRAD_AVX512 PYRAD_ALWAYS void store(float *p, D x) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(x)); }
    PYRAD_AVX512 PYRAD_ALWAYS void store(int *p, D x) {
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), _mm512_cvttpd_epi32(x));
    }
};

struct Pack256 {
    static constexpr int width = 8, wide = 4;
    using F = __m256;
    using I = __m256i;
    using D = __m256d;

    PYRAD_AVX2 PYRAD_ALWAYS F all(float x) { return _mm256_set1_ps(x); }
    PYRAD_AVX2 PYRAD_ALWAYS F load(const float *p) { return _mm256_loadu_ps(p); }
    PYRAD_AVX2 PYRAD_ALWAYS void store(float *p, F x) { _mm256_storeu_ps(p, x); }
    PYRAD_AVX2 PYRAD_ALWAYS F lanes() { return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7); }
    PYRAD_AVX2 PYRAD_ALWAYS F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    PYRAD_AVX2 PYRAD_ALWAYS F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }
    PYRAD_AVX2 PYRAD_ALWAYS F max(F a, F b) { return _mm256_max_ps(a, b); }
    PYRAD_AVX2 PYRAD_ALWAYS F abs(F a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
    PYRAD_AVX2 PYRAD_ALWAYS F guess_inverse(F a) { return _mm256_rcp_ps(a); }
    PYRAD_AVX2 PYRAD_ALWAYS F min(F a, F b) { return _mm256_min_ps(a, b); }
    PYRAD_AVX2 PYRAD_ALWAYS F floor(F a) { return _mm256_floor_ps(a); }
    PYRAD_AVX2 PYRAD_ALWAYS void store(int *p, I x) {
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), x);
    }
    PYRAD_AVX2 PYRAD_ALWAYS I whole(F a) { return _mm256_cvttps_epi32(a); }
    PYRAD_AVX2 PYRAD_ALWAYS F part(F a, I whole) { return a - _mm256_cvtepi32_ps(whole); }
    PYRAD_AVX2 PYRAD_ALWAYS F pick1(const float *p, I index) {
        return _mm256_permutevar8x32_ps(_mm256_loadu_ps(p), index);
    }
    PYRAD_AVX2 PYRAD_ALWAYS F pick2(const float *p, I index) {
        // bit 3 of the index, moved to the sign, picks the upper half
        return _mm256_blendv_ps(pick1(p, index), pick1(p + 8, index),
                                _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
    }

    PYRAD_AVX2 PYRAD_ALWAYS D all(double x) { return _mm256_set1_pd(x); }
    PYRAD_AVX2 PYRAD_ALWAYS D load(const double *p) { return _mm256_loadu_pd(p); }
    PYRAD_AVX2 PYRAD_ALWAYS void store(double *p, D x) { _mm256_storeu_pd(p, x); }
    PYRAD_AVX2 PYRAD_ALWAYS D fma(D a, D b, D c) { return _mm256_fmadd_pd(a, b, c); }
    PYRAD_AVX2 PYRAD_ALWAYS D fnma(D a, D b, D c) { return _mm256_fnmadd_pd(a, b, c); }
    PYRAD_AVX2 PYRAD_ALWAYS D max(D a, D b) { return _mm256_max_pd(a, b); }
    PYRAD_AVX2 PYRAD_ALWAYS D min(D a, D b) { return _mm256_min_pd(a, b); }
    PYRAD_AVX2 PYRAD_ALWAYS D abs(D a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
    PYRAD_AVX2 PYRAD_ALWAYS D floor(D a) { return _mm256_floor_pd(a); }
    PYRAD_AVX2 PYRAD_ALWAYS D root(D a) { return _mm256_sqrt_pd(a); }
    PYRAD_AVX2 PYRAD_ALWAYS D with_sign_of(D a, D sign) {
        return _mm256_or_pd(a, _mm256_and_pd(sign, _mm256_set1_pd(-0.0)));
    }
    PYRAD_AVX2 PYRAD_ALWAYS void store(float *p, D x) { _mm_storeu_ps(p, _mm256_cvtpd_ps(x)); }
    PYRAD_AVX2 PYRAD_ALWAYS void store(int *p, D x) {
        _mm_storeu_si128(reinterpret_cast<__m128i *>(p), _mm256_cvttpd_epi32(x));
    }
};

} // namespace pyrad
#endif
