// What files with hand-written AVX-512 and AVX2 loops begin with: the intrinsics, and the
// attributes of functions that use them. PYRAD_X86 says that there are any; vector_width() of
// simd.hpp says at run time which of them the processor has.
#pragma once

#include "base/simd.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PYRAD_EMULATE)
#define PYRAD_X86 1
#if !defined(__clang__) // GCC 12 on its own undefined() operands, wherever they are inlined
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#define PYRAD_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
#define PYRAD_AVX2 __attribute__((target("avx2,fma")))
#define PYRAD_INLINE_AVX512 PYRAD_AVX512 __attribute__((always_inline)) inline
#define PYRAD_INLINE_AVX2 PYRAD_AVX2 __attribute__((always_inline)) inline
#endif
