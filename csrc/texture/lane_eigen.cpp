#include "texture/lane_eigen.hpp"

#include "base/x86.hpp"
#include "texture/eigen_limits.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace pyrad {
namespace {

constexpr i32 rounding = 2;     // sizes of one group share their arithmetic
constexpr i32 most_single = 48; // of larger tables eigenvalues are too close for single precision
constexpr int double_lanes = 8, float_lanes = 16;

// Of eigenvalues in single precision: the least distance between the largest and the next, and
// what one of them may be off.
constexpr float single_gap = 1e-3f, single_error = 1e-5f;
constexpr double accuracy = 1e-10; // of a Rayleigh quotient

// Length of a row in memory; numbers of a table, whose last row may be written beyond its end.
i32 row_of(i32 n) { return (n + 7) / 8 * 8; }
i32 table_size(i32 row) { return row * row + 32; }
i32 size_of(size_t index) { return static_cast<i32>(index + 1) * rounding; }

#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between functions of this file only
#pragma GCC diagnostic ignored "-Wignored-attributes"

typedef double Doubles __attribute__((vector_size(64), may_alias));
typedef float Floats __attribute__((vector_size(64), may_alias));

} // namespace

template <> struct EigenLimits<Floats> : SingleLimits {};

namespace {

// Tables of n x n counts, `stride` apart, with rows `row` apart; what lies beyond a table's size is
// any number there, but 0 in `inverse`, inverse roots of the marginals, and in `share`, roots of
// the marginals' shares.
template <class Vector> struct LaneTables {
    const float *counts;
    i32 stride, n, row;
    const Vector *inverse, *share;
};

struct SingleTable {
    const float *counts;
    const double *root, *inverse;
    i32 n, row;
    double total;
};

struct Quotient {
    double value, residual; // its square
};

inline Doubles square_roots(const Doubles &x) {
    Doubles root;
    for (int lane = 0; lane < double_lanes; ++lane)
        root[lane] = std::sqrt(x[lane]);
    return root;
}

inline Floats square_roots(const Floats &x) {
    Floats root;
    for (int lane = 0; lane < float_lanes; ++lane)
        root[lane] = std::sqrt(x[lane]);
    return root;
}

template <class Mask> inline bool all_zero(const Mask &mask) {
    for (size_t lane = 0; lane < sizeof mask / sizeof mask[0]; ++lane)
        if (mask[lane])
            return false;
    return true;
}

// Neighbours in memory.
inline void each_neighbour(const float *from, Doubles &out) {
    for (int lane = 0; lane < double_lanes; ++lane)
        out[lane] = from[lane];
}

// Four cells of every table, side by side in each.
template <class Vector> inline void each_table(const float *cell, i32 stride, Vector *out) {
    for (size_t lane = 0; lane < sizeof *out / sizeof out[0][0]; ++lane)
        for (int j = 0; j < 4; ++j)
            out[j][lane] = cell[lane * stride + j];
}

// Numbers that lie `step` apart.
inline Doubles each_step(const float *from, i32 step) {
    Doubles out;
    for (int lane = 0; lane < double_lanes; ++lane)
        out[lane] = from[lane * step];
    return out;
}

#if defined(PYRAD_X86)
namespace avx512 { // GCC does not find the instructions by itself
PYRAD_INLINE_AVX512 Doubles square_root(const Doubles &x) {
    return (Doubles)_mm512_sqrt_pd((__m512d)x);
}

PYRAD_INLINE_AVX512 Floats square_root(const Floats &x) {
    return (Floats)_mm512_sqrt_ps((__m512)x);
}

// To single precision but for the last bit or two.
PYRAD_INLINE_AVX512 Floats reciprocal(const Floats &x) {
    const __m512 first = _mm512_rcp14_ps((__m512)x);
    const __m512 rest = _mm512_fnmadd_ps((__m512)x, first, _mm512_set1_ps(1.0f));
    return (Floats)_mm512_fmadd_ps(first, rest, first);
}

PYRAD_INLINE_AVX512 Doubles every(const float *from, i32 step) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i places = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(step));
    return (Doubles)_mm512_cvtps_pd(_mm256_i32gather_ps(from, places, 4));
}

// Tables k, k + 4, k + 8 and k + 12. Masked loads, which leave the port of the shuffles alone.
PYRAD_INLINE_AVX512 __m512 four_tables(const float *cell, i64 stride) {
    const __m512 one = _mm512_castps128_ps512(_mm_loadu_ps(cell));
    const __m512 two = _mm512_mask_broadcast_f32x4(one, 0x00f0, _mm_loadu_ps(cell + 4 * stride));
    const __m512 three = _mm512_mask_broadcast_f32x4(two, 0x0f00, _mm_loadu_ps(cell + 8 * stride));
    return _mm512_mask_broadcast_f32x4(three, 0xf000, _mm_loadu_ps(cell + 12 * stride));
}

