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

inline Vector square_roots(const Vector &x) {
    Vector root;
    for (int lane = 0; lane < eigen_lanes; ++lane)
        root[lane] = std::sqrt(x[lane]);
    return root;
}

#if defined(PYRAD_X86)
namespace avx512 { // GCC does not find the instruction by itself
PYRAD_AVX512 inline Vector square_root(const Vector &x) {
    return (Vector)_mm512_sqrt_pd((__m512d)x);
}
} // namespace avx512

namespace avx2 {
PYRAD_AVX2 inline Vector square_root(const Vector &x) { return square_roots(x); }
} // namespace avx2
#endif

namespace portable {
inline Vector square_root(const Vector &x) { return square_roots(x); }
} // namespace portable

#define PYRAD_ISA_SOURCE "texture/lane_eigen.inl"
#include "base/each_isa.inl"

} // namespace

EigenQueue::Table &EigenQueue::add(i32 size, double total, double *result) {
    const size_t index = static_cast<size_t>((size - 1) / rounding);
    const i32 n = static_cast<i32>(index + 1) * rounding;
    if (groups_.size() <= index)
        groups_.resize(index + 1);
    Group &group = groups_[index];
    if (group.filled == eigen_lanes)
        solve(group, n);
    Waiting &waiting = group.tables[group.filled++];
    const size_t most = static_cast<size_t>(n) * (n + 1) / 2;
    waiting.root.resize(n);
    waiting.place.resize(most);
    waiting.count.resize(most);
    waiting.size = size;
    waiting.total = total;
    waiting.result = result;
    waiting.table = {waiting.root.data(), waiting.place.data(), waiting.count.data(), row_of(n), 0};
    return waiting.table;
}

void EigenQueue::flush() {
    for (size_t index = 0; index < groups_.size(); ++index)
        solve(groups_[index], static_cast<i32>(index + 1) * rounding);
}

void EigenQueue::solve(Group &group, i32 n) {
    if (!group.filled)
        return;
    const size_t row = static_cast<size_t>(row_of(n));
    counts_.resize(std::max(counts_.size(), row * row));
    work_.resize(std::max(work_.size(), 7 * row));
    EigenLanes *const root = work_.data() + 6 * row;
    std::fill_n(root, row, EigenLanes{});
    EigenLanes total, largest;
    std::fill_n(total.lane, eigen_lanes, 1.0);
    for (int lane = 0; lane < group.filled; ++lane) {
        const Waiting &waiting = group.tables[lane];
        const Table &table = waiting.table;
        total.lane[lane] = waiting.total;
        for (i32 i = 0; i < waiting.size; ++i)
            root[i].lane[lane] = table.root[i];
        for (i64 k = 0; k < table.cells; ++k)
            counts_[table.place[k]].lane[lane] = table.count[k];
    }
    const auto vectors = [](EigenLanes *lanes) { return reinterpret_cast<Vector *>(lanes); };
    const auto solve_lanes = PYRAD_BEST(largest_correlations);
    solve_lanes(vectors(counts_.data()), n, static_cast<i32>(row), vectors(root), *vectors(&total),
                bound_, vectors(work_.data()), vectors(&largest));
    for (int lane = 0; lane < group.filled; ++lane)
        *group.tables[lane].result = largest.lane[lane];
    group.filled = 0;
}

} // namespace pyrad
