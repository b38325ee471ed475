#include "texture/roi.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 grain = 64; // rows per tile

struct RowCount {
    i64 equal, invalid;
};

// Bitwise, so that loops of it have no branches.
template <class T> inline bool is_label(T x) {
    if constexpr (std::is_floating_point_v<T>)
        return (x >= T(0)) & (x == std::floor(x)) & (x < T(9e18)); // false for NaN
    else
        return !(x < T(0));
}

// As wide as the values, so that comparisons need no widening; blocks too short to overflow it.
template <class T>
using Counter = std::conditional_t<
    sizeof(T) == 1, u8,
    std::conditional_t<sizeof(T) == 2, u16, std::conditional_t<sizeof(T) == 4, u32, u64>>>;
constexpr i64 block = 128;

template <class T> PYRAD_CLONES RowCount count_row(const T *row, i64 n, T label) {
    i64 equal = 0, invalid = 0;
    for (i64 x = 0; x < n; x += block) {
        Counter<T> same = 0, wrong = 0;
        const i64 end = min_of(n - x, block);
        for (i64 k = 0; k < end; ++k) {
            same = static_cast<Counter<T>>(same + (row[x + k] == label));
            wrong = static_cast<Counter<T>>(wrong + !is_label(row[x + k]));
        }
        equal += same;
        invalid += wrong;
    }
    return {equal, invalid};
}

constexpr u64 ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;

// Number of values where mask != 0, moved to `kept` (n + 1 long). Eight outside voxels at a time
// are skipped, eight inside ones copied.
template <class T> i64 gather_row(const T *values, const u8 *mask, i64 n, T *kept) {
    i64 count = 0;
    for (i64 x = 0; x < n; x += 8) {
        u64 word = 1;
        if (x + 8 <= n)
            std::memcpy(&word, mask + x, 8);
        if (word == 0)
            continue;
        if (x + 8 <= n && (((word - ones) & ~word & tops) == 0)) { // no byte is 0
            std::memcpy(kept + count, values + x, 8 * sizeof(T));
            count += 8;
            continue;
        }
        for (i64 k = x; k < min_of(x + 8, n); ++k) {
            kept[count] = values[k];
            count += mask[k] != 0;
        }
    }
    return count;
}

// Floats as integers of the same order, as minima of integers run in wide registers.
template <class T> using Key = std::conditional_t<sizeof(T) == 4, i32, i64>;
template <class T> constexpr Key<T> largest_key = std::numeric_limits<Key<T>>::max();

template <class T> inline Key<T> key_of(Key<T> bits) {
    return bits ^ ((bits >> (8 * sizeof(T) - 1)) & largest_key<T>); // its own inverse
}

template <class T> struct RowRange {
    Key<T> low, high;
    i64 nonfinite;
};

template <class T>
PYRAD_CLONES void range_row(const T *values, const u8 *mask, i64 n, RowRange<T> &out) {
    constexpr Key<T> exponent = sizeof(T) == 4 ? Key<T>(0x7F800000) : Key<T>(0x7FF0000000000000);
    Key<T> low = largest_key<T>, high = ~largest_key<T>, inside = 0, kept = 0;
    for (i64 x = 0; x < n; ++x) {
        Key<T> bits;
        std::memcpy(&bits, values + x, sizeof bits);
        const Key<T> in = mask[x] != 0, used = in & Key<T>((bits & exponent) != exponent);
        const Key<T> key = key_of<T>(bits), select = -used;
        const Key<T> least = (key & select) | (largest_key<T> & ~select);
        const Key<T> most = (key & select) | (~largest_key<T> & ~select);
        low = least < low ? least : low;
        high = most > high ? most : high;
        inside += in;
        kept += used;
    }
    out = {low, high, static_cast<i64>(inside - kept)};
}

template <class T> double value_of(Key<T> key) {
    const Key<T> bits = key_of<T>(key);
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return static_cast<double>(value);
}

struct TileBounds {
    i64 low[3], high[3], count = 0, invalid = 0, first_invalid = -1;
};

template <class T>
void scan_row(const T *row, i64 n, T label, i64 z, i64 y, i64 flat, TileBounds &tile) {
    const RowCount found = count_row(row, n, label);
    if (found.invalid) {
        if (tile.first_invalid < 0) {
            i64 x = 0;
            while (is_label(row[x]))
                ++x;
            tile.first_invalid = flat + x;
        }
        tile.invalid += found.invalid;
    }
    if (!found.equal)
        return;
    // Only what lies beyond the box so far is looked at.
    i64 first = 0, last = n - 1;
    const i64 low_x = tile.count ? tile.low[2] : n - 1, high_x = tile.count ? tile.high[2] : 0;
    while (first < low_x && row[first] != label)
        ++first;
    while (last > high_x && row[last] != label)
        --last;
    const i64 low[3] = {z, y, first}, high[3] = {z, y, last};
    for (int d = 0; d < 3; ++d) {
        tile.low[d] = tile.count ? min_of(tile.low[d], low[d]) : low[d];
        tile.high[d] = tile.count ? max_of(tile.high[d], high[d]) : high[d];
    }
    tile.count += found.equal;
}

