// A set of ranks below a known number, and its elements by their order: a bit each, counted in
// blocks and in groups of blocks.
#pragma once

#include "base/portable.hpp"

#include <vector>

namespace pyrad {

class RankSet {
  public:
    static constexpr int word_shift = 6, block_shift = 10, group_shift = 15;

    explicit RankSet(i64 ranks)
        : words_((ranks >> word_shift) + 1), blocks_((ranks >> block_shift) + 1),
          groups_((ranks >> group_shift) + 1) {}

    void add(u32 rank) { change(rank, 1); }
    void remove(u32 rank) { change(rank, -1); }

    // out[k]: the rank with order[k] others below it; there is one.
    void select(const i32 *order, i64 count, i64 *out) const;

  private:
    void change(u32 rank, i32 by) {
        words_[rank >> word_shift] ^= u64(1) << (rank & ((1u << word_shift) - 1));
        blocks_[rank >> block_shift] += by;
        groups_[rank >> group_shift] += by;
    }

    std::vector<u64> words_;
    std::vector<i32> blocks_, groups_;
};

} // namespace pyrad
