// One sweep over a volume instead of one per axis: memory is read once and written once.
//
// A tile is a block of rows along y and a run of steps along z. For each step the rows that the
// block needs are filtered along z (they lie together, so this is one long row sum), from that
// scratch along y into a few rows, and these along x into their places. The planes a step reads are
// nearly those of the step before, so they come from the cache.
#pragma once

#include "base/pool.hpp"

#include <algorithm>
#include <vector>

namespace pyrad::sweep {

constexpr i64 steps_per_tile = 32;            // along z
constexpr i64 scratch_numbers = 1 << 14;      // of one band of one step: with the planes in L2
constexpr i64 least_rows = 4, most_rows = 32; // of a block, along y

inline i64 rows_per_block(i64 row_length) {
    return std::clamp<i64>(scratch_numbers / std::max<i64>(1, row_length), least_rows, most_rows);
}

// body(row_begin, row_end, step_begin, step_end) for each tile.
template <class Body> void for_tiles(i64 rows, i64 block, i64 steps, Body &&body) {
    const i64 across = (rows + block - 1) / block;
    const i64 along = (steps + steps_per_tile - 1) / steps_per_tile;
    parallel_for(across * along, 1, [&](i64 first, i64 last, int) {
        for (i64 tile = first; tile < last; ++tile) {
            const i64 row = tile / along * block, step = tile % along * steps_per_tile;
            body(row, std::min(row + block, rows), step, std::min(step + steps_per_tile, steps));
        }
    });
}

// The source rows of a block, each with a slot in the scratch, as runs of neighbours.
struct NeededRows {
    struct Run {
        i64 row, count, slot;
    };
    std::vector<Run> runs;
    std::vector<i64> slot; // of a source row
    i64 count = 0;

    explicit NeededRows(const std::vector<char> &needed) : slot(needed.size(), -1) {
        for (i64 row = 0; row < static_cast<i64>(needed.size()); ++row) {
            if (!needed[row])
                continue;
            if (row == 0 || !needed[row - 1])
                runs.push_back({row, 0, count});
            ++runs.back().count;
            slot[row] = count++;
        }
    }
};

} // namespace pyrad::sweep
