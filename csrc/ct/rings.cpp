// Sorting along the views and medians across the columns, the two halves of stripe removal by
// Vo, Atwood, Drakopoulos, Optics Express 26, 28396, 2018, doi:10.1364/OE.26.028396.
//
// Sorting is a radix sort of (key, view) by bytes, the key being the number's bits made monotonic;
// bytes that all values share cost nothing. The medians keep the window of columns sorted, for a
// register of ranks at a time: the column that leaves is taken out and the one that comes is put in
// by one sweep of minima and maxima, without a branch.
#include "ct/rings.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 block = 16; // columns that go through the cache together

template <class T> struct Item {
    std::conditional_t<sizeof(T) == 4, u32, u64> key;
    u32 view;
};

// Unsigned integer that sorts as the number does; -0 counts as 0.
template <class T> auto key_of(T x) {
    using Key = decltype(Item<T>::key);
    constexpr Key sign = Key(1) << (8 * sizeof(T) - 1);
    x += T(0);
    Key bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
}

template <class T> T number_of(decltype(Item<T>::key) key) {
    using Key = decltype(Item<T>::key);
    constexpr Key sign = Key(1) << (8 * sizeof(T) - 1);
    key = key & sign ? key & ~sign : ~key;
    T x;
    std::memcpy(&x, &key, sizeof x);
    return x;
}

template <class T> struct Sorter {
    static constexpr int bytes = sizeof(T);
    std::vector<Item<T>> items, spare;
    u32 counts[bytes][256];

    explicit Sorter(i64 size) : items(size), spare(size) {}

    void count() {
        std::memset(counts, 0, sizeof counts);
        for (const Item<T> &item : items)
            for (int b = 0; b < bytes; ++b)
                ++counts[b][item.key >> 8 * b & 255];
    }

    void sort() {
        count();
        for (int b = 0; b < bytes; ++b) {
            if (counts[b][items[0].key >> 8 * b & 255] == items.size())
                continue;
            u32 at = 0;
            for (u32 &n : counts[b]) {
                const u32 here = n;
                n = at;
                at += here;
            }
            for (const Item<T> &item : items)
                spare[counts[b][item.key >> 8 * b & 255]++] = item;
            items.swap(spare);
        }
    }
};

// As many numbers as fit into 64 bytes, anywhere in memory.
template <class T> struct Lanes;
template <> struct Lanes<float> {
    typedef float type __attribute__((vector_size(64), aligned(4), may_alias));
};
template <> struct Lanes<double> {
    typedef double type __attribute__((vector_size(64), aligned(8), may_alias));
};

// All columns of one row at `width` ranks side by side, from x to out.
template <class T>
PYRAD_CLONES void median_lanes(const T *x, i64 columns, i64 stride, i64 size, i64 width, T *out,
                               typename Lanes<T>::type *window) {
    using V = typename Lanes<T>::type;
    const i64 half = size / 2, bytes = width * static_cast<i64>(sizeof(T));
    V first = {};
    std::memcpy(&first, x, bytes);
    for (i64 i = 0; i < size; ++i)
        window[i] = first;
    for (i64 c = 1 - half; c < columns; ++c) {
        V gone = {}, come = {};
        std::memcpy(&gone, x + std::max<i64>(0, c - half - 1) * stride, bytes);
        std::memcpy(&come, x + std::min(columns - 1, c + half) * stride, bytes);
        V before = window[0] < gone ? window[0] : window[1];
        V left = before; // the window without `gone`
        window[0] = come < before ? come : before;
        for (i64 i = 1; i < size - 1; ++i) {
            before = window[i] < gone ? window[i] : window[i + 1];
            const V low = left < come ? come : left;
            window[i] = low < before ? low : before;
            left = before;
        }
        window[size - 1] = left < come ? come : left;
        if (c >= 0)
            std::memcpy(out + c * stride, &window[half], bytes);
    }
}

} // namespace

template <class T>
void rank_views(View<const T, 3> x, i64 first_row, View<T, 3> ranked, View<i32, 3> order) {
    const i64 views = x.shape[0], columns = x.shape[2];
    const i64 blocks = (columns + block - 1) / block;
    parallel_for(ranked.shape[0] * blocks, 1, [&](i64 begin, i64 end, int) {
        Sorter<T> sorter(views);
        std::vector<T> lines(block * views);
        for (i64 b = begin; b < end; ++b) {
            const i64 row = b / blocks, first = b % blocks * block;
            const i64 width = std::min(block, columns - first);
            for (i64 v = 0; v < views; ++v)
                for (i64 c = 0; c < width; ++c)
                    lines[c * views + v] = x(v, first_row + row, first + c);
            for (i64 c = 0; c < width; ++c) {
                for (i64 v = 0; v < views; ++v)
                    sorter.items[v] = {key_of(lines[c * views + v]), static_cast<u32>(v)};
                sorter.sort();
                T *values = &ranked(row, first + c, 0);
                i32 *from = &order(row, first + c, 0);
                for (i64 v = 0; v < views; ++v) {
                    values[v] = number_of<T>(sorter.items[v].key);
                    from[v] = static_cast<i32>(sorter.items[v].view);
                }
            }
            poll();
        }
    });
}

template <class T> void median_columns(View<const T, 3> x, i64 size, View<T, 3> out) {
    using V = typename Lanes<T>::type;
    const i64 lanes = sizeof(V) / sizeof(T);
    const i64 columns = x.shape[1], ranks = x.shape[2];
    const i64 blocks = (ranks + lanes - 1) / lanes;
    parallel_for(x.shape[0] * blocks, 1, [&](i64 begin, i64 end, int) {
        std::vector<T> window(size * lanes);
        for (i64 b = begin; b < end; ++b) {
            const i64 row = b / blocks, first = b % blocks * lanes;
            median_lanes(&x(row, 0, first), columns, ranks, size, std::min(lanes, ranks - first),
                         &out(row, 0, first), reinterpret_cast<V *>(window.data()));
            poll();
        }
    });
}

template <class T>
void unrank_views(View<const T, 3> ranked, View<const i32, 3> order, i64 first_row,
                  View<T, 3> out) {
    const i64 columns = ranked.shape[1], views = ranked.shape[2];
    const i64 blocks = (columns + block - 1) / block;
    parallel_for(ranked.shape[0] * blocks, 1, [&](i64 begin, i64 end, int) {
        std::vector<T> lines(block * views);
        for (i64 b = begin; b < end; ++b) {
            const i64 row = b / blocks, first = b % blocks * block;
            const i64 width = std::min(block, columns - first);
            for (i64 c = 0; c < width; ++c) {
                const T *values = &ranked(row, first + c, 0);
                const i32 *to = &order(row, first + c, 0);
                for (i64 k = 0; k < views; ++k)
                    lines[to[k] * block + c] = values[k];
            }
            for (i64 v = 0; v < views; ++v)
                std::copy_n(&lines[v * block], width, &out(v, first_row + row, first));
        }
    });
}

template void rank_views(View<const float, 3>, i64, View<float, 3>, View<i32, 3>);
template void rank_views(View<const double, 3>, i64, View<double, 3>, View<i32, 3>);
template void median_columns(View<const float, 3>, i64, View<float, 3>);
template void median_columns(View<const double, 3>, i64, View<double, 3>);
template void unrank_views(View<const float, 3>, View<const i32, 3>, i64, View<float, 3>);
template void unrank_views(View<const double, 3>, View<const i32, 3>, i64, View<double, 3>);

} // namespace pyrad
