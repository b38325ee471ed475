// The portable loops, and the oracle of the permuting ones.
#include "ct/footprint3d_tiles.hpp"

#include "base/simd.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad::footprint {
namespace {

constexpr i64 chunk = 16;

// out[l] = sum over unit cells k of in[k] * overlap of [k, k + 1] with
// [start + l * step, start + (l + 1) * step]; cells outside [-1, length] count as zero.
template <class T>
PYRAD_CLONES void overlaps(const T *in, i64 length, double start, double step, T *out) {
    const i64 most = static_cast<i64>(std::ceil(step)) + 1;
    const double low = -static_cast<double>(most), high = static_cast<double>(length);
    alignas(64) i32 cell[chunk];
    alignas(64) T part[chunk], sum[chunk];
    const T width = static_cast<T>(step);
    for (i64 l = 0; l < chunk; ++l) {
        const double at = start + static_cast<double>(l) * step;
        const double whole = std::floor(at);
        part[l] = static_cast<T>(at - whole);
        cell[l] = static_cast<i32>(std::min(std::max(whole, low), high));
        sum[l] = std::min(T(1) - part[l], width) * in[std::max(cell[l], -1)];
    }
    for (i64 k = 1; k < most; ++k) {
        const T before = width - static_cast<T>(k);
        for (i64 l = 0; l < chunk; ++l) {
            const T overlap = std::min(std::max(part[l] + before, T(0)), T(1));
            const i32 here =
                std::min(std::max(cell[l] + static_cast<i32>(k), -1), static_cast<i32>(length));
            sum[l] += overlap * in[here];
        }
    }
    for (i64 l = 0; l < chunk; ++l)
        out[l] = sum[l];
}

template <class T> PYRAD_CLONES void add_scaled(T weight, const T *from, T *to) {
    for (i64 l = 0; l < chunk; ++l)
        to[l] += weight * from[l];
}

template <class T>
PYRAD_CLONES void mix(const Column &column, const T *weight, const T *detector, T *mixed) {
    for (i64 r = column.row_begin; r < column.row_end; ++r)
        mixed[r] = weight[0] * detector[r];
    for (i64 j = 1; j < column.columns; ++j)
        for (i64 r = column.row_begin; r < column.row_end; ++r)
            mixed[r] += weight[j * weight_step] * detector[j * column.stride + r];
}

} // namespace

template <class T>
void add_column(const Column &column, const T *weight, const T *voxels, T *detector) {
    const double length = 1 / column.step; // of a row, in voxels
    alignas(64) T rows[chunk];
    for (i64 r = column.row_begin; r < column.row_end; r += chunk) {
        overlaps(voxels, column.slices, (static_cast<double>(r) - column.edge) * length, length,
                 rows);
        for (i64 j = 0; j < column.columns; ++j)
            add_scaled(weight[j * weight_step] * static_cast<T>(column.step), rows,
                       detector + j * column.stride + r);
    }
}

template <class T>
void take_column(const Column &column, const T *weight, const T *detector, T *mixed, T *voxels) {
    mix(column, weight, detector, mixed);
    // rows outside [row_begin, row_end) do not count: the cells before and behind are zero
    const T *rows = mixed + column.row_begin;
    const i64 length = column.row_end - column.row_begin;
    mixed[column.row_begin - 1] = mixed[column.row_end] = T(0);
    alignas(64) T sums[chunk];
    for (i64 i = 0; i < column.slices; i += chunk) {
        const double start = column.edge + static_cast<double>(i) * column.step;
        overlaps(rows, length, start - static_cast<double>(column.row_begin), column.step, sums);
        const i64 count = std::min(chunk, column.slices - i);
        for (i64 l = 0; l < count; ++l)
            voxels[i + l] += sums[l];
    }
}

template void add_column(const Column &, const float *, const float *, float *);
template void add_column(const Column &, const double *, const double *, double *);
template void take_column(const Column &, const float *, const float *, float *, float *);
template void take_column(const Column &, const double *, const double *, double *, double *);

} // namespace pyrad::footprint
