// Weighted sampling of backproject_helix for AVX2 and AVX-512: rows are permuted out of registers
// as in backproject_cone_x86.cpp. A window begins on the detector, so that clamped rows stay in it.
#include "ct/backproject_helix.hpp"

#include "base/x86.hpp"

namespace pyrad {
namespace {

#if defined(PYRAD_X86)

// First row of a group's window, or -1 where all of its weights are zero.
inline int window(float row, float reach, float last, const PiWeight<float> &weight) {
    if (row > weight.middle + weight.edge || row + reach < weight.middle - weight.edge)
        return -1;
    return static_cast<int>(clamp(row, 0.0f, last));
}

PYRAD_AVX512 void add_partner_512(const PartnerLine<float> &line, const PiWeight<float> &weight,
                                  float *sum, float *weights) {
    constexpr int down = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
    const __m512 lane = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 steps = _mm512_mul_ps(lane, _mm512_set1_ps(line.rise));
    const __m512 low = _mm512_set1_ps(line.low), high = _mm512_set1_ps(line.high);
    const __m512 zero = _mm512_setzero_ps(), one = _mm512_set1_ps(1.0f);
    const __m512 bits = _mm512_set1_ps(12582912.0f); // 1.5 * 2^23
    const float last = static_cast<float>(line.rows - 1);
    for (int g = 0; g < 4; ++g) {
        const float first = line.first + line.rise * (16.0f * g);
        const int start = window(first, 15 * line.rise, last, weight);
        if (start < 0)
            continue;
        const __m512 row = _mm512_add_ps(steps, _mm512_set1_ps(first));
        const __m512 away = _mm512_abs_ps(_mm512_sub_ps(row, _mm512_set1_ps(weight.middle)));
        __m512 s = _mm512_mul_ps(_mm512_sub_ps(_mm512_set1_ps(weight.edge), away),
                                 _mm512_set1_ps(weight.per_row));
        s = _mm512_min_ps(_mm512_max_ps(s, zero), one);
        const __m512 w = _mm512_mul_ps(
            _mm512_mul_ps(s, s), _mm512_fnmadd_ps(s, _mm512_set1_ps(2.0f), _mm512_set1_ps(3.0f)));
        const __m512 inside = _mm512_min_ps(_mm512_max_ps(row, zero), _mm512_set1_ps(last));
        const __m512 at = _mm512_sub_ps(inside, _mm512_set1_ps(static_cast<float>(start)));
        const __m512 floored = _mm512_add_round_ps(at, bits, down);
        const __m512 part = _mm512_sub_ps(at, _mm512_sub_ps(floored, bits));
        const __m512i index = _mm512_castps_si512(floored);
        const __m512i next = _mm512_castps_si512(_mm512_add_ps(floored, one));
        const float *p = line.column + start, *q = p + line.stride;
        const __m512 a =
            _mm512_fmadd_ps(high, _mm512_loadu_ps(q), _mm512_mul_ps(low, _mm512_loadu_ps(p)));
        const __m512 b = _mm512_fmadd_ps(high, _mm512_loadu_ps(q + 16),
                                         _mm512_mul_ps(low, _mm512_loadu_ps(p + 16)));
        const __m512 above = _mm512_permutex2var_ps(a, index, b);
        const __m512 below = _mm512_permutex2var_ps(a, next, b);
        const __m512 sample = _mm512_fmadd_ps(part, _mm512_sub_ps(below, above), above);
        _mm512_storeu_ps(sum + 16 * g, _mm512_fmadd_ps(w, sample, _mm512_loadu_ps(sum + 16 * g)));
        _mm512_storeu_ps(weights + 16 * g, _mm512_add_ps(w, _mm512_loadu_ps(weights + 16 * g)));
    }
}

// Row `index` of the 16 in a and b: bit 3, moved to the sign, picks the upper half.
PYRAD_AVX2 __attribute__((always_inline)) inline __m256 pick(__m256 a, __m256 b, __m256i index) {
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(a, index), _mm256_permutevar8x32_ps(b, index),
                            _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
}

PYRAD_AVX2 void add_partner_256(const PartnerLine<float> &line, const PiWeight<float> &weight,
                                float *sum, float *weights) {
    const __m256 lane = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 steps = _mm256_mul_ps(lane, _mm256_set1_ps(line.rise));
    const __m256 low = _mm256_set1_ps(line.low), high = _mm256_set1_ps(line.high);
    const __m256 zero = _mm256_setzero_ps(), sign = _mm256_set1_ps(-0.0f);
    const float last = static_cast<float>(line.rows - 1);
    for (int g = 0; g < 8; ++g) {
        const float first = line.first + line.rise * (8.0f * g);
        const int start = window(first, 7 * line.rise, last, weight);
        if (start < 0)
            continue;
        const __m256 row = _mm256_add_ps(steps, _mm256_set1_ps(first));
        const __m256 away =
            _mm256_andnot_ps(sign, _mm256_sub_ps(row, _mm256_set1_ps(weight.middle)));
        __m256 s = _mm256_mul_ps(_mm256_sub_ps(_mm256_set1_ps(weight.edge), away),
                                 _mm256_set1_ps(weight.per_row));
        s = _mm256_min_ps(_mm256_max_ps(s, zero), _mm256_set1_ps(1.0f));
        const __m256 w = _mm256_mul_ps(
            _mm256_mul_ps(s, s), _mm256_fnmadd_ps(s, _mm256_set1_ps(2.0f), _mm256_set1_ps(3.0f)));
        const __m256 inside = _mm256_min_ps(_mm256_max_ps(row, zero), _mm256_set1_ps(last));
        const __m256 at = _mm256_sub_ps(inside, _mm256_set1_ps(static_cast<float>(start)));
        const __m256i index = _mm256_cvttps_epi32(at);
        const __m256i next = _mm256_add_epi32(index, _mm256_set1_epi32(1));
        const __m256 part = _mm256_sub_ps(at, _mm256_cvtepi32_ps(index));
        const float *p = line.column + start, *q = p + line.stride;
        const __m256 a =
            _mm256_fmadd_ps(high, _mm256_loadu_ps(q), _mm256_mul_ps(low, _mm256_loadu_ps(p)));
        const __m256 b = _mm256_fmadd_ps(high, _mm256_loadu_ps(q + 8),
                                         _mm256_mul_ps(low, _mm256_loadu_ps(p + 8)));
        const __m256 above = pick(a, b, index), below = pick(a, b, next);
        const __m256 sample = _mm256_fmadd_ps(part, _mm256_sub_ps(below, above), above);
        _mm256_storeu_ps(sum + 8 * g, _mm256_fmadd_ps(w, sample, _mm256_loadu_ps(sum + 8 * g)));
        _mm256_storeu_ps(weights + 8 * g, _mm256_add_ps(w, _mm256_loadu_ps(weights + 8 * g)));
    }
}

#endif

} // namespace

PartnerKernel<float> permuting_partner_kernel() {
#if defined(PYRAD_X86)
    const int width = vector_width();
    if (width >= 16)
        return &add_partner_512;
    if (width >= 8)
        return &add_partner_256;
#endif
    return nullptr;
}

} // namespace pyrad
