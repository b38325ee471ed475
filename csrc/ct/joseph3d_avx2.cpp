// The loops of joseph3d_x86.cpp with eight lanes: two registers of eight samples take the place of
// one of sixteen, and a comparison that of a mask.
#include "ct/joseph3d_avx2.hpp"

#include "base/x86.hpp"
#include <algorithm>
#include <cmath>

namespace pyrad::joseph::avx2 {

#if defined(PYRAD_X86)
namespace {

constexpr int most_planes = 16; // of one PlaneRun

PYRAD_INLINE_AVX2 __m256 lanes() { return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7); }

// samples[index] of eight lanes whose indices are below 8, or with `Two` below 16.
template <bool Two> PYRAD_INLINE_AVX2 __m256 pick(const float *samples, __m256i index) {
    const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(samples), index);
    if constexpr (!Two)
        return low;
    const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(samples + 8), index);
    const __m256i beyond = _mm256_cmpgt_epi32(index, _mm256_set1_epi32(7));
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(beyond));
}

template <bool Two>
PYRAD_INLINE_AVX2 __m256 add_line(__m256 sum, const float *line, int window, __m256 row,
                                  __m256 base, __m256 step) {
    const __m256 at = _mm256_add_ps(base, _mm256_mul_ps(row, step));
    const __m256 in = _mm256_sub_ps(at, _mm256_set1_ps(static_cast<float>(window)));
    const __m256i index = _mm256_cvttps_epi32(in);
    const __m256 part = _mm256_sub_ps(in, _mm256_cvtepi32_ps(index));
    const __m256 low = pick<Two>(line + window, index);
    const __m256 high = pick<Two>(line + window + 1, index);
    return _mm256_fmadd_ps(part, _mm256_sub_ps(high, low), _mm256_add_ps(sum, low));
}

template <int Groups, bool Two>
PYRAD_INLINE_AVX2 void sum_groups(const float *lines, i64 stride, i64 length,
                                  const PlaneRun &planes, i64 first, float *sums) {
    const __m256 start = _mm256_add_ps(_mm256_mul_ps(lanes(), _mm256_set1_ps(8.0f)),
                                       _mm256_set1_ps(static_cast<float>(first)));
    const __m256 low = _mm256_set1_ps(-34.0f);
    const __m256 high = _mm256_set1_ps(static_cast<float>(length + 1));
    __m256 sum[Groups], row[Groups];
    for (int g = 0; g < Groups; ++g) {
        sum[g] = _mm256_loadu_ps(sums + 8 * g);
        row[g] = _mm256_add_ps(lanes(), _mm256_set1_ps(static_cast<float>(first + 8 * g)));
    }
    for (i64 k = 0; k < planes.count; ++k) {
        const __m256 base = _mm256_set1_ps(planes.base[k]), step = _mm256_set1_ps(planes.step[k]);
        const __m256 at = _mm256_add_ps(base, _mm256_mul_ps(start, step));
        const __m256 kept = _mm256_min_ps(_mm256_max_ps(at, low), high);
        alignas(32) int window[8];
        _mm256_store_si256(reinterpret_cast<__m256i *>(window),
                           _mm256_cvttps_epi32(_mm256_floor_ps(kept)));
        const float *line = lines + k * stride;
#pragma GCC unroll 4
        for (int g = 0; g < Groups; ++g)
            sum[g] = add_line<Two>(sum[g], line, window[g], row[g], base, step);
    }
    for (int g = 0; g < Groups; ++g)
        _mm256_storeu_ps(sums + 8 * g, sum[g]);
}

template <bool Two>
PYRAD_AVX2 void sum_all(const float *lines, i64 stride, i64 length, const PlaneRun &planes,
                        i64 first, i64 last, float *sums) {
    i64 r = first;
    for (; r + 32 <= last; r += 32)
        sum_groups<4, Two>(lines, stride, length, planes, r, sums + r);
    for (; r < last; r += 16)
        sum_groups<2, Two>(lines, stride, length, planes, r, sums + r);
}

// First row at or behind a position: the one formula by which rows are shared out to intervals.
PYRAD_INLINE_AVX2 __m256i first_row(__m256 position, __m256 inverse, __m256 shift) {
    return _mm256_cvttps_epi32(_mm256_ceil_ps(_mm256_fmadd_ps(position, inverse, shift)));
}
PYRAD_INLINE_AVX2 i64 first_row_at(float position, __m256 inverse, __m256 shift) {
    const __m256i row = first_row(_mm256_set1_ps(position), inverse, shift);
    return _mm_cvtsi128_si32(_mm256_castsi256_si128(row));
}

// The row of a window that every lane takes, 0 where the lane has fewer than j + 1 rows.
PYRAD_INLINE_AVX2 __m256 take(const float *window, __m256i index, __m256i number, int j) {
    const __m256i has = _mm256_cmpgt_epi32(number, _mm256_set1_epi32(j));
    return _mm256_and_ps(_mm256_castsi256_ps(has), pick<true>(window + j, index));
}

