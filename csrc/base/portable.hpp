// What g++, nvcc, NVRTC and the CPU emulator need so that one header serves all four.
// Formulas that CPU and GPU must agree on are written as PYRAD_HD functions in *_math.hpp headers
// that include only this file.
#pragma once

#if defined(__CUDACC__)
#define PYRAD_HD __host__ __device__ __forceinline__
#else
#define PYRAD_HD inline
#endif

#if !defined(__CUDACC_RTC__)
#include <cmath>
#endif

// Entry point of a CUDA kernel: PYRAD_KERNEL(name)(arguments) { ... }. The build scans .cu files
// for this macro, so the name must be a literal.
#if defined(__CUDACC__)
#define PYRAD_KERNEL(name) extern "C" __global__ void name
#elif defined(PYRAD_EMULATE)
#define PYRAD_KERNEL(name) static void name
#endif

// Dynamic shared memory of the block as an array: PYRAD_DYNAMIC_SHARED(float, tile); one per
// kernel, sized by the launch.
#if defined(__CUDACC__)
#define PYRAD_DYNAMIC_SHARED(type, name)                                                           \
    extern __shared__ __align__(16) unsigned char pyrad_dynamic_shared[];                          \
    type *const name = reinterpret_cast<type *>(pyrad_dynamic_shared)
#endif

namespace pyrad {

// Fixed-width names that also exist under NVRTC, which has no <cstdint>.
using i32 = int;
using i64 = long long;
using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;

// Complex number with the memory layout of std::complex, numpy.complex64/128 and float2/double2.
template <class T> struct Complex {
    T re, im;
};
using c64 = Complex<float>;
using c128 = Complex<double>;

template <class T> PYRAD_HD Complex<T> operator+(Complex<T> a, Complex<T> b) {
    return {a.re + b.re, a.im + b.im};
}
template <class T> PYRAD_HD Complex<T> operator-(Complex<T> a, Complex<T> b) {
    return {a.re - b.re, a.im - b.im};
}
template <class T> PYRAD_HD Complex<T> operator*(Complex<T> a, Complex<T> b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class T> PYRAD_HD Complex<T> operator*(T s, Complex<T> a) { return {s * a.re, s * a.im}; }
template <class T> PYRAD_HD Complex<T> conj(Complex<T> a) { return {a.re, -a.im}; }
template <class T> PYRAD_HD T norm2(Complex<T> a) { return a.re * a.re + a.im * a.im; }

template <class T> PYRAD_HD T min_of(T a, T b) { return b < a ? b : a; }
template <class T> PYRAD_HD T max_of(T a, T b) { return a < b ? b : a; }
template <class T> PYRAD_HD T clamp(T x, T low, T high) { return min_of(max_of(x, low), high); }

} // namespace pyrad
