#include "texture/lane_eigen.hpp"

#include "base/x86.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad {
namespace {

// Sizes of one group share their arithmetic; rows beyond a table are zeros, which add nothing.
constexpr i32 rounding = 2;

// Length of a row in memory.
i32 row_of(i32 n) { return (n + 3) / 4 * 4; }

typedef double Vector __attribute__((vector_size(sizeof(EigenLanes)), may_alias));

#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between functions of this file only

// Numbers of a table in memory; the last row may be written beyond its end.
i32 table_size(i32 row) { return row * row + 32; }

// Eight tables of n x n counts, rows `row` apart; what is beyond a table's size is any number, its
// roots are 0.
struct LaneTables {
    const float *counts;
    i32 stride, n, row; // stride: from table to table
    const Vector *root, *total;
};

inline Vector square_roots(const Vector &x) {
    Vector root;
    for (int lane = 0; lane < eigen_lanes; ++lane)
        root[lane] = std::sqrt(x[lane]);
    return root;
}

// The same cell of eight tables.
inline Vector every_table(const float *cell, i32 stride) {
    Vector counts;
    for (int lane = 0; lane < eigen_lanes; ++lane)
        counts[lane] = cell[lane * stride];
    return counts;
}

#if defined(PYRAD_X86)
namespace avx512 { // GCC does not find the instructions by itself
PYRAD_AVX512 inline Vector square_root(const Vector &x) {
    return (Vector)_mm512_sqrt_pd((__m512d)x);
}

PYRAD_AVX512 inline Vector gather(const float *cell, i32 stride) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i places = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(stride));
    return (Vector)_mm512_cvtps_pd(_mm256_i32gather_ps(cell, places, 4));
}
} // namespace avx512

namespace avx2 {
PYRAD_AVX2 inline Vector square_root(const Vector &x) { return square_roots(x); }
PYRAD_AVX2 inline Vector gather(const float *cell, i32 stride) { return every_table(cell, stride); }
} // namespace avx2
#endif

namespace portable {
inline Vector square_root(const Vector &x) { return square_roots(x); }
inline Vector gather(const float *cell, i32 stride) { return every_table(cell, stride); }
} // namespace portable

#define PYRAD_ISA_SOURCE "texture/lane_eigen.inl"
#include "base/each_isa.inl"

} // namespace

EigenQueue::Table EigenQueue::add(i32 size, double total, double *result) {
    const size_t index = static_cast<size_t>((size - 1) / rounding);
    const i32 n = static_cast<i32>(index + 1) * rounding, row = row_of(n);
    if (groups_.size() <= index)
        groups_.resize(index + 1);
    Group &group = groups_[index];
    if (group.filled == eigen_lanes)
        solve(group, n);
    if (group.roots.empty()) {
        group.counts.resize(static_cast<size_t>(eigen_lanes) * table_size(row));
        group.roots.resize(row);
    }
    const int lane = group.filled++;
    group.total.lane[lane] = total;
    group.results[lane] = result;
    for (i32 i = size; i < row; ++i)
        group.roots[i].lane[lane] = 0;
    return {group.counts.data() + lane * table_size(row), group.roots[0].lane + lane, row};
}

void EigenQueue::flush() {
    for (size_t index = 0; index < groups_.size(); ++index)
        solve(groups_[index], static_cast<i32>(index + 1) * rounding);
}

void EigenQueue::solve(Group &group, i32 n) {
    if (!group.filled)
        return;
    const i32 row = row_of(n);
    for (int lane = group.filled; lane < eigen_lanes; ++lane) {
        group.total.lane[lane] = 1;
        for (EigenLanes &root : group.roots)
            root.lane[lane] = 0;
    }
    work_.resize(std::max(work_.size(), static_cast<size_t>(row) * (row + 6)));
    const auto vectors = [](EigenLanes *lanes) { return reinterpret_cast<Vector *>(lanes); };
    EigenLanes largest;
    const LaneTables tables{group.counts.data(),         table_size(row),      n, row,
                            vectors(group.roots.data()), vectors(&group.total)};
    PYRAD_BEST(largest_correlations)(tables, bound_, vectors(work_.data()), vectors(&largest));
    for (int lane = 0; lane < group.filled; ++lane)
        *group.results[lane] = largest.lane[lane];
    group.filled = 0;
}

} // namespace pyrad
