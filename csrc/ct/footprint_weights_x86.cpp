// AVX-512 form of footprint_weights.cpp, sixteen pixels at a time in single precision. Corners are
// placed by their distance from one in the middle of their line, which is exact algebra:
//
//     (A + dA) / (B + dB) - A / B = (dA - A / B dB) / (B + dB)
//
// and the same for the angle between two rays, which has to be small enough for a short series.
#include "ct/footprint_weights.hpp"

#include "base/x86.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad::footprint {

#if defined(PYRAD_X86)
namespace {

constexpr double largest_tangent = 0.12; // t - t^3/3 + t^5/5 - t^7/7 is good to 1e-9 there
constexpr i64 padded = footprint_block + 16, middle = 16; // corners of a line; the one between

bool wide_registers() { return vector_width() >= 16; }

PYRAD_INLINE_AVX512 __m512 lanes() {
    return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
PYRAD_INLINE_AVX512 __m512 all(double x) { return _mm512_set1_ps(static_cast<float>(x)); }
PYRAD_INLINE_AVX512 __m512 reciprocal(__m512 x) {
    const __m512 r = _mm512_rcp14_ps(x);
    return _mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2.0f)));
}
PYRAD_INLINE_AVX512 __m512 limit(__m512 x, __m512 low, __m512 high) {
    return _mm512_min_ps(_mm512_max_ps(x, low), high);
}

PYRAD_AVX512 void place_corners(double tangent, double per_a, double per_b, double scale,
                                bool curved, double from, float *local) {
    const __m512 one = _mm512_set1_ps(1.0f), t = all(tangent), start = all(from);
    const __m512 a = all(per_a), b = all(per_b), columns = all(scale);
    const __m512 turn = all(per_a - tangent * per_b), secant = all(1 + tangent * tangent);
    const __m512 shift = _mm512_fmadd_ps(t, a, b);
    for (i64 i = 0; i < padded; i += 16) {
        const __m512 n = _mm512_add_ps(lanes(), _mm512_set1_ps(static_cast<float>(i - middle)));
        const __m512 across = _mm512_mul_ps(n, turn);
        if (!curved) {
            const __m512 offset = _mm512_mul_ps(across, reciprocal(_mm512_fmadd_ps(n, b, one)));
            _mm512_store_ps(local + i, _mm512_add_ps(start, offset));
            continue;
        }
        const __m512 x = _mm512_mul_ps(across, reciprocal(_mm512_fmadd_ps(n, shift, secant)));
        const __m512 s = _mm512_mul_ps(x, x);
        __m512 series = _mm512_fnmadd_ps(s, all(1.0 / 7), all(1.0 / 5));
        series = _mm512_fnmadd_ps(s, series, all(1.0 / 3));
        series = _mm512_fnmadd_ps(s, series, one);
        _mm512_store_ps(local + i, _mm512_fmadd_ps(columns, _mm512_mul_ps(x, series), start));
    }
}

// Area of a trapezoid to the left of s, as TrapezoidArea.
struct Areas {
    __m512 t0, t1, t2, t3, start, up, down;

    PYRAD_INLINE_AVX512 void set() {
        const __m512 half = _mm512_set1_ps(0.5f), least = _mm512_set1_ps(1e-30f);
        const __m512 rise = _mm512_sub_ps(t1, t0), fall = _mm512_sub_ps(t3, t2);
        start = _mm512_fmsub_ps(half, rise, t1);
        up = _mm512_mul_ps(half, reciprocal(_mm512_max_ps(rise, least)));
        down = _mm512_mul_ps(half, reciprocal(_mm512_max_ps(fall, least)));
    }
    PYRAD_INLINE_AVX512 __m512 operator()(__m512 s) const {
        const __m512 c = limit(s, t1, t2), r = _mm512_sub_ps(limit(s, t0, t3), c);
        const __m512 slope =
            _mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(r)), down, up);
        const __m512 part = _mm512_fnmadd_ps(_mm512_abs_ps(r), slope, _mm512_set1_ps(1.0f));
        return _mm512_fmadd_ps(r, part, _mm512_add_ps(c, start));
    }
};