PYRAD_INLINE_AVX512 void gather(const float *cell, i32 stride, Floats *out) {
    const __m512 a = four_tables(cell, stride), b = four_tables(cell + stride, stride);
    const __m512 c = four_tables(cell + 2 * stride, stride);
    const __m512 d = four_tables(cell + 3 * stride, stride);
    const __m512d ab = (__m512d)_mm512_unpacklo_ps(a, b), ba = (__m512d)_mm512_unpackhi_ps(a, b);
    const __m512d cd = (__m512d)_mm512_unpacklo_ps(c, d), dc = (__m512d)_mm512_unpackhi_ps(c, d);
    out[0] = (Floats)_mm512_unpacklo_pd(ab, cd);
    out[1] = (Floats)_mm512_unpackhi_pd(ab, cd);
    out[2] = (Floats)_mm512_unpacklo_pd(ba, dc);
    out[3] = (Floats)_mm512_unpackhi_pd(ba, dc);
}

PYRAD_INLINE_AVX512 void gather(const float *cell, i32 stride, Doubles *out) {
    for (int j = 0; j < 4; ++j)
        out[j] = every(cell + j, stride);
}

PYRAD_INLINE_AVX512 void widen(const float *from, Doubles &out) {
    out = (Doubles)_mm512_cvtps_pd(_mm256_loadu_ps(from));
}

template <class Mask> PYRAD_INLINE_AVX512 bool none_of(const Mask &mask) {
    return !_mm512_test_epi32_mask((__m512i)mask, (__m512i)mask);
}
} // namespace avx512

namespace avx2 {
PYRAD_INLINE_AVX2 void widen(const float *from, Doubles &out) { each_neighbour(from, out); }
template <class Mask> PYRAD_INLINE_AVX2 bool none_of(const Mask &mask) { return all_zero(mask); }
template <class Vector> PYRAD_INLINE_AVX2 Vector square_root(const Vector &x) {
    return square_roots(x);
}
PYRAD_INLINE_AVX2 Floats reciprocal(const Floats &x) { return 1.0f / x; }
PYRAD_INLINE_AVX2 Doubles every(const float *from, i32 step) { return each_step(from, step); }
template <class Vector> PYRAD_INLINE_AVX2 void gather(const float *cell, i32 stride, Vector *out) {
    each_table(cell, stride, out);
}
} // namespace avx2
#endif

namespace portable {
inline void widen(const float *from, Doubles &out) { each_neighbour(from, out); }
template <class Mask> inline bool none_of(const Mask &mask) { return all_zero(mask); }
template <class Vector> inline Vector square_root(const Vector &x) { return square_roots(x); }
inline Floats reciprocal(const Floats &x) { return 1.0f / x; }
inline Doubles every(const float *from, i32 step) { return each_step(from, step); }
template <class Vector> inline void gather(const float *cell, i32 stride, Vector *out) {
    each_table(cell, stride, out);
}
} // namespace portable

#define PYRAD_ISA_SOURCE "texture/lane_eigen.inl"
#include "base/each_isa.inl"

} // namespace

EigenQueue::Table EigenQueue::append(Group &group, i32 n, const Waiting &waiting) {
    const i32 row = row_of(n);
    if (group.counts.empty()) {
        group.counts.resize(static_cast<size_t>(float_lanes) * table_size(row));
        group.roots.resize(static_cast<size_t>(float_lanes) * row / double_lanes);
        group.inverses.resize(group.roots.size());
    }
    const size_t t = group.tables.size();
    group.tables.push_back(waiting);
    const Table table = at(group, row, t);
    std::fill(table.root + waiting.size, table.root + row, 0.0);
    std::fill(table.inverse + waiting.size, table.inverse + row, 0.0);
    return table;
}

EigenQueue::Table EigenQueue::add(i32 size, double total, double *result) {
    const size_t index = static_cast<size_t>((size - 1) / rounding);
    if (groups_.size() <= index) {
        groups_.resize(index + 1);
        doubtful_.resize(index + 1);
    }
    const bool single = size <= most_single;
    if (single && groups_[index].tables.size() == float_lanes)
        try_single(index);
    if (!single && doubtful_[index].tables.size() == double_lanes)
        solve_double(index);
    return append(single ? groups_[index] : doubtful_[index], size_of(index),
                  {size, total, result});
}

void EigenQueue::flush() {
    for (size_t index = 0; index < groups_.size(); ++index) {
        try_single(index);
        solve_double(index);
    }
}

