// Synthesis of missing k-space samples from their measured neighbours.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// For every cell of cells[starts[p] .. starts[p + 1]), p < patterns:
//     data[cell][j] = sum_s sum_i weights[(begin[p] + s) * coils + i][j] data[cell + offsets[s]][i]
// with s from begin[p] to begin[p + 1]; data[cell][lanes] complex, lanes beyond the coils 0.
// Sources are never among the cells.
template <class T> struct FillPlan {
    const i64 *cells, *starts, *begin, *offsets;
    const T *weights;
    i64 patterns, coils, lanes;
};

template <class T> void grappa_fill(const FillPlan<T> &plan, T *data);

// `count` cells of pattern p. The hand-written form of this processor, or nullptr.
template <class T>
using FillTile = void (*)(const FillPlan<T> &plan, i64 p, const i64 *cells, i64 count, T *data);
template <class T> FillTile<T> wide_fill_tile(i64 lanes);

} // namespace pyrad
