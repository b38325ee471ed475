// Blocks of voxels along a row stay in the first-level cache while the window passes.
#include "denoise/bilateral.hpp"

#include "base/exp_math.hpp"
#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <type_traits>

namespace pyrad::bilateral {
namespace {

constexpr i64 tile_work = 1 << 18; // weights of a tile, about

// Weights end here: smaller ones would make subnormal products, which cost a hundred cycles each.
template <class T> constexpr T last_exponent = sizeof(T) == 4 ? T(60) : T(600);

// `lanes` voxels, the plain way; Joint: the guide is not the image.
template <bool Joint, class T>
void filter_lanes(const T *guide, const T *values, const Window<T> &window, i64 lanes, T *out) {
    for (i64 k = 0; k < lanes; ++k) {
        const T level = guide[window.centre + k], value = values[window.centre + k];
        T numerator = 0, denominator = 0;
        for (i64 w = 0; w < window.count; ++w) {
            const T step = guide[window.offsets[w] + k] - level;
            const T scaled = step * window.scale;
            const T e =
                exp_negative(min_of(scaled * scaled + window.exponents[w], last_exponent<T>));
            numerator += e * (Joint ? values[window.offsets[w] + k] - value : step);
            denominator += e;
        }
        out[k] = value + numerator / denominator;
    }
}

template <class T> using Whole = std::conditional_t<sizeof(T) == 4, u32, u64>;

// exp(-t) of exp_math.hpp for a vector of T.
template <class V, class Bits, class T>
inline __attribute__((always_inline)) void exp_negative_of(V &t) {
    constexpr bool narrow = sizeof(T) == 4;
    constexpr T magic = narrow ? T(12582912) : T(6755399441055744.0);
    const V y = t * T(-1.4426950408889634), shifted = y + magic;
    V power;
    if constexpr (narrow) {
        const V f = y - (shifted - magic);
        power = T(0.00967554133) + f * T(0.00132764720);
        power = T(0.05550713273) + f * power;
        power = T(0.24022119724) + f * power;
        power = T(0.69314696706) + f * power;
        power = T(1.00000007165) + f * power;
    } else {
        const V g = (y - (shifted - magic)) * T(0.69314718055994531);
        power = T(1.0 / 39916800) + g * T(1.0 / 479001600);
        constexpr T inverse_factorial[] = {1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                                           1.0 / 720,     1.0 / 120,    1.0 / 24,    1.0 / 6,
                                           0.5,           1.0,          1.0};
        for (T c : inverse_factorial)
            power = c + g * power;
    }
    t = (V)((Bits)power + ((Bits)shifted << (narrow ? 23 : 52)));
}

// Registers' worth of neighbouring voxels, their sums in registers while the window passes.
template <bool Joint, int Vectors, class T>
inline __attribute__((always_inline)) void filter_vectors(const T *guide, const T *values,
                                                          const Window<T> &window, T *out) {
    typedef T V __attribute__((vector_size(64), aligned(alignof(T)), may_alias));
    typedef Whole<T> Bits __attribute__((vector_size(64)));
    constexpr i64 lanes = 64 / sizeof(T);
    V level[Vectors], value[Vectors], numerator[Vectors] = {}, denominator[Vectors] = {};
    for (int k = 0; k < Vectors; ++k) {
        level[k] = *reinterpret_cast<const V *>(guide + window.centre + k * lanes);
        value[k] = *reinterpret_cast<const V *>(values + window.centre + k * lanes);
    }
    const V last = last_exponent<T> + V{};
    for (i64 w = 0; w < window.count; ++w) {
        const i64 at = window.offsets[w];
        for (int k = 0; k < Vectors; ++k) {
            const V step = *reinterpret_cast<const V *>(guide + at + k * lanes) - level[k];
            const V scaled = step * window.scale;
            V e = scaled * scaled + window.exponents[w];
            e = e < last ? e : last;
            exp_negative_of<V, Bits, T>(e);
            if (Joint)
                numerator[k] +=
                    e * (*reinterpret_cast<const V *>(values + at + k * lanes) - value[k]);
            else
                numerator[k] += e * step;
            denominator[k] += e;
        }
    }
    for (int k = 0; k < Vectors; ++k)
        *reinterpret_cast<V *>(out + k * lanes) = value[k] + numerator[k] / denominator[k];
}

template <bool Joint, class T>
PYRAD_CLONES void filter_row(const T *guide, const T *values, const Window<T> window, i64 n,
                             T *out) {
    constexpr i64 lanes = 64 / sizeof(T), block = 4 * lanes;
    if (n < lanes)
        return filter_lanes<Joint>(guide, values, window, n, out);
    for (i64 first = 0; first < n;) {
        const bool wide = first + block <= n;
        const i64 begin = wide ? first : std::min(first, n - lanes); // the last may overlap
        if (wide)
            filter_vectors<Joint, 4>(guide + begin, values + begin, window, out + begin);
        else
            filter_vectors<Joint, 1>(guide + begin, values + begin, window, out + begin);
        first = begin + (wide ? block : lanes);
    }
}

} // namespace

template <class T>
void bilateral(const T *guide, const T *values, const i64 *starts, const Window<T> &window,
               View<T, 2> out) {
    const i64 n = out.shape[1], grain = 1 + tile_work / (1 + n * window.count);
    parallel_for(out.shape[0], grain, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            poll();
            const T *const g = guide + starts[r], *const v = values + starts[r];
            if (guide == values) // called by name: a pointer would be to the plainest version
                filter_row<false>(g, v, window, n, out.data + r * n);
            else
                filter_row<true>(g, v, window, n, out.data + r * n);
        }
    });
}

template void bilateral(const float *, const float *, const i64 *, const Window<float> &,
                        View<float, 2>);
template void bilateral(const double *, const double *, const i64 *, const Window<double> &,
                        View<double, 2>);

} // namespace pyrad::bilateral
