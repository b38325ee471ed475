// AVX-512 forms of the inner loops of joseph3d_columns.cpp. Sixteen neighbouring rows need samples
// from one or two registers of the line: they are loaded once and permuted into place. The adjoint
// turns the scatter of a row into a gather: the rows that fall between positions p and p + 1 are
// consecutive, sum (1 - f) y of them belongs to p and sum f y to p + 1.
#include "ct/joseph3d_tiles.hpp"

#include "base/x86.hpp"
#include "ct/joseph3d_avx2.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad::joseph {

#if defined(PYRAD_X86)
namespace {

constexpr int most_planes = 16; // of one PlaneRun
constexpr int groups = 8;       // row groups that share the loads of a plane's numbers
constexpr int ceiling = _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC;
constexpr int flooring = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;

bool wide_registers() { return vector_width() >= 16; }

bool eight_lanes() { return vector_width() >= 8; }

PYRAD_INLINE_AVX512 __m512 lanes() {
    return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

// Start of the window of every group at every plane, kept to where the margins are zero.
PYRAD_INLINE_AVX512 void place_windows(const PlaneRun &planes, i64 length, i64 first,
                                       int (*window)[16]) {
    const __m512 row = _mm512_add_ps(_mm512_mul_ps(lanes(), _mm512_set1_ps(16.0f)),
                                     _mm512_set1_ps(static_cast<float>(first)));
    const __m512 low = _mm512_set1_ps(-34.0f);
    const __m512 high = _mm512_set1_ps(static_cast<float>(length + 1));
    for (i64 k = 0; k < planes.count; ++k) {
        const __m512 at = _mm512_add_ps(_mm512_set1_ps(planes.base[k]),
                                        _mm512_mul_ps(row, _mm512_set1_ps(planes.step[k])));
        const __m512 kept = _mm512_min_ps(_mm512_max_ps(at, low), high);
        _mm512_store_si512(window[k], _mm512_cvt_roundps_epi32(kept, flooring));
    }
}

// One group of rows at one plane. `Two`: the window fills two registers.
template <bool Two>
PYRAD_INLINE_AVX512 __m512 add_line(__m512 sum, const float *line, int window, __m512 row,
                                    __m512 base, __m512 step) {
    const __m512 at = _mm512_add_ps(base, _mm512_mul_ps(row, step));
    const __m512 in = _mm512_sub_ps(at, _mm512_set1_ps(static_cast<float>(window)));
    const __m512i index = _mm512_cvttps_epi32(in);
    const __m512 part = _mm512_sub_ps(in, _mm512_cvtepi32_ps(index));
    const float *p = line + window;
    __m512 low, high;
    if constexpr (Two) {
        low = _mm512_permutex2var_ps(_mm512_loadu_ps(p), index, _mm512_loadu_ps(p + 16));
        high = _mm512_permutex2var_ps(_mm512_loadu_ps(p + 1), index, _mm512_loadu_ps(p + 17));
    } else {
        low = _mm512_permutexvar_ps(index, _mm512_loadu_ps(p));
        high = _mm512_permutexvar_ps(index, _mm512_loadu_ps(p + 1));
    }
    return _mm512_fmadd_ps(part, _mm512_sub_ps(high, low), _mm512_add_ps(sum, low));
}

template <int Groups, bool Two>
PYRAD_INLINE_AVX512 void sum_groups(const float *lines, i64 stride, i64 length,
                                    const PlaneRun &planes, i64 first, float *sums) {
    alignas(64) int window[most_planes][16];
    place_windows(planes, length, first, window);
    __m512 sum[Groups], row[Groups];
    for (int g = 0; g < Groups; ++g) {
        sum[g] = _mm512_loadu_ps(sums + 16 * g);
        row[g] = _mm512_add_ps(lanes(), _mm512_set1_ps(static_cast<float>(first + 16 * g)));
    }
    for (i64 k = 0; k < planes.count; ++k) {
        const float *line = lines + k * stride;
        const __m512 base = _mm512_set1_ps(planes.base[k]), step = _mm512_set1_ps(planes.step[k]);
#pragma GCC unroll 8
        for (int g = 0; g < Groups; ++g)
            sum[g] = add_line<Two>(sum[g], line, window[k][g], row[g], base, step);
    }
    for (int g = 0; g < Groups; ++g)
        _mm512_storeu_ps(sums + 16 * g, sum[g]);
}

template <bool Two>
PYRAD_AVX512 void sum_rows_avx512(const float *lines, i64 stride, i64 length,
                                  const PlaneRun &planes, i64 first, i64 last, float *sums) {
    i64 r = first;
    for (; r + 16 * groups <= last; r += 16 * groups)
        sum_groups<groups, Two>(lines, stride, length, planes, r, sums + r);
    for (; r + 32 <= last; r += 32)
        sum_groups<2, Two>(lines, stride, length, planes, r, sums + r);
    for (; r < last; r += 16)
        sum_groups<1, Two>(lines, stride, length, planes, r, sums + r);
}

// rows[at + index] of 16 lanes whose indices span less than 32, or with `Wide` less than 64.
template <bool Wide>
PYRAD_INLINE_AVX512 __m512 pick(__mmask16 mask, __m512i index, const float *rows) {
    const __m512 near = _mm512_maskz_permutex2var_ps(mask, _mm512_loadu_ps(rows), index,
                                                     _mm512_loadu_ps(rows + 16));
    if constexpr (!Wide)
        return near;
    const __mmask16 beyond = mask & _mm512_cmpgt_epi32_mask(index, _mm512_set1_epi32(31));
    const __m512 far =
        _mm512_permutex2var_ps(_mm512_loadu_ps(rows + 32), index, _mm512_loadu_ps(rows + 48));
    return _mm512_mask_mov_ps(near, beyond, far);
}

// First row at or behind a position: the one formula by which rows are shared out to intervals.
PYRAD_INLINE_AVX512 __m512i first_row(__m512 position, __m512 inverse, __m512 shift) {
    return _mm512_cvt_roundps_epi32(_mm512_fmadd_ps(position, inverse, shift), ceiling);
}

PYRAD_INLINE_AVX512 i64 first_row_at(float position, __m512 inverse, __m512 shift) {
    const __m512i row = first_row(_mm512_set1_ps(position), inverse, shift);
    return _mm_cvtsi128_si32(_mm512_castsi512_si128(row));
}

template <int Most>
PYRAD_AVX512 void spread_rows_avx512(const float *rows, i64 count, float base, float step,
                                     i64 length, float near, float far, float *line_near,
                                     float *line_far) {
    const float inverse_step = 1.0f / step;
    const __m512 inverse = _mm512_set1_ps(inverse_step);
    const __m512 shift = _mm512_set1_ps(-base * inverse_step);
    const __m512 from = _mm512_set1_ps(base), advance = _mm512_set1_ps(step);
    const __m512 share_near = _mm512_set1_ps(near), share_far = _mm512_set1_ps(far);
    const float reach = base + static_cast<float>(count - 1) * step + 1; // last position met
    // a row close to a position may count to the interval before it
    const float start = base - 0.01f;
    const i64 begin = start > 1 ? std::min(length, (static_cast<i64>(start) - 1) / 16 * 16) : 0;
    const i64 end = reach < 1 ? 0 : std::min(length, static_cast<i64>(std::min(reach, 1e9f)) + 1);
    const __m512 low = _mm512_set1_ps(-80.0f);
    const __m512 high = _mm512_set1_ps(static_cast<float>(count));
    if (begin >= end)
        return;
    // share of the interval before the first position
    __m512 carried = _mm512_setzero_ps();
    if (begin == 0) {
        float before = 0;
        const i64 from_row = first_row_at(0, inverse, shift), to = first_row_at(1, inverse, shift);
        for (i64 r = std::max<i64>(0, from_row); r < std::min(count, to); ++r)
            before += (base + static_cast<float>(r) * step) * rows[r];
        carried = _mm512_set1_ps(before);
    }
    __m512 position = _mm512_add_ps(lanes(), _mm512_set1_ps(static_cast<float>(begin + 1)));
    __m512i row = first_row(position, inverse, shift);
    for (i64 s = begin; s < end; s += 16) {
        const __m512 next_position = _mm512_add_ps(position, _mm512_set1_ps(16.0f));
        const __m512i next_row = first_row(next_position, inverse, shift);
        const __m512i behind = _mm512_alignr_epi32(next_row, row, 1);
        const __m512i number = _mm512_sub_epi32(behind, row);
        const __m512 row_number = _mm512_cvtepi32_ps(row);
        const __m512 kept = _mm512_min_ps(_mm512_max_ps(row_number, low), high);
        const int window = static_cast<int>(_mm512_cvtss_f32(kept));
        const __m512i index = _mm512_sub_epi32(row, _mm512_set1_epi32(window));
        const __m512 at = _mm512_add_ps(from, _mm512_mul_ps(row_number, advance));
        __m512 part = _mm512_sub_ps(at, position);
        __m512 sum = pick<(Most > 2)>(_mm512_cmpgt_epi32_mask(number, _mm512_setzero_si512()),
                                      index, rows + window);
        __m512 behind_sum = _mm512_mul_ps(sum, part);
#pragma GCC unroll 4
        for (int j = 1; j < Most; ++j) {
            const __m512 value = pick<(Most > 2)>(
                _mm512_cmpgt_epi32_mask(number, _mm512_set1_epi32(j)), index, rows + window + j);
            part = _mm512_add_ps(part, advance);
            sum = _mm512_add_ps(sum, value);
            behind_sum = _mm512_fmadd_ps(value, part, behind_sum);
        }
        const __m512 from_before = _mm512_castsi512_ps(
            _mm512_alignr_epi32(_mm512_castps_si512(behind_sum), _mm512_castps_si512(carried), 15));
        const __m512 given = _mm512_add_ps(_mm512_sub_ps(sum, behind_sum), from_before);
        carried = behind_sum;
        position = next_position;
        row = next_row;
        if (line_near)
            _mm512_storeu_ps(line_near + s,
                             _mm512_fmadd_ps(share_near, given, _mm512_loadu_ps(line_near + s)));
        if (line_far)
            _mm512_storeu_ps(line_far + s,
                             _mm512_fmadd_ps(share_far, given, _mm512_loadu_ps(line_far + s)));
    }
}

// Where all sixteen rays need the same few lines and two registers of each: every line is weighed
// with its distance from the ray.
PYRAD_AVX512 void sum_rays_avx512(const float *data, i64 plane_stride, i64 line_stride, i64 lines,
                                  i64 length, i64 begin, i64 end, const RayLanes &rays,
                                  float *sums) {
    const __m512 a0 = _mm512_loadu_ps(rays.a), a1 = _mm512_loadu_ps(rays.a_slope);
    const __m512 b0 = _mm512_loadu_ps(rays.b), b1 = _mm512_loadu_ps(rays.b_slope);
    const __m512 zero = _mm512_setzero_ps(), one = _mm512_set1_ps(1.0f);
    const float a_end = static_cast<float>(lines + 1), b_end = static_cast<float>(length + 1);
    const __m512 a_high = _mm512_set1_ps(a_end), b_high = _mm512_set1_ps(b_end);
    __m512 sum = _mm512_loadu_ps(sums);
    for (i64 k = begin; k < end; ++k) {
        const float at = static_cast<float>(k);
        const __m512 plane = _mm512_set1_ps(at);
        __m512 a = _mm512_add_ps(a0, _mm512_mul_ps(plane, a1));
        __m512 b = _mm512_add_ps(b0, _mm512_mul_ps(plane, b1));
        a = _mm512_min_ps(_mm512_max_ps(a, zero), a_high);
        b = _mm512_min_ps(_mm512_max_ps(b, zero), b_high);
        const float a_first = rays.a[0] + at * rays.a_slope[0];
        const float a_last = rays.a[15] + at * rays.a_slope[15];
        const float b_first = rays.b[0] + at * rays.b_slope[0];
        const float b_last = rays.b[15] + at * rays.b_slope[15];
        const float low_line = std::min(std::max(std::min(a_first, a_last), 0.0f), a_end);
        const float high_line = std::min(std::max(std::max(a_first, a_last), 0.0f), a_end);
        const float start = std::min(std::max(std::min(b_first, b_last), 0.0f), b_end);
        const int window = static_cast<int>(start), first = static_cast<int>(low_line);
        const int last = static_cast<int>(high_line) + 1;
        const __m512 in = _mm512_sub_ps(b, _mm512_set1_ps(static_cast<float>(window)));
        const __m512i index = _mm512_cvttps_epi32(in);
        const __m512 part = _mm512_sub_ps(in, _mm512_cvtepi32_ps(index));
        const float *p = data + k * plane_stride + first * line_stride + window;
        __m512 off = _mm512_sub_ps(a, _mm512_set1_ps(static_cast<float>(first)));
        for (int line = first; line <= last; ++line, p += line_stride) {
            const __m512 low =
                _mm512_permutex2var_ps(_mm512_loadu_ps(p), index, _mm512_loadu_ps(p + 16));
            const __m512 high =
                _mm512_permutex2var_ps(_mm512_loadu_ps(p + 1), index, _mm512_loadu_ps(p + 17));
            const __m512 value = _mm512_fmadd_ps(part, _mm512_sub_ps(high, low), low);
            const __m512 share = _mm512_max_ps(_mm512_sub_ps(one, _mm512_abs_ps(off)), zero);
            sum = _mm512_fmadd_ps(share, value, sum);
            off = _mm512_sub_ps(off, one);
        }
    }
    _mm512_storeu_ps(sums, sum);
}

} // namespace

bool sum_rows_permuting(const float *lines, i64 stride, i64 length, const PlaneRun &planes,
                        i64 first, i64 last, float *sums) {
    if (!wide_registers())
        return eight_lanes() && avx2::sum_rows(lines, stride, length, planes, first, last, sums);
    if (planes.count > most_planes)
        return false;
    float widest = 0;
    for (i64 k = 0; k < planes.count; ++k)
        widest = std::max(widest, planes.step[k]);
    if (widest * 15 < 14.9f)
        sum_rows_avx512<false>(lines, stride, length, planes, first, last, sums);
    else if (widest * 15 < 30.9f)
        sum_rows_avx512<true>(lines, stride, length, planes, first, last, sums);
    else
        return false;
    return true;
}

bool spread_rows_permuting(const float *rows, i64 count, float base, float step, i64 length,
                           float near, float far, float *line_near, float *line_far) {
    if (!wide_registers())
        return eight_lanes() &&
               avx2::spread_rows(rows, count, base, step, length, near, far, line_near, line_far);
    if (!(step > 0.26f) || !(std::abs(base) < 1e6f))
        return false;
    if (step > 1.001f)
        spread_rows_avx512<1>(rows, count, base, step, length, near, far, line_near, line_far);
    else if (step > 0.503f)
        spread_rows_avx512<2>(rows, count, base, step, length, near, far, line_near, line_far);
    else
        spread_rows_avx512<4>(rows, count, base, step, length, near, far, line_near, line_far);
    return true;
}

bool sum_rays_permuting(const float *data, i64 plane_stride, i64 line_stride, i64 lines, i64 length,
                        i64 begin, i64 end, const RayLanes &rays, i64 count, float *sums) {
    if (!wide_registers())
        return false;
    for (i64 l = 0; l < count; l += 16)
        for (const i64 k : {begin, end - 1}) { // the rays spread linearly: the ends are extreme
            const float at = static_cast<float>(k);
            const float a =
                rays.a[l + 15] - rays.a[l] + at * (rays.a_slope[l + 15] - rays.a_slope[l]);
            const float b =
                rays.b[l + 15] - rays.b[l] + at * (rays.b_slope[l + 15] - rays.b_slope[l]);
            if (!(std::abs(b) < 29.5f) || !(std::abs(a) < 12.0f))
                return false;
        }
    for (i64 l = 0; l < count; l += 16)
        sum_rays_avx512(data, plane_stride, line_stride, lines, length, begin, end,
                        {rays.a + l, rays.a_slope + l, rays.b + l, rays.b_slope + l}, sums + l);
    return true;
}

#else

bool sum_rays_permuting(const float *, i64, i64, i64, i64, i64, i64, const RayLanes &, i64,
                        float *) {
    return false;
}
bool sum_rows_permuting(const float *, i64, i64, const PlaneRun &, i64, i64, float *) {
    return false;
}
bool spread_rows_permuting(const float *, i64, float, float, i64, float, float, float *, float *) {
    return false;
}

#endif

} // namespace pyrad::joseph