PYRAD_INLINE_AVX2 void add_scaled(float *line, float share, __m256 given) {
    if (line)
        _mm256_storeu_ps(line,
                         _mm256_fmadd_ps(_mm256_set1_ps(share), given, _mm256_loadu_ps(line)));
}

template <int Most>
PYRAD_AVX2 void spread_all(const float *rows, i64 count, float base, float step, i64 length,
                           float near, float far, float *line_near, float *line_far) {
    const float inverse_step = 1.0f / step;
    const __m256 inverse = _mm256_set1_ps(inverse_step);
    const __m256 shift = _mm256_set1_ps(-base * inverse_step);
    const __m256 from = _mm256_set1_ps(base), advance = _mm256_set1_ps(step);
    const __m256i left = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0);
    const __m256i right = _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6);
    const float reach = base + static_cast<float>(count - 1) * step + 1; // last position met
    // a row close to a position may count to the interval before it
    const float start = base - 0.01f;
    const i64 begin = start > 1 ? std::min(length, (static_cast<i64>(start) - 1) / 8 * 8) : 0;
    const i64 end = reach < 1 ? 0 : std::min(length, static_cast<i64>(std::min(reach, 1e9f)) + 1);
    if (begin >= end)
        return;
    __m256 carried = _mm256_setzero_ps(); // share of the interval before, in lane 0
    if (begin == 0) {
        float before = 0;
        const i64 low = first_row_at(0, inverse, shift), high = first_row_at(1, inverse, shift);
        for (i64 r = std::max<i64>(0, low); r < std::min(count, high); ++r)
            before += (base + static_cast<float>(r) * step) * rows[r];
        carried = _mm256_set1_ps(before);
    }
    __m256 position = _mm256_add_ps(lanes(), _mm256_set1_ps(static_cast<float>(begin + 1)));
    __m256i row = first_row(position, inverse, shift);
    for (i64 s = begin; s < end; s += 8) {
        const __m256 next_position = _mm256_add_ps(position, _mm256_set1_ps(8.0f));
        const __m256i next_row = first_row(next_position, inverse, shift);
        const __m256i behind =
            _mm256_blend_epi32(_mm256_permutevar8x32_epi32(row, left),
                               _mm256_permutevar8x32_epi32(next_row, left), 0x80);
        const __m256i number = _mm256_sub_epi32(behind, row);
        const i64 first = _mm_cvtsi128_si32(_mm256_castsi256_si128(row));
        const int window = static_cast<int>(std::clamp<i64>(first, -80, count));
        const __m256i index = _mm256_sub_epi32(row, _mm256_set1_epi32(window));
        const __m256 at = _mm256_add_ps(from, _mm256_mul_ps(_mm256_cvtepi32_ps(row), advance));
        __m256 part = _mm256_sub_ps(at, position);
        __m256 sum = take(rows + window, index, number, 0);
        __m256 behind_sum = _mm256_mul_ps(sum, part);
        for (int j = 1; j < Most; ++j) {
            const __m256 value = take(rows + window, index, number, j);
            part = _mm256_add_ps(part, advance);
            sum = _mm256_add_ps(sum, value);
            behind_sum = _mm256_fmadd_ps(value, part, behind_sum);
        }
        const __m256 turned = _mm256_permutevar8x32_ps(behind_sum, right);
        const __m256 given =
            _mm256_add_ps(_mm256_sub_ps(sum, behind_sum), _mm256_blend_ps(turned, carried, 1));
        carried = turned;
        position = next_position;
        row = next_row;
        add_scaled(line_near ? line_near + s : nullptr, near, given);
        add_scaled(line_far ? line_far + s : nullptr, far, given);
    }
}

} // namespace

bool sum_rows(const float *lines, i64 stride, i64 length, const PlaneRun &planes, i64 first,
              i64 last, float *sums) {
    if (planes.count > most_planes)
        return false;
    float widest = 0;
    for (i64 k = 0; k < planes.count; ++k)
        widest = std::max(widest, planes.step[k]);
    if (widest * 7 < 6.9f)
        sum_all<false>(lines, stride, length, planes, first, last, sums);
    else if (widest * 7 < 14.9f)
        sum_all<true>(lines, stride, length, planes, first, last, sums);
    else
        return false;
    return true;
}

bool spread_rows(const float *rows, i64 count, float base, float step, i64 length, float near,
                 float far, float *line_near, float *line_far) {
    if (!(step > 0.503f) || !(std::abs(base) < 1e6f))
        return false;
    if (step > 1.001f)
        spread_all<1>(rows, count, base, step, length, near, far, line_near, line_far);
    else
        spread_all<2>(rows, count, base, step, length, near, far, line_near, line_far);
    return true;
}

#else

bool sum_rows(const float *, i64, i64, const PlaneRun &, i64, i64, float *) { return false; }
bool spread_rows(const float *, i64, float, float, i64, float, float, float *, float *) {
    return false;
}

#endif

} // namespace pyrad::joseph::avx2
