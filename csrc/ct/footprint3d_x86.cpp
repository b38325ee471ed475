// AVX-512 forms of the loops of footprint3d_columns.cpp. The 16 values that are made at a time draw
// on a window of fewer than 32 (16 where they lie closer than the samples): it is loaded once, and
// once more per further sample, and permuted into place. They fuse multiply and add.
#include "ct/footprint3d_tiles.hpp"

#include "base/with_constant.hpp"
#include "base/x86.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad::footprint {

#if defined(PYRAD_X86)
namespace {

constexpr double one_register = 0.999, two_registers = 2.0;

bool wide_registers() { return vector_width() >= 16; }

PYRAD_INLINE_AVX512 __m512 lanes() {
    return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

// Overlap sums of 16 intervals of length `step`, the first beginning at `start`, with unit cells.
// Narrow: step < 1, so that an interval meets two cells; else three.
template <bool Narrow>
PYRAD_INLINE_AVX512 __m512 overlaps(const float *in, double start, __m512 offsets, __m512 step) {
    const double whole = std::floor(start);
    const float *p = in + static_cast<i64>(whole);
    const __m512 at = _mm512_add_ps(offsets, _mm512_set1_ps(static_cast<float>(start - whole)));
    const __m512i cell = _mm512_cvttps_epi32(at);
    const __m512 part = _mm512_sub_ps(at, _mm512_cvtepi32_ps(cell));
    const __m512 one = _mm512_set1_ps(1.0f), end = _mm512_add_ps(part, step);
    const auto sample = [&](int k) PYRAD_AVX512 {
        if (Narrow)
            return _mm512_permutexvar_ps(cell, _mm512_loadu_ps(p + k));
        return _mm512_permutex2var_ps(_mm512_loadu_ps(p + k), cell, _mm512_loadu_ps(p + k + 16));
    };
    const __m512 first = _mm512_min_ps(_mm512_sub_ps(one, part), step);
    __m512 second = _mm512_max_ps(_mm512_sub_ps(end, one), _mm512_setzero_ps());
    __m512 sum = _mm512_mul_ps(first, sample(0));
    if (Narrow)
        return _mm512_fmadd_ps(second, sample(1), sum);
    second = _mm512_min_ps(second, one);
    sum = _mm512_fmadd_ps(second, sample(1), sum);
    const __m512 third =
        _mm512_max_ps(_mm512_sub_ps(end, _mm512_set1_ps(2.0f)), _mm512_setzero_ps());
    return _mm512_fmadd_ps(third, sample(2), sum);
}

// Columns > 0: known when compiled, else column.columns of them.
template <bool Narrow, int Columns>
PYRAD_AVX512 void add_avx512(const Column &column, const float *weight, const float *voxels,
                             float *detector) {
    const double length = 1 / column.step;
    const __m512 step = _mm512_set1_ps(static_cast<float>(length));
    const __m512 offsets = _mm512_mul_ps(lanes(), step);
    const __m512 scale = _mm512_set1_ps(static_cast<float>(column.step));
    const i64 columns = Columns ? Columns : column.columns;
    for (i64 r = column.row_begin; r < column.row_end; r += 16) {
        const double start = (static_cast<double>(r) - column.edge) * length;
        const __m512 rows = _mm512_mul_ps(scale, overlaps<Narrow>(voxels, start, offsets, step));
        float *to = detector + r;
#pragma GCC unroll 5
        for (i64 j = 0; j < columns; ++j, to += column.stride)
            _mm512_storeu_ps(to, _mm512_fmadd_ps(_mm512_set1_ps(weight[j * weight_step]), rows,
                                                 _mm512_loadu_ps(to)));
    }
}

template <int Columns>
PYRAD_AVX512 void mix_avx512(const Column &column, const float *weight, const float *detector,
                             float *mixed) {
    const i64 columns = Columns ? Columns : column.columns;
    for (i64 r = column.row_begin; r < column.row_end; r += 16) {
        const float *from = detector + r;
        __m512 sum = _mm512_setzero_ps();
#pragma GCC unroll 5
        for (i64 j = 0; j < columns; ++j, from += column.stride)
            sum = _mm512_fmadd_ps(_mm512_set1_ps(weight[j * weight_step]), _mm512_loadu_ps(from),
                                  sum);
        _mm512_storeu_ps(mixed + r, sum);
    }
    mixed[column.row_begin - 1] = mixed[column.row_end] = 0;
}

template <bool Narrow>
PYRAD_AVX512 void take_avx512(const Column &column, const float *mixed, float *voxels) {
    const double length = 1 / column.step, slices = static_cast<double>(column.slices);
    const double low = (static_cast<double>(column.row_begin) - column.edge) * length;
    const double high = (static_cast<double>(column.row_end) - column.edge) * length;
    const i64 begin = static_cast<i64>(std::clamp(std::floor(low), 0.0, slices));
    const i64 end = static_cast<i64>(std::clamp(std::ceil(high), 0.0, slices));
    const __m512 step = _mm512_set1_ps(static_cast<float>(column.step));
    const __m512 offsets = _mm512_mul_ps(lanes(), step);
    for (i64 i = begin; i < end; i += 16) {
        const double start = column.edge + static_cast<double>(i) * column.step;
        const __m512 sum = overlaps<Narrow>(mixed, start, offsets, step);
        const i64 left = end - i;
        const __mmask16 mask =
            left >= 16 ? __mmask16(0xffff) : static_cast<__mmask16>((1u << left) - 1);
        const __m512 now = _mm512_maskz_loadu_ps(mask, voxels + i);
        _mm512_mask_storeu_ps(voxels + i, mask, _mm512_add_ps(now, sum));
    }
}

template <bool Narrow>
void add_columns(const Column &column, const float *weight, const float *voxels, float *detector) {
    with_constant<0, 2, 3, 4, 5>(static_cast<int>(column.columns), [&](auto columns) {
        add_avx512<Narrow, columns>(column, weight, voxels, detector);
    });
}

void mix_columns(const Column &column, const float *weight, const float *detector, float *mixed) {
    with_constant<0, 2, 3, 4, 5>(static_cast<int>(column.columns), [&](auto columns) {
        mix_avx512<columns>(column, weight, detector, mixed);
    });
}

} // namespace

bool add_column_permuting(const Column &column, const float *weight, const float *voxels,
                          float *detector) {
    const double length = 1 / column.step;
    if (length > two_registers || !wide_registers())
        return false;
    if (length <= one_register)
        add_columns<true>(column, weight, voxels, detector);
    else
        add_columns<false>(column, weight, voxels, detector);
    return true;
}

bool take_column_permuting(const Column &column, const float *weight, const float *detector,
                           float *mixed, float *voxels) {
    if (column.step > two_registers || !wide_registers())
        return false;
    mix_columns(column, weight, detector, mixed);
    if (column.step <= one_register)
        take_avx512<true>(column, mixed, voxels);
    else
        take_avx512<false>(column, mixed, voxels);
    return true;
}

#else

bool add_column_permuting(const Column &, const float *, const float *, float *) { return false; }
bool take_column_permuting(const Column &, const float *, const float *, float *, float *) {
    return false;
}

#endif

} // namespace pyrad::footprint
