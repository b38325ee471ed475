#include "texture/label_boxes.hpp"

#include "base/pool.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

struct Box {
    i64 begin[3], end[3], count = 0;

    void add(const Box &other) {
        for (int d = 0; d < 3; ++d) {
            begin[d] = count ? std::min(begin[d], other.begin[d]) : other.begin[d];
            end[d] = count ? std::max(end[d], other.end[d]) : other.end[d];
        }
        count += other.count;
    }
};

// Runs of one label at a time; eight bytes of background are skipped at once.
template <class T>
void add_row(const T *row, i64 n, i64 z, i64 y, i64 labels, std::vector<Box> &boxes) {
    constexpr i64 group = 8 / sizeof(T);
    for (i64 x = 0; x < n;) {
        const T label = row[x];
        if (label == 0) {
            u64 word = 1;
            if (x + group <= n)
                std::memcpy(&word, row + x, 8);
            x += word == 0 ? group : 1;
            continue;
        }
        const i64 first = x;
        while (x < n && row[x] == label)
            ++x;
        if (static_cast<i64>(label) > 0 && static_cast<i64>(label) < labels)
            boxes[static_cast<size_t>(label)].add({{z, y, first}, {z + 1, y + 1, x}, x - first});
    }
}

} // namespace

template <class T> void label_boxes(View<const T, 3> mask, i64 labels, i64 *out) {
    const i64 rows = mask.shape[0] * mask.shape[1], width = mask.shape[2];
    std::vector<std::vector<Box>> found(max_workers());
    parallel_for(rows, 64, [&](i64 begin, i64 end, int worker) {
        auto &mine = found[worker];
        mine.resize(labels);
        for (i64 row = begin; row < end; ++row)
            add_row(mask.data + row * width, width, row / mask.shape[1], row % mask.shape[1],
                    labels, mine);
    });
    std::fill(out, out + labels * label_box_columns, i64(0));
    for (i64 l = 1; l < labels; ++l) {
        Box all{};
        for (const auto &mine : found)
            if (!mine.empty() && mine[l].count)
                all.add(mine[l]);
        i64 *const to = out + l * label_box_columns;
        std::copy_n(all.begin, all.count ? 3 : 0, to);
        std::copy_n(all.end, all.count ? 3 : 0, to + 3);
        to[6] = all.count;
    }
}

template void label_boxes(View<const u8, 3>, i64, i64 *);
template void label_boxes(View<const u16, 3>, i64, i64 *);
template void label_boxes(View<const short, 3>, i64, i64 *);
template void label_boxes(View<const i32, 3>, i64, i64 *);
template void label_boxes(View<const i64, 3>, i64, i64 *);

} // namespace pyrad