RoiBounds merged(const std::vector<TileBounds> &tiles) {
    RoiBounds all{{0, 0, 0}, {0, 0, 0}, 0, 0, -1};
    for (const TileBounds &tile : tiles) {
        if (all.first_invalid < 0)
            all.first_invalid = tile.first_invalid;
        all.invalid += tile.invalid;
        if (!tile.count)
            continue;
        for (int d = 0; d < 3; ++d) {
            all.begin[d] = all.count ? min_of(all.begin[d], tile.low[d]) : tile.low[d];
            all.end[d] = all.count ? max_of(all.end[d], tile.high[d] + 1) : tile.high[d] + 1;
        }
        all.count += tile.count;
    }
    return all;
}

} // namespace

template <class T> RoiBounds mask_bounds(View<const T, 3> mask, double label) {
    const i64 rows = mask.shape[0] * mask.shape[1], width = mask.shape[2];
    const T wanted = static_cast<T>(label);
    std::vector<TileBounds> tiles((rows + grain - 1) / grain);
    parallel_for(rows, grain, [&](i64 begin, i64 end, int) {
        for (i64 row = begin; row < end; ++row)
            scan_row(mask.data + row * width, width, wanted, row / mask.shape[1],
                     row % mask.shape[1], row * width, tiles[begin / grain]);
    });
    return merged(tiles);
}

template <class T> ValueRange masked_range(View<const T, 3> values, View<const u8, 3> mask) {
    constexpr i64 tile = 1 << 15;
    const i64 size = values.size();
    std::vector<RowRange<T>> tiles((size + tile - 1) / tile);
    parallel_for(size, tile, [&](i64 begin, i64 end, int) {
        range_row(values.data + begin, mask.data + begin, end - begin, tiles[begin / tile]);
    });
    RowRange<T> all{largest_key<T>, ~largest_key<T>, 0};
    for (const RowRange<T> &part : tiles)
        all = {min_of(all.low, part.low), max_of(all.high, part.high),
               all.nonfinite + part.nonfinite};
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const bool none = all.low > all.high;
    return {all.nonfinite, none ? infinity : value_of<T>(all.low),
            none ? -infinity : value_of<T>(all.high)};
}

template <class T>
void gather(View<const T, 3> values, View<const u8, 3> mask, T *out, i64 out_size) {
    const i64 rows = values.shape[0] * values.shape[1], width = values.shape[2];
    const i64 tiles = (rows + grain - 1) / grain;
    std::vector<i64> start(tiles + 1, 0);
    parallel_for(rows, grain, [&](i64 begin, i64 end, int) {
        const i64 voxels = (end - begin) * width;
        start[begin / grain + 1] =
            voxels - count_row<u8>(mask.data + begin * width, voxels, 0).equal;
    });
    for (i64 t = 0; t < tiles; ++t)
        start[t + 1] += start[t];
    if (start[tiles] != out_size)
        fail(ErrorKind::shape, "out has ", out_size, " elements, the mask ", start[tiles]);
    parallel_for(rows, grain, [&](i64 begin, i64 end, int) {
        std::vector<T> kept(width + 1); // every value is written, the inside ones stay
        T *to = out + start[begin / grain];
        for (i64 row = begin; row < end; ++row) {
            const i64 count =
                gather_row(values.data + row * width, mask.data + row * width, width, kept.data());
            to = std::copy_n(kept.data(), count, to);
        }
    });
}

#define PYRAD_MASK(T) template RoiBounds mask_bounds(View<const T, 3>, double);
PYRAD_MASK(u8)
PYRAD_MASK(u16)
PYRAD_MASK(short)
PYRAD_MASK(i32)
PYRAD_MASK(i64)
PYRAD_MASK(float)
PYRAD_MASK(double)
#undef PYRAD_MASK
template ValueRange masked_range(View<const float, 3>, View<const u8, 3>);
template ValueRange masked_range(View<const double, 3>, View<const u8, 3>);
template void gather(View<const float, 3>, View<const u8, 3>, float *, i64);
template void gather(View<const double, 3>, View<const u8, 3>, double *, i64);

} // namespace pyrad