namespace {

// A graph that hangs together and has an odd cycle keeps 1 - value above 1 / (v d), with v the sum
// of its table and d the diameter of its double cover (F. R. K. Chung, Spectral Graph Theory, 1997,
// lemma 1.9), here 3e-8 and more: what comes closer to 1 is 1 but for rounding.
double settled(double value) { return value > 1 - 1e-9 ? 1.0 : value; }

// Inverse roots and shares' roots of tables, one per lane; the rest is 0.
template <class Real> struct Scales {
    static constexpr i32 lanes = 64 / sizeof(Real);
    Real *inverse, *share;

    void set(i32 row, size_t lane, const EigenQueue::Table &table, double total) const {
        const double scale = 1 / std::sqrt(total);
        for (i32 i = 0; i < row; ++i) {
            inverse[i * lanes + lane] = static_cast<Real>(table.inverse[i]);
            share[i * lanes + lane] = static_cast<Real>(table.root[i] * scale);
        }
    }
    void clear(i32 row, size_t lane) const {
        for (i32 i = 0; i < row; ++i)
            inverse[i * lanes + lane] = share[i * lanes + lane] = 0;
    }
};

} // namespace

EigenQueue::Table EigenQueue::at(Group &group, i32 row, size_t t) const {
    const auto part = [&](std::vector<Lanes> &of) {
        return reinterpret_cast<double *>(of.data() + t * row / double_lanes);
    };
    return {group.counts.data() + t * table_size(row), part(group.roots), part(group.inverses),
            row};
}

// Tables and vectors of a group in memory for lanes: two vectors of scales, seven for the work with
// a block more each, the matrix, one vector of results.
template <class Vector, class Solve> void EigenQueue::in_lanes(Group &group, i32 n, Solve solve) {
    using Real = typename EigenLimits<Vector>::Real;
    const i32 row = row_of(n);
    work_.resize(std::max(work_.size(), static_cast<size_t>(row) * (row + 10) + 64));
    Vector *const inverse = reinterpret_cast<Vector *>(work_.data()), *const share = inverse + row;
    const Scales<Real> scales{reinterpret_cast<Real *>(inverse), reinterpret_cast<Real *>(share)};
    for (size_t t = 0; t < static_cast<size_t>(scales.lanes); ++t)
        if (t < group.tables.size())
            scales.set(row, t, at(group, row, t), group.tables[t].total);
        else
            scales.clear(row, t);
    const LaneTables<Vector> tables{group.counts.data(), table_size(row), n, row, inverse, share};
    solve(tables, share + row, share + 2 * row);
}

void EigenQueue::try_single(size_t index) {
    Group &group = groups_[index];
    const i32 n = size_of(index), row = row_of(n);
    if (group.tables.empty())
        return;
    Floats alone;
    const float *vectors = nullptr;
    in_lanes<Floats>(group, n, [&](const LaneTables<Floats> &tables, Floats *found, Floats *work) {
        vectors = reinterpret_cast<const float *>(found);
        const float bound = static_cast<float>(bound_) + single_error;
        PYRAD_BEST(largest_vectors)(tables, bound, work, found, &alone);
    });
    line_.resize(std::max(line_.size(), static_cast<size_t>(3 * row / double_lanes)));
    for (size_t t = 0; t < group.tables.size(); ++t) {
        const Waiting &waiting = group.tables[t];
        const Table table = at(group, row, t);
        if (alone[t] != 0) {
            const SingleTable single{table.count,  table.root, table.inverse,
                                     waiting.size, row,        waiting.total};
            const Quotient q = PYRAD_BEST(quotient)(single, vectors + t,
                                                    reinterpret_cast<Doubles *>(line_.data()));
            *waiting.result = settled(std::abs(q.value));
            if (q.residual < accuracy * single_gap)
                continue;
        }
        doubt(index, waiting, table);
    }
    group.tables.clear();
}

void EigenQueue::doubt(size_t index, const Waiting &waiting, const Table &table) {
    if (doubtful_[index].tables.size() == double_lanes)
        solve_double(index);
    const Table copy = append(doubtful_[index], size_of(index), waiting);
    std::copy_n(table.count, table_size(table.row), copy.count);
    std::copy_n(table.root, table.row, copy.root);
    std::copy_n(table.inverse, table.row, copy.inverse);
}

void EigenQueue::solve_double(size_t index) {
    Group &group = doubtful_[index];
    if (group.tables.empty())
        return;
    Doubles largest;
    in_lanes<Doubles>(group, size_of(index),
                      [&](const LaneTables<Doubles> &tables, Doubles *, Doubles *work) {
                          PYRAD_BEST(largest_correlations)(tables, bound_, work, &largest);
                      });
    for (size_t t = 0; t < group.tables.size(); ++t)
        *group.tables[t].result = settled(largest[t]);
    group.tables.clear();
}

} // namespace pyrad
