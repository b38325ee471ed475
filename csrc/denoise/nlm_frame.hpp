// Arrays with margins and ranges of rows, for non-local means on the CPU.
#pragma once

#include "base/pool.hpp"
#include "denoise/nlm.hpp"
#include "denoise/nlm_loops.hpp"

#include <algorithm>
#include <new>
#include <vector>

namespace pyrad::nlm {

// Vectors begin at a cache line: rows are whole numbers of lines, and a register that crosses one
// costs twice.
template <class T> struct AtCacheLine {
    static constexpr std::align_val_t alignment{64};
    using value_type = T;
    AtCacheLine() = default;
    template <class U> AtCacheLine(const AtCacheLine<U> &) {}
    T *allocate(std::size_t n) {
        return static_cast<T *>(::operator new(n * sizeof(T), alignment));
    }
    void deallocate(T *p, std::size_t) { ::operator delete(p, alignment); }
    template <class U> bool operator==(const AtCacheLine<U> &) const { return true; }
    template <class U> bool operator!=(const AtCacheLine<U> &) const { return false; }
};
template <class T> using Array = std::vector<T, AtCacheLine<T>>;

inline i64 round_up(i64 n) { return (n + lanes - 1) / lanes * lanes; }

struct Range {
    i64 begin, end;
    i64 count() const { return std::max<i64>(0, end - begin); }
    // By `more` at both ends, within 0..n.
    Range wider(i64 more, i64 n) const {
        return {std::max<i64>(begin - more, 0), std::min(end + more, n)};
    }
};

// Indices of `inside` whose partner at distance `offset` also is in 0..n-1.
inline Range with_partner(Range inside, i64 offset, i64 n) {
    return {std::max(inside.begin, -offset), std::min(inside.end, n - offset)};
}

// Volumes with extra rows and elements around: as many as patches, partners and whole vectors
// reach beyond.
struct Frame {
    Size inner;
    Radius rows;     // margin in z and y (x unused)
    i64 left, width; // elements before the first of a row, and in all

    Frame(Size size, Radius patch, Radius search)
        : inner(size), rows(patch), left(round_up(std::max(patch.x, lanes) + search.x)),
          width(2 * left + round_up(size.x)) {}

    i64 height() const { return inner.y + 2 * rows.y; }
    i64 size() const { return (inner.z + 2 * rows.z) * height() * width; }
    i64 at(i64 volume, i64 z, i64 y) const {
        return volume * size() + ((z + rows.z) * height() + y + rows.y) * width + left;
    }
    // Where row number `row` of all volumes begins.
    i64 row(i64 row) const {
        return at(row / (inner.z * inner.y), row / inner.y % inner.z, row % inner.y);
    }
};

// A copy of the image with `mirrored` voxels beyond each face, zeros elsewhere.
template <class T> Array<T> framed(const T *image, i64 volumes, const Frame &frame, i64 mirrored) {
    Array<T> data(volumes * frame.size());
    const Size n = frame.inner;
    const i64 deep = n.z + 2 * frame.rows.z, high = frame.height();
    parallel_for(volumes * deep * high, 64, [&](i64 begin, i64 end, int) {
        for (i64 row = begin; row < end; ++row) {
            const i64 z = mirror(row / high % deep - frame.rows.z, n.z);
            const i64 y = mirror(row % high - frame.rows.y, n.y);
            const T *from = image + ((row / (high * deep) * n.z + z) * n.y + y) * n.x;
            T *to = data.data() + row * frame.width + frame.left;
            std::copy_n(from, n.x, to);
            for (i64 x = 1; x <= mirrored; ++x) {
                to[-x] = from[mirror(-x, n.x)];
                to[n.x - 1 + x] = from[mirror(n.x - 1 + x, n.x)];
            }
        }
    });
    return data;
}

} // namespace pyrad::nlm
