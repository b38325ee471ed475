// How the wavelet transforms of one axis are cut into tiles. Arrays are (outer, n, inner).
#pragma once

#include "base/pool.hpp"

#include <algorithm>

namespace pyrad {

// Rows of fewer numbers than this are handled as lines.
constexpr i64 shortest_row = 16;

namespace tiles {
constexpr i64 columns = 2048; // of a row block: the rows of one sum stay in the cache
constexpr i64 steps = 64;     // of a row block, along the axis
constexpr i64 line_steps = 4096;
constexpr i64 numbers = 1 << 16; // in one tile, about
constexpr i64 cut(i64 count, i64 size) { return (count + size - 1) / size; }
} // namespace tiles

// body(o, column, width, begin, end): columns [column, column + width) of outer index o, steps
// [begin, end) along the axis.
template <class Body> void for_row_blocks(i64 outer, i64 steps, i64 inner, Body &&body) {
    const i64 across = tiles::cut(inner, tiles::columns), along = tiles::cut(steps, tiles::steps);
    const i64 block = std::min(inner, tiles::columns) * std::min(steps, tiles::steps);
    const i64 grain = tiles::numbers / std::max<i64>(1, block);
    parallel_for(outer * across * along, grain, [&](i64 first, i64 last, int) {
        for (i64 tile = first; tile < last; ++tile) {
            const i64 begin = tile % along * tiles::steps;
            const i64 column = tile / along % across * tiles::columns;
            body(tile / along / across, column, std::min(tiles::columns, inner - column), begin,
                 std::min(begin + tiles::steps, steps));
        }
    });
}

// body(each) once per tile; each(line) calls line(o, begin, end) for steps [begin, end) of line o.
template <class Body> void for_line_blocks(i64 outer, i64 steps, i64 inner, Body &&body) {
    const i64 along = tiles::cut(steps, tiles::line_steps);
    const i64 block = std::min(steps, tiles::line_steps) * inner;
    const i64 grain = tiles::numbers / std::max<i64>(1, block);
    parallel_for(outer * along, grain, [&](i64 first, i64 last, int) {
        body([=](auto &&line) {
            for (i64 tile = first; tile < last; ++tile) {
                const i64 begin = tile % along * tiles::line_steps;
                line(tile / along, begin, std::min(begin + tiles::line_steps, steps));
            }
        });
    });
}

} // namespace pyrad
