// Rows combined with one function per instruction set, chosen at the first call.
#include "wavelet/combine.hpp"

#define PYRAD_ISA baseline
#define PYRAD_TARGET
#define PYRAD_BYTES 16
#include "wavelet/combine_isa.hpp"
#undef PYRAD_ISA
#undef PYRAD_TARGET
#undef PYRAD_BYTES

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define PYRAD_X86_LEVELS 1
#define PYRAD_ISA avx2
#define PYRAD_TARGET __attribute__((target("avx2")))
#define PYRAD_BYTES 32
#include "wavelet/combine_isa.hpp"
#undef PYRAD_ISA
#undef PYRAD_TARGET
#undef PYRAD_BYTES

#define PYRAD_ISA avx512
#define PYRAD_TARGET __attribute__((target("avx512f,avx512vl,avx512dq,prefer-vector-width=512")))
#define PYRAD_BYTES 64
#include "wavelet/combine_isa.hpp"
#undef PYRAD_ISA
#undef PYRAD_TARGET
#undef PYRAD_BYTES
#endif

namespace pyrad {
namespace {

template <class T> struct Kernels {
    void (*pair)(const T *const *, const T *, const T *, i64, i64, T *, T *) = baseline::pair<T>;
    void (*one)(const T *const *, const T *, i64, i64, T *) = baseline::one<T>;

    Kernels() {
#ifdef PYRAD_X86_LEVELS
        if (__builtin_cpu_supports("x86-64-v4"))
            pair = avx512::pair<T>, one = avx512::one<T>;
        else if (__builtin_cpu_supports("x86-64-v3"))
            pair = avx2::pair<T>, one = avx2::one<T>;
#endif
    }
};

template <class T> const Kernels<T> &kernels() {
    static const Kernels<T> chosen;
    return chosen;
}

} // namespace

template <class T>
void combine_pair(const T *const *rows, const T *first_weight, const T *second_weight, i64 taps,
                  i64 n, T *first, T *second) {
    kernels<T>().pair(rows, first_weight, second_weight, taps, n, first, second);
}

template <class T>
void combine_one(const T *const *rows, const T *weight, i64 taps, i64 n, T *sum) {
    kernels<T>().one(rows, weight, taps, n, sum);
}

#define INSTANTIATE(T)                                                                             \
    template void combine_pair(const T *const *, const T *, const T *, i64, i64, T *, T *);        \
    template void combine_one(const T *const *, const T *, i64, i64, T *);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
