#include "texture/lane_eigen.hpp"

#include "base/x86.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad {
namespace {

// Sizes of one group share their arithmetic; rows beyond a matrix are zeros, which add nothing.
constexpr i32 rounding = 2;

typedef double Vector __attribute__((vector_size(sizeof(EigenLanes)), may_alias));

#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between functions of this file only

#define PYRAD_ISA_SOURCE "texture/lane_eigen.inl"
#include "base/each_isa.inl"

} // namespace

EigenQueue::Matrix EigenQueue::add(i32 size, double *result) {
    const size_t index = static_cast<size_t>(size / rounding);
    const i32 n = (size / rounding + 1) * rounding;
    if (groups_.size() <= index)
        groups_.resize(index + 1);
    Group &group = groups_[index];
    if (group.filled == eigen_lanes)
        solve(group, n);
    if (group.matrix.empty())
        group.matrix.resize(static_cast<size_t>(n) * n);
    const int lane = group.filled++;
    group.results[lane] = result;
    const Matrix matrix(group.matrix.data()->lane + lane, n);
    for (i32 i = size; i < n; ++i)
        for (i32 j = 0; j <= i; ++j)
            matrix(i, j) = 0;
    return matrix;
}

void EigenQueue::flush() {
    for (size_t index = 0; index < groups_.size(); ++index)
        solve(groups_[index], static_cast<i32>(index + 1) * rounding);
}

void EigenQueue::solve(Group &group, i32 n) {
    if (!group.filled)
        return;
    diagonal_.resize(std::max(diagonal_.size(), static_cast<size_t>(n)));
    off_.resize(diagonal_.size());
    const auto vectors = [](EigenLanes *lanes) { return reinterpret_cast<Vector *>(lanes); };
    EigenLanes largest;
    const auto solve_lanes = PYRAD_BEST(largest_eigenvalues);
    solve_lanes(vectors(group.matrix.data()), n, bound_, vectors(diagonal_.data()),
                vectors(off_.data()), vectors(&largest));
    for (int lane = 0; lane < group.filled; ++lane)
        *group.results[lane] = largest.lane[lane];
    group.filled = 0;
}

} // namespace pyrad
