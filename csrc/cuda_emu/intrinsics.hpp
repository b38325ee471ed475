// Arithmetic that CUDA adds to the C library.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

namespace pyrad::emu {

template <class To, class From> To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

// CUDA's conversions saturate, and NaN becomes 0.
template <class To, class From> To saturated(From x) {
    constexpr To low = std::is_signed_v<To> ? To(1) << (8 * sizeof(To) - 1) : To(0);
    constexpr To high = static_cast<To>(~low);
    if (std::isnan(x))
        return 0;
    if (x <= static_cast<From>(low))
        return low;
    return x >= static_cast<From>(high) ? high : static_cast<To>(x);
}

} // namespace pyrad::emu

// min and max of two integer or of two floating types; a NaN loses against a number.
template <class A, class B> inline std::common_type_t<A, B> min(A a, B b) {
    using T = std::common_type_t<A, B>;
    static_assert(std::is_integral_v<A> == std::is_integral_v<B>, "ambiguous for nvcc");
    if constexpr (std::is_floating_point_v<T>)
        return std::fmin(static_cast<T>(a), static_cast<T>(b));
    else
        return static_cast<T>(b) < static_cast<T>(a) ? static_cast<T>(b) : static_cast<T>(a);
}
template <class A, class B> inline std::common_type_t<A, B> max(A a, B b) {
    using T = std::common_type_t<A, B>;
    static_assert(std::is_integral_v<A> == std::is_integral_v<B>, "ambiguous for nvcc");
    if constexpr (std::is_floating_point_v<T>)
        return std::fmax(static_cast<T>(a), static_cast<T>(b));
    else
        return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(b) : static_cast<T>(a);
}
inline int umin(unsigned a, unsigned b) { return a < b ? a : b; }
inline int umax(unsigned a, unsigned b) { return a < b ? b : a; }

template <class T> inline T __ldg(const T *at) { return *at; }
template <class T> inline T __ldcg(const T *at) { return *at; }
template <class T> inline T __ldcs(const T *at) { return *at; }
template <class T> inline void __stcg(T *at, T value) { *at = value; }
template <class T> inline void __stcs(T *at, T value) { *at = value; }

inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return powf(10.0f, x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __log10f(float x) { return log10f(x); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __tanf(float x) { return tanf(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline void __sincosf(float x, float *s, float *c) { *s = sinf(x), *c = cosf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rsqrt(float x) { return rsqrtf(x); }
inline float rcbrtf(float x) { return 1.0f / cbrtf(x); }
inline double rcbrt(double x) { return 1.0 / cbrt(x); }
inline float norm3df(float a, float b, float c) { return sqrtf(a * a + b * b + c * c); }
inline double norm3d(double a, double b, double c) { return sqrt(a * a + b * b + c * c); }
inline float rnorm3df(float a, float b, float c) { return 1.0f / norm3df(a, b, c); }
inline double cyl_bessel_i0(double x) { return std::cyl_bessel_i(0.0, std::fabs(x)); }
inline float cyl_bessel_i0f(float x) { return static_cast<float>(cyl_bessel_i0(x)); }

// Reduced to half a turn first, so that multiples of 1/2 come out exactly.
inline double sinpi(double x) {
    const double r = std::remainder(x, 2.0);
    if (r == std::rint(r))
        return std::copysign(0.0, x);
    return std::fabs(r) == 0.5 ? std::copysign(1.0, r) : std::sin(3.141592653589793238 * r);
}
inline double cospi(double x) {
    const double r = std::fabs(std::remainder(x, 2.0));
    if (r == 0.5)
        return 0.0;
    return r == 1.0 ? -1.0 : std::cos(3.141592653589793238 * r);
}
inline float sinpif(float x) { return static_cast<float>(sinpi(x)); }
inline float cospif(float x) { return static_cast<float>(cospi(x)); }
inline void sincospi(double x, double *s, double *c) { *s = sinpi(x), *c = cospi(x); }
inline void sincospif(float x, float *s, float *c) { *s = sinpif(x), *c = cospif(x); }

#define PYRAD_EMU_ROUNDED(T, prefix, suffix)                                                       \
    inline T __##prefix##add_##suffix(T a, T b) { return a + b; }                                  \
    inline T __##prefix##sub_##suffix(T a, T b) { return a - b; }                                  \
    inline T __##prefix##mul_##suffix(T a, T b) { return a * b; }                                  \
    inline T __##prefix##div_##suffix(T a, T b) { return a / b; }                                  \
    inline T __##prefix##sqrt_##suffix(T a) { return std::sqrt(a); }                               \
    inline T __##prefix##rcp_##suffix(T a) { return T(1) / a; }
PYRAD_EMU_ROUNDED(float, f, rn)
PYRAD_EMU_ROUNDED(double, d, rn)
#undef PYRAD_EMU_ROUNDED
inline float __frsqrt_rn(float a) { return static_cast<float>(1.0 / std::sqrt(double(a))); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }

#define PYRAD_EMU_CONVERSIONS(from, From, to, To)                                                  \
    inline To __##from##2##to##_rn(From x) { return pyrad::emu::saturated<To>(std::rint(x)); }     \
    inline To __##from##2##to##_rz(From x) { return pyrad::emu::saturated<To>(std::trunc(x)); }    \
    inline To __##from##2##to##_rd(From x) { return pyrad::emu::saturated<To>(std::floor(x)); }    \
    inline To __##from##2##to##_ru(From x) { return pyrad::emu::saturated<To>(std::ceil(x)); }
PYRAD_EMU_CONVERSIONS(float, float, int, int)
PYRAD_EMU_CONVERSIONS(float, float, uint, unsigned int)
PYRAD_EMU_CONVERSIONS(float, float, ll, long long)
PYRAD_EMU_CONVERSIONS(float, float, ull, unsigned long long)
PYRAD_EMU_CONVERSIONS(double, double, int, int)
PYRAD_EMU_CONVERSIONS(double, double, uint, unsigned int)
PYRAD_EMU_CONVERSIONS(double, double, ll, long long)
PYRAD_EMU_CONVERSIONS(double, double, ull, unsigned long long)
#undef PYRAD_EMU_CONVERSIONS
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __ll2float_rn(long long x) { return static_cast<float>(x); }
inline double __int2double_rn(int x) { return x; }
inline double __ll2double_rn(long long x) { return static_cast<double>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

inline int __float_as_int(float x) { return pyrad::emu::same_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return pyrad::emu::same_bits<unsigned>(x); }
inline float __int_as_float(int x) { return pyrad::emu::same_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return pyrad::emu::same_bits<float>(x); }
inline long long __double_as_longlong(double x) { return pyrad::emu::same_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return pyrad::emu::same_bits<double>(x); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline int __clzll(long long x) {
    return x ? __builtin_clzll(static_cast<unsigned long long>(x)) : 64;
}
inline unsigned __brev(unsigned x) {
    unsigned reversed = 0;
    for (int bit = 0; bit < 32; ++bit)
        reversed |= (x >> bit & 1u) << (31 - bit);
    return reversed;
}
inline int __mulhi(int a, int b) { return static_cast<int>((long long){a} * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline int __mul24(int a, int b) { return a * b; }