struct Chords {
    __m512 rx, step, ry, my2, pitch_x2;
    PYRAD_INLINE_AVX512 Chords(const FootprintView &view, const FootprintPlane &plane, i64 x,
                               i64 y) {
        const double h = view.divergent, fy = h * static_cast<double>(y) - view.source_y;
        step = _mm512_mul_ps(lanes(), all(h));
        rx = all(h * static_cast<double>(x) - view.source_x);
        ry = all(std::abs(fy));
        my2 = all(fy * plane.pitch_y * fy * plane.pitch_y);
        pitch_x2 = all(plane.pitch_x * plane.pitch_x);
    }
    PYRAD_INLINE_AVX512 __m512 at(i64 i, double h) const {
        const __m512 x = _mm512_add_ps(_mm512_add_ps(rx, all(h * static_cast<double>(i))), step);
        const __m512 m2 = _mm512_fmadd_ps(_mm512_mul_ps(x, x), pitch_x2, my2);
        return _mm512_mul_ps(_mm512_sqrt_ps(m2), reciprocal(_mm512_max_ps(_mm512_abs_ps(x), ry)));
    }
};

PYRAD_AVX512 void weigh_block(const FootprintView &view, const FootprintPlane &plane, i64 x, i64 y,
                              const FootprintCorners &above, const FootprintCorners &below,
                              FootprintBlock<float> &block) {
    const __m512 zero = _mm512_setzero_ps(), half = _mm512_set1_ps(0.5f);
    const __m512 shift = all(below.origin - above.origin); // whole columns
    const __m512 least = all(-1.0 - above.origin);
    const __m512 most = all(static_cast<double>(plane.columns) - above.origin);
    const __m512 last = _mm512_sub_ps(most, _mm512_set1_ps(1.0f));
    const __m512i origin = _mm512_set1_epi32(static_cast<i32>(above.origin));
    const Chords chords(view, plane, x, y);
    constexpr int halves = static_cast<int>(footprint_block) / 16;
    Areas areas[halves];
    __m512 chord[halves];
    __m512i width = _mm512_setzero_si512();
    for (int g = 0; g < halves; ++g) {
        const float *a = above.local + 16 * g, *b = below.local + 16 * g;
        const __m512 c0 = _mm512_load_ps(a), c1 = _mm512_loadu_ps(a + 1);
        const __m512 c2 = _mm512_add_ps(_mm512_load_ps(b), shift);
        const __m512 c3 = _mm512_add_ps(_mm512_loadu_ps(b + 1), shift);
        const __m512 ab = _mm512_min_ps(c0, c1), ba = _mm512_max_ps(c0, c1);
        const __m512 cd = _mm512_min_ps(c2, c3), dc = _mm512_max_ps(c2, c3);
        const __m512 p = _mm512_max_ps(ab, cd), q = _mm512_min_ps(ba, dc);
        const __m512 t0 = _mm512_min_ps(ab, cd), t3 = _mm512_max_ps(ba, dc);
        constexpr int down = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
        const __m512 begin = _mm512_roundscale_ps(_mm512_add_ps(t0, half), down);
        const __m512 end = _mm512_roundscale_ps(_mm512_add_ps(t3, half), down);
        const __m512 base = limit(begin, least, most), edge = _mm512_sub_ps(base, half);
        const __m512 seen = _mm512_sub_ps(_mm512_min_ps(end, last), base); // cells but one
        const __mmask16 hit =
            _mm512_cmp_ps_mask(seen, zero, _CMP_GE_OQ) & _mm512_cmp_ps_mask(end, least, _CMP_GT_OQ);
        const __m512i count = _mm512_maskz_cvtps_epi32(hit, _mm512_add_ps(seen, _mm512_set1_ps(1)));
        _mm512_store_si512(block.first + 16 * g,
                           _mm512_add_epi32(_mm512_cvtps_epi32(base), origin));
        _mm512_store_si512(block.count + 16 * g, count);
        width = _mm512_max_epi32(width, count);
        areas[g].t0 = _mm512_sub_ps(t0, edge);
        areas[g].t1 = _mm512_sub_ps(_mm512_min_ps(p, q), edge);
        areas[g].t2 = _mm512_sub_ps(_mm512_max_ps(p, q), edge);
        areas[g].t3 = _mm512_sub_ps(t3, edge);
        areas[g].set();
        chord[g] = _mm512_maskz_mov_ps(hit, chords.at(16 * g, view.divergent));
    }
    block.width = _mm512_reduce_max_epi32(width);
    if (static_cast<i64>(block.weight.size()) < block.width * footprint_block)
        block.weight.resize(block.width * footprint_block);
    for (int g = 0; g < halves; ++g) {
        __m512 left = zero;
        for (i64 j = 0; j < block.width; ++j) {
            const __m512 here = areas[g](_mm512_set1_ps(static_cast<float>(j + 1)));
            const __m512 part = _mm512_max_ps(_mm512_sub_ps(here, left), zero);
            _mm512_storeu_ps(block.weight.data() + j * footprint_block + 16 * g,
                             _mm512_mul_ps(chord[g], part));
            left = here;
        }
    }
}

