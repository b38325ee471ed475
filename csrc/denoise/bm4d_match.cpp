// Search for the blocks that look most like a reference block. All candidates of a line are
// compared at once (bm4d_match.inl).
#include "denoise/bm4d_group.hpp"

#include "base/x86.hpp"

#include <algorithm>

namespace pyrad::bm4d {
namespace {

constexpr int together = match_rows; // rows of candidates compared in one go
constexpr int widest = 48;           // candidates of a row compared in one go

// Rows of blocks at consecutive x against the reference.
template <class T> struct Candidates {
    const T *reference, *first;
    Triple block;
    i64 line, plane; // voxels from one line, one plane to the next
    int count;       // candidates in a row
    T expected, limit;
    T *keys;   // [together][widest]: distance from the expected difference
    u64 *near; // [together]: bit x is set where the key is below the limit
};

#define BM4D_SOURCE "denoise/bm4d_match.inl"
#include "denoise/bm4d_lanes.inl"

template <class T> using Compare = void (*)(const Candidates<T> &);

template <class T> Compare<T> best_compare() {
#if defined(PYRAD_X86)
    if (vector_width() == 16)
        return avx512::compare<T>;
    if (vector_width() == 8)
        return avx2::compare<T>;
#endif
    return portable::compare<T>;
}

// Keeps the closest `most` blocks in order.
template <class T> class Closest {
  public:
    Closest(Group<T> &group, int most, T limit) : group_(group), most_(most), limit_(limit) {}

    void offer(T distance, i64 at) {
        if (!(distance < limit_))
            return;
        int k = group_.count < most_ ? group_.count++ : most_ - 1;
        for (; k > 0 && distance < group_.distance[k - 1]; --k) {
            group_.distance[k] = group_.distance[k - 1];
            group_.at[k] = group_.at[k - 1];
        }
        group_.distance[k] = distance;
        group_.at[k] = at;
        if (group_.count == most_)
            limit_ = std::min(limit_, group_.distance[most_ - 1]);
    }

    T limit() const { return limit_; }

  private:
    Group<T> &group_;
    int most_;
    T limit_;
};

} // namespace

template <class T>
void find_group(const T *guide, const Stage<T> &stage, Triple at, T level, Group<T> &group) {
    const i64 line = stage.size[2], plane = stage.size[1] * line;
    const i64 reference = at[0] * plane + at[1] * line + at[2];
    Triple low, high;
    for (int d = 0; d < 3; ++d) {
        low[d] = std::max<i64>(0, at[d] - stage.search[d]);
        high[d] = std::min(stage.size[d] - stage.block[d], at[d] + stage.search[d]);
    }
    group.count = 1;
    group.distance[0] = -1;
    group.at[0] = reference;
    if (stage.group == 1)
        return;
    const T level2 = level * level;
    Closest<T> closest(group, stage.group, stage.similar * level2);
    const Compare<T> compare = best_compare<T>();
    alignas(64) T keys[together * widest];
    for (i64 z = low[0]; z <= high[0]; ++z)
        for (i64 y = low[1]; y <= high[1]; y += together)
            for (i64 x = low[2]; x <= high[2]; x += widest) {
                const i64 first = z * plane + y * line + x;
                const int count = static_cast<int>(std::min<i64>(widest, high[2] - x + 1));
                const i64 rows = std::min<i64>(together, high[1] - y + 1);
                u64 near[together] = {};
                compare({guide + reference, guide + first, stage.block, line, plane, count,
                         stage.expected * level2, closest.limit(), keys, near});
                for (i64 row = 0; row < rows; ++row) {
                    u64 left = near[row] & ((u64(1) << count) - 1);
                    for (; left != 0; left &= left - 1) {
                        const i64 k = __builtin_ctzll(left), at = first + row * line + k;
                        if (at != reference)
                            closest.offer(keys[row * widest + k], at);
                    }
                }
            }
    int count = 1;
    while (2 * count <= group.count)
        count *= 2;
    group.count = count;
}

template void find_group(const float *, const Stage<float> &, Triple, float, Group<float> &);
template void find_group(const double *, const Stage<double> &, Triple, double, Group<double> &);

} // namespace pyrad::bm4d
