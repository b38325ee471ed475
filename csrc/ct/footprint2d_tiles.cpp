// The portable loops, and the oracle of the wide ones.
#include "ct/footprint2d_tiles.hpp"

#include "base/simd.hpp"
#include "base/with_constant.hpp"

#include <algorithm>

namespace pyrad::footprint {
namespace {

// Area of the symmetric trapezoid between its middle and z, as in TrapezoidArea.
template <class T> struct HalfArea {
    T plateau, end, up;
    explicit HalfArea(const Advance &a)
        : plateau(static_cast<T>(0.5 * a.top)), end(static_cast<T>(0.5 * a.top + a.rise)),
          up(T(0.5) / std::max(static_cast<T>(a.rise), T(1e-30))) {}
    T all() const { return T(0.5) * (plateau + end); }
    T operator()(T z) const {
        const T c = std::min(std::max(z, -plateau), plateau);
        const T r = std::min(std::max(z, -end), end) - c;
        return c + r * (T(1) - (r < T(0) ? -r : r) * up);
    }
};

// Calls body(whole, middle of a footprint from there at part 0, pixel) for all pixels of a tile.
template <class T, class Body>
inline __attribute__((always_inline)) void walk(const Advance &a, Body body) {
    const double middle = 0.5 * a.top + a.rise;
    for (i64 y = 0; y < tile; ++y)
        for (i64 x = 0; x < tile; ++x) {
            const double s =
                a.per_x * static_cast<double>(x) + a.per_y * static_cast<double>(y) - a.lowest;
            const i64 whole = static_cast<i64>(s);
            body(whole, static_cast<T>(s - static_cast<double>(whole) + middle), y * tile + x);
        }
}

template <class T, int Span>
PYRAD_CLONES void spread_span(const Advance &advance, const T *part, const T *pixels, T *cells) {
    const HalfArea<T> area(advance);
    const T all = area.all();
    walk<T>(advance, [&](i64 whole, T middle, i64 pixel) {
        T *to = cells + whole * lanes;
        const T *from = pixels + pixel * lanes;
#pragma GCC ivdep
        for (i64 l = 0; l < lanes; ++l) {
            const T value = from[l], at = part[l] + middle;
            T left = -all;
#pragma GCC unroll 6
            for (int k = 0; k < Span - 1; ++k) {
                const T here = area(static_cast<T>(k + 1) - at);
                to[k * lanes + l] += std::max(here - left, T(0)) * value;
                left = here;
            }
            to[(Span - 1) * lanes + l] += std::max(all - left, T(0)) * value;
        }
    });
}

template <class T, int Span>
PYRAD_CLONES void collect_span(const Advance &advance, const T *part, const T *cells, T *pixels) {
    const HalfArea<T> area(advance);
    const T all = area.all();
    walk<T>(advance, [&](i64 whole, T middle, i64 pixel) {
        const T *from = cells + whole * lanes;
        T *to = pixels + pixel * lanes;
#pragma GCC ivdep
        for (i64 l = 0; l < lanes; ++l) {
            const T at = part[l] + middle;
            T sum = T(0), left = -all;
#pragma GCC unroll 6
            for (int k = 0; k < Span - 1; ++k) {
                const T here = area(static_cast<T>(k + 1) - at);
                sum += std::max(here - left, T(0)) * from[k * lanes + l];
                left = here;
            }
            to[l] += sum + std::max(all - left, T(0)) * from[(Span - 1) * lanes + l];
        }
    });
}

} // namespace

template <class T> void spread(const Advance &advance, const T *part, const T *pixels, T *cells) {
    with_constant<most_cells, 3, 4, 5>(
        advance.span, [&](auto span) { spread_span<T, span>(advance, part, pixels, cells); });
}

template <class T> void collect(const Advance &advance, const T *part, const T *cells, T *pixels) {
    with_constant<most_cells, 3, 4, 5>(
        advance.span, [&](auto span) { collect_span<T, span>(advance, part, cells, pixels); });
}

template void spread(const Advance &, const float *, const float *, float *);
template void spread(const Advance &, const double *, const double *, double *);
template void collect(const Advance &, const float *, const float *, float *);
template void collect(const Advance &, const double *, const double *, double *);

} // namespace pyrad::footprint
