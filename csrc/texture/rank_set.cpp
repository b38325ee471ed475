#include "texture/rank_set.hpp"

#include "base/simd.hpp"

namespace pyrad {
namespace {

struct Counts {
    const u64 *words;
    const i32 *blocks, *groups;
};

PYRAD_CLONES_V3 void select_ranks(const Counts &c, const i32 *order, i64 count, i64 *out) {
    constexpr int word_shift = RankSet::word_shift, block_shift = RankSet::block_shift;
    for (i64 n = 0; n < count; ++n) {
        i32 k = order[n];
        i64 group = 0;
        for (; k >= c.groups[group]; ++group)
            k -= c.groups[group];
        i64 block = group << (RankSet::group_shift - block_shift);
        for (; k >= c.blocks[block]; ++block)
            k -= c.blocks[block];
        i64 word = block << (block_shift - word_shift);
        for (i32 held; k >= (held = __builtin_popcountll(c.words[word])); ++word)
            k -= held;
        u64 bits = c.words[word];
        for (; k > 0; --k)
            bits &= bits - 1;
        out[n] = (word << word_shift) + __builtin_ctzll(bits);
    }
}

} // namespace

void RankSet::select(const i32 *order, i64 count, i64 *out) const {
    select_ranks({words_.data(), blocks_.data(), groups_.data()}, order, count, out);
}

} // namespace pyrad
