// One sweep over a volume instead of one per axis: memory is read once and written once.
//
// A tile is a block of result rows along y and a run of steps along z. Each source plane the run
// meets is filtered along x and y for these rows and kept in a ring of as many planes as the taps
// see; from the ring the results are summed along z, in runs as long as the block, past the cache
// where they are large. Neighbouring tiles filter the planes and rows between them twice.
#pragma once

#include "base/pool.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pyrad::sweep {

constexpr i64 steps_per_tile = 32;    // along z
constexpr i64 ring_numbers = 1 << 17; // of a ring, about: it stays in L2
constexpr i64 least_rows = 4;         // of a block, along y
constexpr i64 most_rows = 32;
constexpr i64 streamed_numbers = 1 << 22; // results that are larger than this leave the cache

// row_numbers: what one row of a block takes in the ring. halo: rows that neighbours share.
inline i64 rows_per_block(i64 row_numbers, i64 halo) {
    return std::clamp<i64>(ring_numbers / std::max<i64>(1, row_numbers),
                           std::clamp<i64>(halo, least_rows, most_rows), most_rows);
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

// Rows of one length that begin at cache lines, each one line further than a power of two would
// put it.
template <class T> class Rows {
  public:
    Rows(i64 count, i64 length)
        : stride_((length + line - 1) / line * line + line), numbers_(count * stride_ + line) {
        const auto at = reinterpret_cast<std::uintptr_t>(numbers_.data()) / sizeof(T);
        first_ = numbers_.data() + static_cast<i64>((line - at % line) % line);
    }
    T *operator[](i64 row) { return first_ + row * stride_; }
    i64 stride() const { return stride_; }

  private:
    static constexpr i64 line = 64 / sizeof(T);
    i64 stride_;
    std::vector<T> numbers_;
    T *first_;
};

} // namespace pyrad::sweep
