// Sampling of backproject_free for AVX2 and AVX-512: the four neighbours of 8 or 16 slices are
// gathered, since nothing is known of how the detector stands.
#include "ct/backproject_free.hpp"

#include "base/x86.hpp"
#include "ct/backproject_cone.hpp"

namespace pyrad {
namespace {

#if defined(PYRAD_X86)

constexpr float nearest_depth = 1e-3f; // of free_sample

PYRAD_AVX512 void add_line_512(const float *value, const float *start, const float *step,
                               int stride, int columns, int rows, float *out) {
    const __m512 lane = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 one = _mm512_set1_ps(1.0f), before = _mm512_set1_ps(-1.0f);
    const __m512 last = _mm512_set1_ps(static_cast<float>(columns));
    const __m512 bottom = _mm512_set1_ps(static_cast<float>(rows));
    const __m512i single = _mm512_set1_epi32(1);
    for (int g = 0; g < static_cast<int>(tile_z); g += 16) {
        const __m512 k = _mm512_add_ps(lane, _mm512_set1_ps(static_cast<float>(g)));
        __m512 at[3];
        for (int c = 0; c < 3; ++c)
            at[c] = _mm512_fmadd_ps(_mm512_set1_ps(step[c]), k, _mm512_set1_ps(start[c]));
        const __mmask16 ahead =
            _mm512_cmp_ps_mask(at[2], _mm512_set1_ps(nearest_depth), _CMP_GT_OQ);
        const __m512 inverse = _mm512_maskz_div_ps(ahead, one, at[2]);
        __m512 u = _mm512_mul_ps(at[0], inverse), v = _mm512_mul_ps(at[1], inverse);
        u = _mm512_min_ps(_mm512_max_ps(u, before), last);
        v = _mm512_min_ps(_mm512_max_ps(v, before), bottom);
        const __m512i column =
            _mm512_sub_epi32(_mm512_min_epi32(_mm512_cvttps_epi32(_mm512_add_ps(u, one)),
                                              _mm512_set1_epi32(columns)),
                             single);
        const __m512i row = _mm512_sub_epi32(_mm512_cvttps_epi32(_mm512_add_ps(v, one)), single);
        const __m512 right = _mm512_sub_ps(u, _mm512_cvtepi32_ps(column));
        const __m512 down = _mm512_sub_ps(v, _mm512_cvtepi32_ps(row));
        const __m512i index =
            _mm512_add_epi32(_mm512_mullo_epi32(column, _mm512_set1_epi32(stride)), row);
        const __m512 a = _mm512_i32gather_ps(index, value, 4);
        const __m512 b = _mm512_i32gather_ps(index, value + 1, 4);
        const __m512 c = _mm512_i32gather_ps(index, value + stride, 4);
        const __m512 d = _mm512_i32gather_ps(index, value + stride + 1, 4);
        const __m512 top = _mm512_fmadd_ps(right, _mm512_sub_ps(c, a), a);
        const __m512 low = _mm512_fmadd_ps(right, _mm512_sub_ps(d, b), b);
        const __m512 sample = _mm512_fmadd_ps(down, _mm512_sub_ps(low, top), top);
        const __m512 weight = _mm512_mul_ps(inverse, inverse);
        _mm512_storeu_ps(out + g, _mm512_fmadd_ps(weight, sample, _mm512_loadu_ps(out + g)));
    }
}

PYRAD_AVX2 void add_line_256(const float *value, const float *start, const float *step, int stride,
                             int columns, int rows, float *out) {
    const __m256 lane = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 one = _mm256_set1_ps(1.0f), before = _mm256_set1_ps(-1.0f);
    const __m256 last = _mm256_set1_ps(static_cast<float>(columns));
    const __m256 bottom = _mm256_set1_ps(static_cast<float>(rows));
    const __m256i single = _mm256_set1_epi32(1);
    for (int g = 0; g < static_cast<int>(tile_z); g += 8) {
        const __m256 k = _mm256_add_ps(lane, _mm256_set1_ps(static_cast<float>(g)));
        __m256 at[3];
        for (int c = 0; c < 3; ++c)
            at[c] = _mm256_fmadd_ps(_mm256_set1_ps(step[c]), k, _mm256_set1_ps(start[c]));
        const __m256 ahead = _mm256_cmp_ps(at[2], _mm256_set1_ps(nearest_depth), _CMP_GT_OQ);
        const __m256 depth = _mm256_blendv_ps(one, at[2], ahead);
        const __m256 inverse = _mm256_and_ps(_mm256_div_ps(one, depth), ahead);
        __m256 u = _mm256_mul_ps(at[0], inverse), v = _mm256_mul_ps(at[1], inverse);
        u = _mm256_min_ps(_mm256_max_ps(u, before), last);
        v = _mm256_min_ps(_mm256_max_ps(v, before), bottom);
        const __m256i column =
            _mm256_sub_epi32(_mm256_min_epi32(_mm256_cvttps_epi32(_mm256_add_ps(u, one)),
                                              _mm256_set1_epi32(columns)),
                             single);
        const __m256i row = _mm256_sub_epi32(_mm256_cvttps_epi32(_mm256_add_ps(v, one)), single);
        const __m256 right = _mm256_sub_ps(u, _mm256_cvtepi32_ps(column));
        const __m256 down = _mm256_sub_ps(v, _mm256_cvtepi32_ps(row));
        const __m256i index =
            _mm256_add_epi32(_mm256_mullo_epi32(column, _mm256_set1_epi32(stride)), row);
        const __m256 a = _mm256_i32gather_ps(value, index, 4);
        const __m256 b = _mm256_i32gather_ps(value + 1, index, 4);
        const __m256 c = _mm256_i32gather_ps(value + stride, index, 4);
        const __m256 d = _mm256_i32gather_ps(value + stride + 1, index, 4);
        const __m256 top = _mm256_fmadd_ps(right, _mm256_sub_ps(c, a), a);
        const __m256 low = _mm256_fmadd_ps(right, _mm256_sub_ps(d, b), b);
        const __m256 sample = _mm256_fmadd_ps(down, _mm256_sub_ps(low, top), top);
        const __m256 weight = _mm256_mul_ps(inverse, inverse);
        _mm256_storeu_ps(out + g, _mm256_fmadd_ps(weight, sample, _mm256_loadu_ps(out + g)));
    }
}

#endif

} // namespace

FreeKernel<float> gathering_free_kernel() {
#if defined(PYRAD_X86)
    const int width = vector_width();
    if (width >= 16)
        return &add_line_512;
    if (width >= 8)
        return &add_line_256;
#endif
    return nullptr;
}

} // namespace pyrad
