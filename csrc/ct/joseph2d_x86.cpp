// AVX-512 forms of the inner loops of joseph2d.cpp. Where neighbouring rays are less than two
// samples apart, the samples that 16 of them need lie in 32 consecutive ones: they are loaded once
// and permuted into place. The adjoint turns the scatter of a ray into a gather of a pixel: the
// rays closer than one sample to it are consecutive, two or three of them, and their weights
// 1 - |distance| are those of the projection.
#include "ct/joseph2d_tiles.hpp"

#include "ct/backproject_parallel.hpp"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PYRAD_EMULATE)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // GCC 12's own undefined() operands
#include <immintrin.h>
#define PYRAD_X86 1
#define PYRAD_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw")))
#endif

namespace pyrad::joseph {

#if defined(PYRAD_X86)
namespace {

constexpr i64 block = 32;      // lines, or views, whose windows are placed at a time
constexpr double slack = 1e-3; // of a sample: covers the rounding of float positions
constexpr int most_candidates = 4;

bool wide_registers() {
    return backproject_isa_limit() >= 3 && __builtin_cpu_supports("x86-64-v4");
}

// First sample of the window that the 16 rays need at each of `count` lines.
PYRAD_AVX512 void place_windows(i64 first, i64 count, i64 length, const float *start,
                                const float *slope, int *window) {
    const float low = -34.0f, high = static_cast<float>(length + 1);
    for (i64 i = 0; i < count; ++i) {
        const float k = static_cast<float>(first + i);
        const float one = start[0] + k * slope[0], other = start[15] + k * slope[15];
        const float at = std::floor(std::min(one, other) - static_cast<float>(slack));
        window[i] = static_cast<int>(std::min(std::max(at, low), high));
    }
}

PYRAD_AVX512 void sum_lines_avx512(const float *lines, i64 stride, i64 begin, i64 end, i64 length,
                                   const float *start, const float *slope, float *sums) {
    constexpr int registers = static_cast<int>(ray_tile) / 16;
    int window[registers][block];
    __m512 from[registers], step[registers], sum[registers];
    for (int g = 0; g < registers; ++g) {
        from[g] = _mm512_loadu_ps(start + 16 * g);
        step[g] = _mm512_loadu_ps(slope + 16 * g);
        sum[g] = _mm512_setzero_ps();
    }
    for (i64 first = begin; first < end; first += block) {
        const i64 count = std::min(block, end - first);
        for (int g = 0; g < registers; ++g)
            place_windows(first, count, length, start + 16 * g, slope + 16 * g, window[g]);
        for (i64 i = 0; i < count; ++i) {
            const float *line = lines + (first + i) * stride;
            const __m512 k = _mm512_set1_ps(static_cast<float>(first + i));
#pragma GCC unroll 2
            for (int g = 0; g < registers; ++g) {
                const int w = window[g][i];
                const __m512 at = _mm512_add_ps(from[g], _mm512_mul_ps(k, step[g]));
                const __m512 in = _mm512_sub_ps(at, _mm512_set1_ps(static_cast<float>(w)));
                const __m512i index = _mm512_cvttps_epi32(in);
                const __m512 part = _mm512_sub_ps(in, _mm512_cvtepi32_ps(index));
                const float *p = line + w;
                const __m512 low =
                    _mm512_permutex2var_ps(_mm512_loadu_ps(p), index, _mm512_loadu_ps(p + 16));
                const __m512 high =
                    _mm512_permutex2var_ps(_mm512_loadu_ps(p + 1), index, _mm512_loadu_ps(p + 17));
                const __m512 rise = _mm512_mul_ps(part, _mm512_sub_ps(high, low));
                sum[g] = _mm512_add_ps(sum[g], _mm512_add_ps(low, rise));
            }
        }
    }
    for (int g = 0; g < registers; ++g)
        _mm512_storeu_ps(sums + 16 * g, sum[g]);
}

// Rays that can touch a pixel: those within 1 / |advance| columns of its own column.
int candidates(double inverse) {
    return static_cast<int>(std::floor(2 * (std::abs(inverse) + slack))) + 1;
}

// For every register of a tile's line: first column of the window, and where the first lane's
// first candidate lies within it.
struct Columns {
    static constexpr int registers = static_cast<int>(pixel_tile) / 16;
    int window[registers][block];
    float offset[registers][block];
};

PYRAD_AVX512 void place_columns(const ParallelViews &views, i64 v0, i64 count, i64 line, i64 pixel,
                                Columns &columns) {
    const double high = static_cast<double>(views.columns);
    for (int g = 0; g < Columns::registers; ++g)
        for (i64 i = 0; i < count; ++i) {
            const i64 v = v0 + i;
            const double inverse = views.inverse[v];
            const double position = views.first[v] + static_cast<double>(views.slope[v]) * line;
            const double nearest = (pixel + 16 * g + 1 - position) * inverse;
            const double first = nearest - std::abs(inverse) - slack;
            const double window = std::floor(first + std::min(0.0, 15 * inverse));
            columns.offset[g][i] = static_cast<float>(first - window);
            columns.window[g][i] = static_cast<int>(std::min(std::max(window, -36.0), high));
        }
}

template <int Candidates>
PYRAD_AVX512 __attribute__((always_inline)) inline __m512
add_rays(__m512 sum, const float *start, const float *given, __m512i index, __m512 travel,
         __m512 pixel) {
    const __m512 one = _mm512_set1_ps(1.0f);
#pragma GCC unroll 4
    for (int j = 0; j < Candidates; ++j) {
        const __m512 from = _mm512_permutex2var_ps(_mm512_loadu_ps(start + j), index,
                                                   _mm512_loadu_ps(start + j + 16));
        const __m512 value = _mm512_permutex2var_ps(_mm512_loadu_ps(given + j), index,
                                                    _mm512_loadu_ps(given + j + 16));
        const __m512 distance = _mm512_abs_ps(_mm512_sub_ps(_mm512_add_ps(from, travel), pixel));
        const __m512 weight = _mm512_max_ps(_mm512_sub_ps(one, distance), _mm512_setzero_ps());
        sum = _mm512_add_ps(sum, _mm512_mul_ps(weight, value));
    }
    return sum;
}

PYRAD_AVX512 void add_views_avx512(const ParallelViews &views, i64 line, i64 pixel, float *tile) {
    constexpr int ceiling = _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC;
    const __m512 lane = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    Columns columns;
    for (i64 v0 = 0; v0 < views.views; v0 += block) {
        const i64 count = std::min(block, views.views - v0);
        for (i64 row = 0; row < line_tile; ++row) {
            place_columns(views, v0, count, line + row, pixel, columns);
            float *out = tile + row * pixel_tile;
            __m512 sum[Columns::registers], at[Columns::registers];
            for (int g = 0; g < Columns::registers; ++g) {
                sum[g] = _mm512_load_ps(out + 16 * g);
                at[g] = _mm512_add_ps(lane, _mm512_set1_ps(static_cast<float>(pixel + 16 * g + 1)));
            }
            for (i64 i = 0; i < count; ++i) {
                const i64 v = v0 + i;
                const __m512 step =
                    _mm512_mul_ps(lane, _mm512_set1_ps(static_cast<float>(views.inverse[v])));
                const __m512 travel =
                    _mm512_set1_ps(static_cast<float>(line + row) * views.slope[v]);
                const float *start = views.start + v * views.stride;
                const float *given = views.given + v * views.stride;
                const int needed = candidates(views.inverse[v]);
#pragma GCC unroll 4
                for (int g = 0; g < Columns::registers; ++g) {
                    const __m512 first = _mm512_add_ps(step, _mm512_set1_ps(columns.offset[g][i]));
                    const __m512i index = _mm512_cvt_roundps_epi32(first, ceiling);
                    const float *s = start + columns.window[g][i];
                    const float *q = given + columns.window[g][i];
                    if (needed <= 2)
                        sum[g] = add_rays<2>(sum[g], s, q, index, travel, at[g]);
                    else
                        sum[g] = add_rays<most_candidates>(sum[g], s, q, index, travel, at[g]);
                }
            }
            for (int g = 0; g < Columns::registers; ++g)
                _mm512_store_ps(out + 16 * g, sum[g]);
        }
    }
}

} // namespace

bool sum_lines_permuting(const float *lines, i64 stride, i64 begin, i64 end, i64 length,
                         const float *start, const float *slope, float *sums) {
    if (!wide_registers())
        return false;
    for (const i64 k : {begin, end - 1}) // the rays spread linearly: the ends are the extremes
        for (i64 l = 0; l < ray_tile; l += 16) {
            const double spread = static_cast<double>(start[l + 15]) - start[l] +
                                  (static_cast<double>(slope[l + 15]) - slope[l]) * k;
            if (std::abs(spread) > 29)
                return false;
        }
    sum_lines_avx512(lines, stride, begin, end, length, start, slope, sums);
    return true;
}

bool can_permute(const ParallelViews &views) {
    if (!wide_registers())
        return false;
    for (i64 v = 0; v < views.views; ++v)
        if (candidates(views.inverse[v]) > most_candidates)
            return false;
    return true;
}

void add_views_permuting(const ParallelViews &views, i64 line, i64 pixel, float *tile) {
    add_views_avx512(views, line, pixel, tile);
}

#else

bool sum_lines_permuting(const float *, i64, i64, i64, i64, const float *, const float *, float *) {
    return false;
}
bool can_permute(const ParallelViews &) { return false; }
void add_views_permuting(const ParallelViews &, i64, i64, float *) {}

#endif

} // namespace pyrad::joseph
