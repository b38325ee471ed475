// Gridding loops for AVX-512 and AVX2: single precision, 2D and 3D, kernels 4 to 8 cells wide.
#include "mr/gridding_loops.hpp"

#include "base/pack_x86.hpp"
#include "base/with_constant.hpp"

#include <algorithm>

namespace pyrad {
namespace {

#if defined(PYRAD_X86)

constexpr int max_degree = 24;

// The first 8 columns of a plan's coefficients.
inline void copy_table(const float *table, int degree, float *narrow) {
    for (int d = 0; d <= degree; ++d)
        for (int j = 0; j < 8; ++j)
            narrow[d * 8 + j] = table[d * table_columns + j];
}

struct Coils512 : Pack512 {
    static constexpr int kinds(int reals) { return reals == 24 ? 3 : reals / 16; }
    static constexpr __mmask16 first(int count) {
        return static_cast<__mmask16>((1u << count) - 1);
    }
    template <int count> PYRAD_AVX512 PYRAD_ALWAYS F load_first(const float *p) {
        return _mm512_maskz_loadu_ps(first(count), p);
    }
    template <int count> PYRAD_AVX512 PYRAD_ALWAYS void store_first(float *p, F x) {
        _mm512_mask_storeu_ps(p, first(count), x);
    }
    // Weights along x, zero beyond the eighth, by index.
    PYRAD_AVX512 PYRAD_ALWAYS F pick(__m256 weights, const int *index) {
        return _mm512_permutexvar_ps(_mm512_load_si512(index), _mm512_zextps256_ps512(weights));
    }
    // Coil values as they stand in vector number `vector` of a run of cells.
    template <int reals> PYRAD_AVX512 PYRAD_ALWAYS F load_coils(const float *in, int vector) {
        if constexpr (reals == 2)
            return _mm512_castpd_ps(_mm512_broadcastsd_pd(_mm_castps_pd(
                _mm_loadl_pi(_mm_setzero_ps(), reinterpret_cast<const __m64 *>(in)))));
        if constexpr (reals == 4)
            return _mm512_broadcast_f32x4(_mm_loadu_ps(in));
        if constexpr (reals == 8)
            return _mm512_broadcast_f32x8(_mm256_loadu_ps(in));
        if constexpr (reals == 24)
            if (vector % 3 == 1)
                return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(in + 16)),
                                          _mm256_loadu_ps(in), 1);
        return load(in + vector * 16 % reals);
    }
    template <int reals> PYRAD_AVX512 PYRAD_ALWAYS void store_coils(const F *total, float *out) {
        if constexpr (reals == 32)
            store(out + 16, total[1]);
        if constexpr (reals >= 16 && reals != 24)
            return store(out, total[0]);
        if constexpr (reals == 24) {
            const F both = _mm512_shuffle_f32x4(total[1], total[2], 0x4e); // 1 high, 2 low
            store(out, total[0] + both);
            _mm256_storeu_ps(out + 16, _mm512_castps512_ps256(total[1]) +
                                           _mm512_extractf32x8_ps(total[2], 1));
            return;
        }
        const __m256 half = _mm512_castps512_ps256(total[0]) + _mm512_extractf32x8_ps(total[0], 1);
        store_half<reals>(half, out);
    }
    template <int reals> PYRAD_AVX512 PYRAD_ALWAYS void store_half(__m256 half, float *out) {
        if constexpr (reals == 8)
            return _mm256_storeu_ps(out, half);
        const __m128 four = _mm256_castps256_ps128(half) + _mm256_extractf128_ps(half, 1);
        if constexpr (reals == 4)
            return _mm_storeu_ps(out, four);
        _mm_storel_pi(reinterpret_cast<__m64 *>(out), four + _mm_movehl_ps(four, four));
    }
};

struct Coils256 : Pack256 {
    static constexpr int kinds(int reals) { return reals / 8; }
    PYRAD_AVX2 PYRAD_ALWAYS __m256i first(int count) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(count),
                                  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    template <int count> PYRAD_AVX2 PYRAD_ALWAYS F load_first(const float *p) {
        return _mm256_maskload_ps(p, first(count));
    }
    template <int count> PYRAD_AVX2 PYRAD_ALWAYS void store_first(float *p, F x) {
        _mm256_maskstore_ps(p, first(count), x);
    }
    PYRAD_AVX2 PYRAD_ALWAYS F pick(__m256 weights, const int *index) {
        return _mm256_permutevar8x32_ps(
            weights, _mm256_load_si256(reinterpret_cast<const __m256i *>(index)));
    }
    template <int reals> PYRAD_AVX2 PYRAD_ALWAYS F load_coils(const float *in, int vector) {
        if constexpr (reals == 2)
            return _mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castps_pd(
                _mm_loadl_pi(_mm_setzero_ps(), reinterpret_cast<const __m64 *>(in)))));
        if constexpr (reals == 4)
            return _mm256_broadcast_ps(reinterpret_cast<const __m128 *>(in));
        return load(in + vector * 8 % reals);
    }
    template <int reals> PYRAD_AVX2 PYRAD_ALWAYS void store_coils(const F *total, float *out) {
        if constexpr (reals >= 8) {
            for (int k = 0; k < reals / 8; ++k)
                store(out + 8 * k, total[k]);
            return;
        }
        const __m128 four = _mm256_castps256_ps128(total[0]) + _mm256_extractf128_ps(total[0], 1);
        if constexpr (reals == 4)
            return _mm_storeu_ps(out, four);
        _mm_storel_pi(reinterpret_cast<__m64 *>(out), four + _mm_movehl_ps(four, four));
    }
};

#define PYRAD_TARGET PYRAD_AVX512
namespace avx512 {
using P = Coils512;
#include "mr/gridding_rows.inl"
} // namespace avx512
#undef PYRAD_TARGET
#define PYRAD_TARGET PYRAD_AVX2
namespace avx2 {
using P = Coils256;
#include "mr/gridding_rows.inl"
} // namespace avx2
#undef PYRAD_TARGET

#endif

} // namespace

GriddingLoops<float> x86_gridding(int dims, i64 lanes, int width, int degree) {
    GriddingLoops<float> found{nullptr, nullptr};
#if defined(PYRAD_X86)
    const int floats = vector_width();
    if (floats == 0 || degree > max_degree)
        return found;
    with_constant<0, 2, 3>(dims, [&](auto d) {
        with_constant<0, 1, 2, 4, 8, 12, 16>(static_cast<int>(lanes), [&](auto n) {
            with_constant<0, 4, 5, 6, 7, 8>(width, [&](auto w) {
                if constexpr (d > 0 && n > 0 && w > 0)
                    found =
                        floats == 16 ? avx512::loops<d, 2 * n, w>() : avx2::loops<d, 2 * n, w>();
            });
        });
    });
#else
    (void)dims, (void)lanes, (void)width, (void)degree;
#endif
    return found;
}

} // namespace pyrad
