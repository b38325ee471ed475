// AVX-512 forms of the loops of footprint2d_tiles.cpp: a tile's sixteen lanes are one register.
#include "ct/footprint2d_tiles.hpp"

#include "base/with_constant.hpp"
#include "base/x86.hpp"

namespace pyrad::footprint {

#if defined(PYRAD_X86)
namespace {

bool wide_registers() { return vector_width() >= 16; }

// Area of the symmetric trapezoid between its middle and z, as HalfArea of the portable loops.
struct WideArea {
    __m512 plateau, end, up, one;

    PYRAD_INLINE_AVX512 explicit WideArea(const Advance &a) {
        const float rise = static_cast<float>(a.rise);
        plateau = _mm512_set1_ps(static_cast<float>(0.5 * a.top));
        end = _mm512_set1_ps(static_cast<float>(0.5 * a.top + a.rise));
        up = _mm512_set1_ps(0.5f / (rise > 1e-30f ? rise : 1e-30f));
        one = _mm512_set1_ps(1.0f);
    }
    PYRAD_INLINE_AVX512 __m512 all() const {
        return _mm512_mul_ps(_mm512_set1_ps(0.5f), _mm512_add_ps(plateau, end));
    }
    PYRAD_INLINE_AVX512 __m512 limit(__m512 z, __m512 most) const {
        return _mm512_min_ps(_mm512_max_ps(z, _mm512_sub_ps(_mm512_setzero_ps(), most)), most);
    }
    PYRAD_INLINE_AVX512 __m512 operator()(__m512 z) const {
        const __m512 c = limit(z, plateau), r = _mm512_sub_ps(limit(z, end), c);
        return _mm512_fmadd_ps(r, _mm512_fnmadd_ps(_mm512_abs_ps(r), up, one), c);
    }
};

// weight[k]: area of the footprint whose middle lies at `at` over the cells 0 .. Span - 1.
template <int Span>
PYRAD_INLINE_AVX512 void weigh(const WideArea &area, __m512 all, __m512 at, __m512 *weight) {
    __m512 left = _mm512_sub_ps(_mm512_setzero_ps(), all);
#pragma GCC unroll 6
    for (int k = 0; k < Span - 1; ++k) {
        const __m512 here = area(_mm512_sub_ps(_mm512_set1_ps(static_cast<float>(k + 1)), at));
        weight[k] = _mm512_max_ps(_mm512_sub_ps(here, left), _mm512_setzero_ps());
        left = here;
    }
    weight[Span - 1] = _mm512_max_ps(_mm512_sub_ps(all, left), _mm512_setzero_ps());
}

// Whole part and middle of the footprint at part 0 for a line of pixels of a tile.
struct Steps {
    i32 whole[tile];
    float middle[tile];
};

PYRAD_AVX512 void place_line(const Advance &a, i64 y, Steps &steps) {
    const double middle = 0.5 * a.top + a.rise;
    const double from = a.per_y * static_cast<double>(y) - a.lowest;
    for (i64 x = 0; x < tile; ++x) {
        const double s = a.per_x * static_cast<double>(x) + from;
        const i32 whole = static_cast<i32>(s);
        steps.whole[x] = whole;
        steps.middle[x] = static_cast<float>(s - whole + middle);
    }
}

template <int Span>
PYRAD_AVX512 void spread_avx512(const Advance &advance, const float *part, const float *pixels,
                                float *cells) {
    const WideArea area(advance);
    const __m512 all = area.all(), parts = _mm512_loadu_ps(part);
    Steps steps;
    for (i64 y = 0; y < tile; ++y) {
        place_line(advance, y, steps);
        for (i64 x = 0; x < tile; ++x, pixels += lanes) {
            __m512 weight[Span];
            weigh<Span>(area, all, _mm512_add_ps(parts, _mm512_set1_ps(steps.middle[x])), weight);
            const __m512 value = _mm512_loadu_ps(pixels);
            float *to = cells + steps.whole[x] * lanes;
#pragma GCC unroll 6
            for (int k = 0; k < Span; ++k)
                _mm512_storeu_ps(to + k * lanes, _mm512_fmadd_ps(weight[k], value,
                                                                 _mm512_loadu_ps(to + k * lanes)));
        }
    }
}

template <int Span>
PYRAD_AVX512 void collect_avx512(const Advance &advance, const float *part, const float *cells,
                                 float *pixels) {
    const WideArea area(advance);
    const __m512 all = area.all(), parts = _mm512_loadu_ps(part);
    Steps steps;
    for (i64 y = 0; y < tile; ++y) {
        place_line(advance, y, steps);
        for (i64 x = 0; x < tile; ++x, pixels += lanes) {
            __m512 weight[Span];
            weigh<Span>(area, all, _mm512_add_ps(parts, _mm512_set1_ps(steps.middle[x])), weight);
            const float *from = cells + steps.whole[x] * lanes;
            __m512 sum = _mm512_loadu_ps(pixels);
#pragma GCC unroll 6
            for (int k = 0; k < Span; ++k)
                sum = _mm512_fmadd_ps(weight[k], _mm512_loadu_ps(from + k * lanes), sum);
            _mm512_storeu_ps(pixels, sum);
        }
    }
}

} // namespace

bool spread_wide(const Advance &advance, const float *part, const float *pixels, float *cells) {
    if (!wide_registers())
        return false;
    with_constant<most_cells, 3, 4, 5>(
        advance.span, [&](auto span) { spread_avx512<span>(advance, part, pixels, cells); });
    return true;
}

bool collect_wide(const Advance &advance, const float *part, const float *cells, float *pixels) {
    if (!wide_registers())
        return false;
    with_constant<most_cells, 3, 4, 5>(
        advance.span, [&](auto span) { collect_avx512<span>(advance, part, cells, pixels); });
    return true;
}

#else

bool spread_wide(const Advance &, const float *, const float *, float *) { return false; }
bool collect_wide(const Advance &, const float *, const float *, float *) { return false; }

#endif

} // namespace pyrad::footprint
