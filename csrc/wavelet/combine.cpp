// Rows combined with one function per instruction set. In single precision AVX2 and AVX-512
// contract products and sums. In double precision nothing does: sums that cancel, as those of whole
// numbers under the Haar wavelet, are then zero wherever they are for PyWavelets, which decides the
// bins of discretised values.
#include "wavelet/combine.hpp"

#include "base/pack_x86.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cstdint>

#define PYRAD_INLINE __attribute__((always_inline)) inline

namespace pyrad {
namespace {

// Two doubles or four floats.
struct Portable {
    static constexpr int width = 4, wide = 2;
    typedef float F __attribute__((vector_size(16), aligned(4), may_alias));
    typedef double D __attribute__((vector_size(16), aligned(8), may_alias));
    static F all(float x) { return F{x, x, x, x}; }
    static D all(double x) { return D{x, x}; }
    static F load(const float *p) { return *reinterpret_cast<const F *>(p); }
    static D load(const double *p) { return *reinterpret_cast<const D *>(p); }
    static void store(float *p, F x) { *reinterpret_cast<F *>(p) = x; }
    static void store(double *p, D x) { *reinterpret_cast<D *>(p) = x; }
    template <class T, class V> static void stream(T *p, V x) { store(p, x); }
    template <class V> static V fma(V a, V b, V c) { return a * b + c; }
    static void fence() {}
};

#if defined(PYRAD_X86)
struct Wide512 : Pack512 {
    PYRAD_AVX512 PYRAD_ALWAYS F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    PYRAD_AVX512 PYRAD_ALWAYS float fma(float a, float b, float c) {
        return __builtin_fmaf(a, b, c);
    }
    PYRAD_AVX512 PYRAD_ALWAYS D fma(D a, D b, D c) { return a * b + c; }
    static double fma(double a, double b, double c) { return a * b + c; }
    PYRAD_AVX512 PYRAD_ALWAYS void stream(float *p, F x) { _mm512_stream_ps(p, x); }
    PYRAD_AVX512 PYRAD_ALWAYS void stream(double *p, D x) { _mm512_stream_pd(p, x); }
    static void fence() { _mm_sfence(); }
};

struct Wide256 : Pack256 {
    PYRAD_AVX2 PYRAD_ALWAYS F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    PYRAD_AVX2 PYRAD_ALWAYS float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
    PYRAD_AVX2 PYRAD_ALWAYS D fma(D a, D b, D c) { return a * b + c; }
    static double fma(double a, double b, double c) { return a * b + c; }
    PYRAD_AVX2 PYRAD_ALWAYS void stream(float *p, F x) { _mm256_stream_ps(p, x); }
    PYRAD_AVX2 PYRAD_ALWAYS void stream(double *p, D x) { _mm256_stream_pd(p, x); }
    static void fence() { _mm_sfence(); }
};
#endif

} // namespace
} // namespace pyrad

#define PYRAD_ISA baseline
#define PYRAD_TARGET
#define P Portable
#include "wavelet/combine_isa.hpp"
#undef PYRAD_ISA
#undef PYRAD_TARGET
#undef P

#if defined(PYRAD_X86)
#define PYRAD_ISA avx2
#define PYRAD_TARGET PYRAD_AVX2
#define P Wide256
#include "wavelet/combine_isa.hpp"
#undef PYRAD_ISA
#undef PYRAD_TARGET
#undef P

#define PYRAD_ISA avx512
#define PYRAD_TARGET PYRAD_AVX512
#define P Wide512
#include "wavelet/combine_isa.hpp"
#undef PYRAD_ISA
#undef PYRAD_TARGET
#undef P
#endif

namespace pyrad {

#if defined(PYRAD_X86)
#define DISPATCH(call)                                                                             \
    switch (vector_width()) {                                                                      \
    case 16:                                                                                       \
        return avx512::call;                                                                       \
    case 8:                                                                                        \
        return avx2::call;                                                                         \
    default:                                                                                       \
        return baseline::call;                                                                     \
    }
#else
#define DISPATCH(call) return baseline::call
#endif

template <class T>
void combine_pair(const T *const *rows, const T *first_weight, const T *second_weight, i64 taps,
                  i64 n, T *first, T *second, bool streamed) {
    if (streamed) {
        DISPATCH(stream_pair(rows, first_weight, second_weight, taps, n, first, second));
    }
    DISPATCH(pair(rows, first_weight, second_weight, taps, n, first, second));
}

template <class T>
void combine_one(const T *const *rows, const T *weight, i64 taps, i64 n, T *sum, bool streamed) {
    if (streamed) {
        DISPATCH(stream_one(rows, weight, taps, n, sum));
    }
    DISPATCH(one(rows, weight, taps, n, sum));
}

#define INSTANTIATE(T)                                                                             \
    template void combine_pair(const T *const *, const T *, const T *, i64, i64, T *, T *, bool);  \
    template void combine_one(const T *const *, const T *, i64, i64, T *, bool);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