PYRAD_AVX512 void gather_avx512(const FootprintBlock<float> &block, const float *row, i64 count,
                                float *line) {
    for (i64 i = 0; i < count; i += 16) {
        const i32 low = std::min(block.first[i], block.first[i + 15]);
        const __m512i index =
            _mm512_sub_epi32(_mm512_load_si512(block.first + i), _mm512_set1_epi32(low));
        const bool near = _mm512_cmplt_epu32_mask(index, _mm512_set1_epi32(32)) == 0xffff;
        __m512 sum = _mm512_setzero_ps();
        for (i64 j = 0; j < block.width; ++j) {
            const float *p = row + low + j;
            const __m512 values =
                near ? _mm512_permutex2var_ps(_mm512_loadu_ps(p), index, _mm512_loadu_ps(p + 16))
                     : _mm512_i32gather_ps(index, p, 4);
            sum = _mm512_fmadd_ps(_mm512_loadu_ps(block.of(j) + i), values, sum);
        }
        const i64 left = count - i;
        const __mmask16 mask =
            left >= 16 ? __mmask16(0xffff) : static_cast<__mmask16>((1u << left) - 1);
        const __m512 now = _mm512_maskz_loadu_ps(mask, line + i);
        _mm512_mask_storeu_ps(line + i, mask, _mm512_add_ps(now, sum));
    }
}

} // namespace

bool corners_wide(const FootprintView &view, const FootprintPlane &plane, double x, double y,
                  FootprintCorners &corners) {
    if (!wide_registers())
        return false;
    const double at = x + static_cast<double>(middle);
    const double a = view.across[0] * at + view.across[1] * y + view.across[2];
    const double b = view.along[0] * at + view.along[1] * y + view.along[2];
    const double tangent = a / b, per_a = view.across[0] / b, per_b = view.along[0] / b;
    const double far = static_cast<double>(padded - middle);
    if (!(b > 0) || !(1 - far * std::abs(per_b) > 0.1))
        return false; // behind the source, or nearly
    const bool curved = plane.arc > 0;
    if (curved) {
        const double least = 1 + tangent * tangent - far * std::abs(per_b + tangent * per_a);
        if (!(std::abs(far * (per_a - tangent * per_b)) < largest_tangent * least))
            return false;
    }
    const double first = view.centre + (curved ? plane.arc * footprint_angle(a, b) : tangent);
    if (!(std::abs(first) < 1e6))
        return false; // whole columns would not be exact
    corners.origin = std::floor(first);
    place_corners(tangent, per_a, per_b, plane.arc, curved, first - corners.origin, corners.local);
    return true;
}

void weights_wide(const FootprintView &view, const FootprintPlane &plane, i64 x, i64 y,
                  const FootprintCorners &above, const FootprintCorners &below,
                  FootprintBlock<float> &block) {
    weigh_block(view, plane, x, y, above, below, block);
}

bool gather_wide(const FootprintBlock<float> &block, const float *row, i64 count, float *line) {
    if (!wide_registers())
        return false;
    gather_avx512(block, row, count, line);
    return true;
}

#else

bool corners_wide(const FootprintView &, const FootprintPlane &, double, double,
                  FootprintCorners &) {
    return false;
}
void weights_wide(const FootprintView &, const FootprintPlane &, i64, i64, const FootprintCorners &,
                  const FootprintCorners &, FootprintBlock<float> &) {}
bool gather_wide(const FootprintBlock<float> &, const float *, i64, float *) { return false; }

#endif

} // namespace pyrad::footprint
