// One and two lanes (real and complex samples) are loops the compiler turns into shuffles.
#include "wavelet/interleave.hpp"

#include "base/simd.hpp"

#include <algorithm>

namespace pyrad {
namespace {

template <class S>
__attribute__((always_inline)) inline void split_loop(const S *__restrict x, i64 pairs,
                                                      S *__restrict even, S *__restrict odd) {
    for (i64 i = 0; i < pairs; ++i) {
        even[i] = x[2 * i];
        odd[i] = x[2 * i + 1];
    }
}

template <class S>
__attribute__((always_inline)) inline void
join_loop(const S *__restrict even, const S *__restrict odd, i64 pairs, S *__restrict x) {
    for (i64 i = 0; i < pairs; ++i) {
        x[2 * i] = even[i];
        x[2 * i + 1] = odd[i];
    }
}

PYRAD_CLONES void split(const float *x, i64 pairs, float *even, float *odd) {
    split_loop(x, pairs, even, odd);
}
PYRAD_CLONES void split(const double *x, i64 pairs, double *even, double *odd) {
    split_loop(x, pairs, even, odd);
}
PYRAD_CLONES void join(const float *even, const float *odd, i64 pairs, float *x) {
    join_loop(even, odd, pairs, x);
}
PYRAD_CLONES void join(const double *even, const double *odd, i64 pairs, double *x) {
    join_loop(even, odd, pairs, x);
}

// Two numbers of 4 or 8 bytes as one.
typedef u64 Pair32 __attribute__((may_alias, aligned(4)));
typedef double Pair64 __attribute__((vector_size(16), may_alias, aligned(8)));

PYRAD_CLONES void split(const Pair32 *x, i64 pairs, Pair32 *even, Pair32 *odd) {
    split_loop(x, pairs, even, odd);
}
PYRAD_CLONES void split(const Pair64 *x, i64 pairs, Pair64 *even, Pair64 *odd) {
    split_loop(x, pairs, even, odd);
}
PYRAD_CLONES void join(const Pair32 *even, const Pair32 *odd, i64 pairs, Pair32 *x) {
    join_loop(even, odd, pairs, x);
}
PYRAD_CLONES void join(const Pair64 *even, const Pair64 *odd, i64 pairs, Pair64 *x) {
    join_loop(even, odd, pairs, x);
}

template <class T> struct PairOf;
template <> struct PairOf<float> {
    typedef Pair32 type;
};
template <> struct PairOf<double> {
    typedef Pair64 type;
};

} // namespace

template <class T> void split_pairs(const T *x, i64 pairs, i64 lanes, T *even, T *odd) {
    if (lanes == 1)
        return split(x, pairs, even, odd);
    using P = typename PairOf<T>::type;
    if (lanes == 2)
        return split(reinterpret_cast<const P *>(x), pairs, reinterpret_cast<P *>(even),
                     reinterpret_cast<P *>(odd));
    for (i64 i = 0; i < pairs; ++i) {
        std::copy_n(x + 2 * i * lanes, lanes, even + i * lanes);
        std::copy_n(x + (2 * i + 1) * lanes, lanes, odd + i * lanes);
    }
}

template <class T> void join_pairs(const T *even, const T *odd, i64 pairs, i64 lanes, T *x) {
    if (lanes == 1)
        return join(even, odd, pairs, x);
    using P = typename PairOf<T>::type;
    if (lanes == 2)
        return join(reinterpret_cast<const P *>(even), reinterpret_cast<const P *>(odd), pairs,
                    reinterpret_cast<P *>(x));
    for (i64 i = 0; i < pairs; ++i) {
        std::copy_n(even + i * lanes, lanes, x + 2 * i * lanes);
        std::copy_n(odd + i * lanes, lanes, x + (2 * i + 1) * lanes);
    }
}

#define INSTANTIATE(T)                                                                             \
    template void split_pairs(const T *, i64, i64, T *, T *);                                      \
    template void join_pairs(const T *, const T *, i64, i64, T *);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
