// Tile kernels of backproject_parallel for AVX2 and AVX-512. The 8 or 16 pixels of a register
// touch a window of the detector row that fits one register where |du/dx| <= 0.998, two where
// |du/dx| <= 2: the samples are loaded once and permuted into place instead of gathered.
#include "ct/backproject_parallel.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PYRAD_EMULATE)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // GCC 12's own undefined() operands
#include <immintrin.h>
#define PYRAD_X86 1
#endif

namespace pyrad {
namespace {

std::atomic<int> isa_limit{3};

#if defined(PYRAD_X86)

constexpr i64 block_views = 32;
constexpr double one_register = 0.998, two_registers = 2.0;

// Window start and fraction of the first lane for every register of one tile row.
template <int Width> struct Windows {
    static constexpr int registers = static_cast<int>(tile_columns) / Width;
    int start[registers][block_views];
    float fraction[registers][block_views];
};

// Far outside the detector the window is moved to where the padding is zero.
template <int Width>
__attribute__((always_inline)) inline void place(const SampleTable<float> &table, i64 v0, i64 count,
                                                 i64 x, i64 y, Windows<Width> &windows) {
    const double outside = static_cast<double>(table.columns + 1);
    for (int g = 0; g < Windows<Width>::registers; ++g)
        for (i64 i = 0; i < count; ++i) {
            const double step = table.per_x[v0 + i];
            const double u = table.first[v0 + i] + table.per_y[v0 + i] * y + step * (x + g * Width);
            const double start = std::floor(u + std::min(0.0, step * (Width - 1)));
            windows.fraction[g][i] = static_cast<float>(u - start);
            windows.start[g][i] = static_cast<int>(std::min(std::max(start, -34.0), outside));
        }
}

__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))) void
add_views_avx512(const SampleTable<float> &table, i64 x, i64 y, float *tile) {
    constexpr int truncate = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
    const __m512 lane = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    Windows<16> windows;
    for (i64 v0 = 0; v0 < table.views; v0 += block_views) {
        const i64 count = std::min(block_views, table.views - v0);
        for (i64 row = 0; row < tile_rows; ++row) {
            place<16>(table, v0, count, x, y + row, windows);
            float *out = tile + row * tile_columns;
            __m512 sum[4];
            for (int g = 0; g < 4; ++g)
                sum[g] = _mm512_load_ps(out + 16 * g);
            for (i64 i = 0; i < count; ++i) {
                const double per_x = table.per_x[v0 + i];
                const __m512 step = _mm512_mul_ps(lane, _mm512_set1_ps(static_cast<float>(per_x)));
                const float *value = table.value + (v0 + i) * table.stride;
                const float *slope = table.slope + (v0 + i) * table.stride;
                const bool narrow = std::abs(per_x) <= one_register;
#pragma GCC unroll 4
                for (int g = 0; g < 4; ++g) {
                    const __m512 at = _mm512_add_ps(step, _mm512_set1_ps(windows.fraction[g][i]));
                    const __m512i index = _mm512_cvttps_epi32(at);
                    const __m512 part = _mm512_reduce_ps(at, truncate);
                    const float *p = value + windows.start[g][i], *d = slope + windows.start[g][i];
                    __m512 sample = _mm512_loadu_ps(p), rise = _mm512_loadu_ps(d);
                    if (narrow) {
                        sample = _mm512_permutexvar_ps(index, sample);
                        rise = _mm512_permutexvar_ps(index, rise);
                    } else {
                        sample = _mm512_permutex2var_ps(sample, index, _mm512_loadu_ps(p + 16));
                        rise = _mm512_permutex2var_ps(rise, index, _mm512_loadu_ps(d + 16));
                    }
                    sum[g] = _mm512_fmadd_ps(part, rise, _mm512_add_ps(sum[g], sample));
                }
            }
            for (int g = 0; g < 4; ++g)
                _mm512_store_ps(out + 16 * g, sum[g]);
        }
    }
}

__attribute__((target("avx2,fma"))) void add_views_avx2(const SampleTable<float> &table, i64 x,
                                                        i64 y, float *tile) {
    const __m256 lane = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
    Windows<8> windows;
    for (i64 v0 = 0; v0 < table.views; v0 += block_views) {
        const i64 count = std::min(block_views, table.views - v0);
        for (i64 row = 0; row < tile_rows; ++row) {
            place<8>(table, v0, count, x, y + row, windows);
            float *out = tile + row * tile_columns;
            __m256 sum[8];
            for (int g = 0; g < 8; ++g)
                sum[g] = _mm256_load_ps(out + 8 * g);
            for (i64 i = 0; i < count; ++i) {
                const double per_x = table.per_x[v0 + i];
                const __m256 step = _mm256_mul_ps(lane, _mm256_set1_ps(static_cast<float>(per_x)));
                const float *value = table.value + (v0 + i) * table.stride;
                const float *slope = table.slope + (v0 + i) * table.stride;
                const bool narrow = std::abs(per_x) <= one_register;
#pragma GCC unroll 8
                for (int g = 0; g < 8; ++g) {
                    const __m256 at = _mm256_add_ps(step, _mm256_set1_ps(windows.fraction[g][i]));
                    const __m256i index = _mm256_cvttps_epi32(at);
                    const __m256 part = _mm256_sub_ps(at, _mm256_cvtepi32_ps(index));
                    const float *p = value + windows.start[g][i], *d = slope + windows.start[g][i];
                    __m256 sample = _mm256_permutevar8x32_ps(_mm256_loadu_ps(p), index);
                    __m256 rise = _mm256_permutevar8x32_ps(_mm256_loadu_ps(d), index);
                    if (!narrow) { // bit 3 of the index, moved to the sign, picks the upper half
                        const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));
                        sample = _mm256_blendv_ps(
                            sample, _mm256_permutevar8x32_ps(_mm256_loadu_ps(p + 8), index), upper);
                        rise = _mm256_blendv_ps(
                            rise, _mm256_permutevar8x32_ps(_mm256_loadu_ps(d + 8), index), upper);
                    }
                    sum[g] = _mm256_fmadd_ps(part, rise, _mm256_add_ps(sum[g], sample));
                }
            }
            for (int g = 0; g < 8; ++g)
                _mm256_store_ps(out + 8 * g, sum[g]);
        }
    }
}

#endif

} // namespace

int limit_backproject_isa(int level) { return isa_limit.exchange(level); }
int backproject_isa_limit() { return isa_limit.load(); }

TileKernel permuting_tile_kernel([[maybe_unused]] const SampleTable<float> &table) {
#if defined(PYRAD_X86)
    for (i64 v = 0; v < table.views; ++v)
        if (std::abs(table.per_x[v]) > two_registers)
            return nullptr;
    const int limit = isa_limit.load();
    if (limit >= 3 && __builtin_cpu_supports("x86-64-v4"))
        return &add_views_avx512;
    if (limit >= 2 && __builtin_cpu_supports("x86-64-v3"))
        return &add_views_avx2;
#endif
    return nullptr;
}

} // namespace pyrad
