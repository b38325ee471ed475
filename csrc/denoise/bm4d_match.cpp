// Search for the blocks that look most like a reference block. All candidates of a line are
// compared at once: one voxel of the reference against as many neighbours in memory.
#include "denoise/bm4d_group.hpp"

#include "base/simd.hpp"

#include <algorithm>

namespace pyrad::bm4d {
namespace {

constexpr i64 widest = 48; // candidates compared in one go

template <i64 depth, i64 edge, class T>
inline __attribute__((always_inline)) void compare_rows(const Candidates<T> &c) {
    for (i64 row = 0; row < c.rows; ++row)
        for (i64 begin = 0; begin < c.count; begin += lanes) {
            T sum[lanes] = {};
            for (i64 z = 0; z < depth; ++z)
                for (i64 y = 0; y < edge; ++y)
                    for (i64 x = 0; x < edge; ++x) {
                        const i64 at = z * c.plane + y * c.line + x;
                        const T *other = c.first + row * c.line + begin + at;
                        for (i64 i = 0; i < lanes; ++i)
                            sum[i] = add_square(sum[i], other[i] - c.reference[at]);
                    }
            for (i64 i = 0; i < lanes; ++i)
                c.distances[row * c.stride + begin + i] = sum[i];
        }
}

template <class T> PYRAD_CLONES void compare_squares(const Candidates<T> &c) {
    compare_rows<1, 8>(c);
}
template <class T> PYRAD_CLONES void compare_cubes(const Candidates<T> &c) {
    compare_rows<4, 4>(c);
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
    constexpr i64 together = 4;
    alignas(64) T distances[together * widest];
    const T level2 = level * level, expected = stage.expected * level2;
    Closest<T> closest(group, stage.group, stage.similar * level2);
    if (stage.group == 1)
        return;
    for (i64 z = low[0]; z <= high[0]; ++z)
        for (i64 y = low[1]; y <= high[1]; y += together)
            for (i64 x = low[2]; x <= high[2]; x += widest) {
                const i64 first = z * plane + y * line + x;
                const Candidates<T> c{guide + reference,
                                      guide + first,
                                      line,
                                      plane,
                                      std::min(together, high[1] - y + 1),
                                      std::min(widest, high[2] - x + 1),
                                      distances,
                                      widest};
                if (stage.block[0] == 1)
                    compare_squares(c);
                else
                    compare_cubes(c);
                for (i64 row = 0; row < c.rows; ++row)
                    for (i64 i = 0; i < c.count; ++i)
                        if (first + row * line + i != reference)
                            closest.offer(std::abs(distances[row * widest + i] - expected),
                                          first + row * line + i);
            }
    int count = 1;
    while (2 * count <= group.count)
        count *= 2;
    group.count = count;
}

template void find_group(const float *, const Stage<float> &, Triple, float, Group<float> &);
template void find_group(const double *, const Stage<double> &, Triple, double, Group<double> &);

} // namespace pyrad::bm4d
