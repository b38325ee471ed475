#include "base/finite.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile = 1 << 16;

// Non-finite: all exponent bits set. Integer arithmetic, as the loop must survive any FP flags.
template <class T> struct Bits;
template <> struct Bits<float> {
    using type = u32;
    static constexpr u32 exponent = 0x7f800000u;
};
template <> struct Bits<double> {
    using type = u64;
    static constexpr u64 exponent = 0x7ff0000000000000ull;
};

template <class T> inline bool nonfinite(T x) {
    typename Bits<T>::type bits;
    std::memcpy(&bits, &x, sizeof bits);
    return (bits & Bits<T>::exponent) == Bits<T>::exponent;
}

template <class T> PYRAD_CLONES i64 count_in(const T *x, i64 size) {
    i64 count = 0;
    for (i64 i = 0; i < size; ++i)
        count += nonfinite(x[i]);
    return count;
}

} // namespace

template <class T> NonFinite count_nonfinite(const T *x, i64 size) {
    std::vector<i64> counts((size + tile - 1) / tile);
    parallel_for(size, tile, [&](i64 begin, i64 end, int) {
        counts[begin / tile] = count_in(x + begin, end - begin);
    });
    NonFinite found{0, -1};
    for (i64 t = 0; t < static_cast<i64>(counts.size()); ++t) {
        if (counts[t] && found.first < 0)
            found.first = std::find_if(x + t * tile, x + size, nonfinite<T>) - x;
        found.count += counts[t];
    }
    return found;
}

template NonFinite count_nonfinite(const float *, i64);
template NonFinite count_nonfinite(const double *, i64);

} // namespace pyrad
