// Tile kernels of backproject_cone for AVX2 and AVX-512. The 8 or 16 slices of a register look at
// a window of less than 16 or 32 rows of the two detector columns: the windows are loaded once,
// blended, and the rows permuted into place. Where voxels are two rows high and more, rows are
// gathered.
#include "ct/backproject_cone.hpp"

#include "base/x86.hpp"

namespace pyrad {
namespace {

#if defined(PYRAD_X86)

// An advance below this needs one register per window: part + 15 rise < 15, part + 7 rise < 7.
constexpr float one_register_16 = 0.93f, one_register_8 = 0.85f;
// And one below this needs two: part + 15 rise < 31, part + 7 rise < 15.
constexpr float two_registers = 1.99f;

// Adding 1.5 * 2^23 rounding downwards leaves floor(at) in the low bits, where the permutation
// looks for its index.
constexpr float integer_bits = 12582912.0f;

template <bool Narrow>
PYRAD_AVX512 __attribute__((always_inline)) inline void
add_line_512(const ConeLine<float, 16> &line, int i, const float *column, i64 stride, int groups,
             float *out) {
    constexpr int down = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
    const __m512 lane = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 steps = _mm512_mul_ps(lane, _mm512_set1_ps(line.rise[i]));
    const __m512 low = _mm512_set1_ps(line.low[i]), high = _mm512_set1_ps(line.high[i]);
    const __m512 bits = _mm512_set1_ps(integer_bits), one = _mm512_set1_ps(1.0f);
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) {
        const __m512 at = _mm512_add_ps(steps, _mm512_set1_ps(line.part[g][i]));
        const __m512 floored = _mm512_add_round_ps(at, bits, down);
        const __m512 part = _mm512_sub_ps(at, _mm512_sub_ps(floored, bits));
        const __m512i index = _mm512_castps_si512(floored);
        const __m512i next = _mm512_castps_si512(_mm512_add_ps(floored, one));
        const float *p = column + line.start[g][i], *q = p + stride;
        const __m512 a =
            _mm512_fmadd_ps(high, _mm512_loadu_ps(q), _mm512_mul_ps(low, _mm512_loadu_ps(p)));
        __m512 first, second;
        if (Narrow) {
            first = _mm512_permutexvar_ps(index, a);
            second = _mm512_permutexvar_ps(next, a);
        } else {
            const __m512 b = _mm512_fmadd_ps(high, _mm512_loadu_ps(q + 16),
                                             _mm512_mul_ps(low, _mm512_loadu_ps(p + 16)));
            first = _mm512_permutex2var_ps(a, index, b);
            second = _mm512_permutex2var_ps(a, next, b);
        }
        const __m512 sum = _mm512_add_ps(_mm512_load_ps(out + 16 * g), first);
        _mm512_store_ps(out + 16 * g, _mm512_fmadd_ps(part, _mm512_sub_ps(second, first), sum));
    }
}

PYRAD_AVX512 void gather_line_512(const ConeLine<float, 16> &line, int i, const float *column,
                                  i64 stride, float rows, int groups, float *out) {
    const __m512 lane = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 low = _mm512_set1_ps(line.low[i]), high = _mm512_set1_ps(line.high[i]);
    const __m512 rise = _mm512_set1_ps(line.rise[i]), first = _mm512_set1_ps(line.first[i]);
    for (int g = 0; g < groups; ++g) {
        const __m512 slice = _mm512_add_ps(lane, _mm512_set1_ps(16.0f * g));
        __m512 at = _mm512_add_ps(first, _mm512_mul_ps(rise, slice));
        at = _mm512_min_ps(_mm512_max_ps(at, _mm512_set1_ps(-1.0f)), _mm512_set1_ps(rows));
        const __m512 floored = _mm512_roundscale_ps(at, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
        const __m512 part = _mm512_sub_ps(at, floored);
        const __m512i index = _mm512_cvttps_epi32(floored);
        const float *q = column + stride;
        const __m512 a = _mm512_fmadd_ps(high, _mm512_i32gather_ps(index, q, 4),
                                         _mm512_mul_ps(low, _mm512_i32gather_ps(index, column, 4)));
        const __m512 b =
            _mm512_fmadd_ps(high, _mm512_i32gather_ps(index, q + 1, 4),
                            _mm512_mul_ps(low, _mm512_i32gather_ps(index, column + 1, 4)));
        const __m512 sum = _mm512_add_ps(_mm512_load_ps(out + 16 * g), a);
        _mm512_store_ps(out + 16 * g, _mm512_fmadd_ps(part, _mm512_sub_ps(b, a), sum));
    }
}

template <int Rays>
PYRAD_AVX512 void add_views_512(const ConeTable<float> &table, i64 begin, i64 end, i64 x, i64 y,
                                i64 z, float *tile) {
    ConeLine<float, 16> line;
    const int groups = static_cast<int>(min_of<i64>(tile_z, table.slices - z) + 15) / 16;
    const float rows = static_cast<float>(table.rows);
    for (i64 v = begin; v < end; ++v)
        for (i64 row = 0; row < tile_y; ++row) {
            place<float, Rays, 16>(table, v, x, y + row, z, line);
            const float *view = table.value + v * table.view_stride;
            float *out = tile + row * tile_x * tile_z;
            for (int i = 0; i < tile_x; ++i, out += tile_z) {
                if (line.column[i] < -1)
                    continue;
                const float *column = view + line.column[i] * table.column_stride;
                if (line.rise[i] < one_register_16)
                    add_line_512<true>(line, i, column, table.column_stride, groups, out);
                else if (line.rise[i] < two_registers)
                    add_line_512<false>(line, i, column, table.column_stride, groups, out);
                else
                    gather_line_512(line, i, column, table.column_stride, rows, groups, out);
            }
        }
}

template <bool Narrow>
PYRAD_AVX2 __attribute__((always_inline)) inline void
add_line_256(const ConeLine<float, 8> &line, int i, const float *column, i64 stride, int groups,
             float *out) {
    const __m256 lane = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 steps = _mm256_mul_ps(lane, _mm256_set1_ps(line.rise[i]));
    const __m256 low = _mm256_set1_ps(line.low[i]), high = _mm256_set1_ps(line.high[i]);
    const __m256i one = _mm256_set1_epi32(1);
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) {
        const __m256 at = _mm256_add_ps(steps, _mm256_set1_ps(line.part[g][i]));
        const __m256i index = _mm256_cvttps_epi32(at), next = _mm256_add_epi32(index, one);
        const __m256 part = _mm256_sub_ps(at, _mm256_cvtepi32_ps(index));
        const float *p = column + line.start[g][i], *q = p + stride;
        const __m256 a =
            _mm256_fmadd_ps(high, _mm256_loadu_ps(q), _mm256_mul_ps(low, _mm256_loadu_ps(p)));
        __m256 first = _mm256_permutevar8x32_ps(a, index);
        __m256 second = _mm256_permutevar8x32_ps(a, next);
        if (!Narrow) { // bit 3 of the index, moved to the sign, picks the upper half
            const __m256 b = _mm256_fmadd_ps(high, _mm256_loadu_ps(q + 8),
                                             _mm256_mul_ps(low, _mm256_loadu_ps(p + 8)));
            first = _mm256_blendv_ps(first, _mm256_permutevar8x32_ps(b, index),
                                     _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
            second = _mm256_blendv_ps(second, _mm256_permutevar8x32_ps(b, next),
                                      _mm256_castsi256_ps(_mm256_slli_epi32(next, 28)));
        }
        const __m256 sum = _mm256_add_ps(_mm256_load_ps(out + 8 * g), first);
        _mm256_store_ps(out + 8 * g, _mm256_fmadd_ps(part, _mm256_sub_ps(second, first), sum));
    }
}

PYRAD_AVX2 void gather_line_256(const ConeLine<float, 8> &line, int i, const float *column,
                                i64 stride, float rows, int groups, float *out) {
    const __m256 lane = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 low = _mm256_set1_ps(line.low[i]), high = _mm256_set1_ps(line.high[i]);
    const __m256 rise = _mm256_set1_ps(line.rise[i]), first = _mm256_set1_ps(line.first[i]);
    for (int g = 0; g < groups; ++g) {
        const __m256 slice = _mm256_add_ps(lane, _mm256_set1_ps(8.0f * g));
        __m256 at = _mm256_add_ps(first, _mm256_mul_ps(rise, slice));
        at = _mm256_min_ps(_mm256_max_ps(at, _mm256_set1_ps(-1.0f)), _mm256_set1_ps(rows));
        const __m256 floored = _mm256_floor_ps(at), part = _mm256_sub_ps(at, floored);
        const __m256i index = _mm256_cvttps_epi32(floored);
        const float *q = column + stride;
        const __m256 a = _mm256_fmadd_ps(high, _mm256_i32gather_ps(q, index, 4),
                                         _mm256_mul_ps(low, _mm256_i32gather_ps(column, index, 4)));
        const __m256 b =
            _mm256_fmadd_ps(high, _mm256_i32gather_ps(q + 1, index, 4),
                            _mm256_mul_ps(low, _mm256_i32gather_ps(column + 1, index, 4)));
        const __m256 sum = _mm256_add_ps(_mm256_load_ps(out + 8 * g), a);
        _mm256_store_ps(out + 8 * g, _mm256_fmadd_ps(part, _mm256_sub_ps(b, a), sum));
    }
}

template <int Rays>
PYRAD_AVX2 void add_views_256(const ConeTable<float> &table, i64 begin, i64 end, i64 x, i64 y,
                              i64 z, float *tile) {
    ConeLine<float, 8> line;
    const int groups = static_cast<int>(min_of<i64>(tile_z, table.slices - z) + 7) / 8;
    const float rows = static_cast<float>(table.rows);
    for (i64 v = begin; v < end; ++v)
        for (i64 row = 0; row < tile_y; ++row) {
            place<float, Rays, 8>(table, v, x, y + row, z, line);
            const float *view = table.value + v * table.view_stride;
            float *out = tile + row * tile_x * tile_z;
            for (int i = 0; i < tile_x; ++i, out += tile_z) {
                if (line.column[i] < -1)
                    continue;
                const float *column = view + line.column[i] * table.column_stride;
                if (line.rise[i] < one_register_8)
                    add_line_256<true>(line, i, column, table.column_stride, groups, out);
                else if (line.rise[i] < two_registers)
                    add_line_256<false>(line, i, column, table.column_stride, groups, out);
                else
                    gather_line_256(line, i, column, table.column_stride, rows, groups, out);
            }
        }
}

ConeKernel<float> kernel_512(int rays) {
    constexpr ConeKernel<float> kernels[] = {&add_views_512<flat>, &add_views_512<curved>,
                                             &add_views_512<rebinned_flat>,
                                             &add_views_512<rebinned_curved>};
    return kernels[rays];
}

ConeKernel<float> kernel_256(int rays) {
    constexpr ConeKernel<float> kernels[] = {&add_views_256<flat>, &add_views_256<curved>,
                                             &add_views_256<rebinned_flat>,
                                             &add_views_256<rebinned_curved>};
    return kernels[rays];
}

#endif

} // namespace

ConeKernel<float> permuting_cone_kernel([[maybe_unused]] int rays) {
#if defined(PYRAD_X86)
    const int width = vector_width();
    if (width >= 16)
        return kernel_512(rays);
    if (width >= 8)
        return kernel_256(rays);
#endif
    return nullptr;
}

} // namespace pyrad
