// Counting. Small tables: one pass over the voxels, all offsets at once, skipping outside voxels;
// outside neighbours (level 0) fall into row and column 0, which are dropped. Every worker has two
// private copies, used in turn, as runs of equal levels would otherwise wait for their own store.
// Large tables: one offset per task, so that one table at a time is in the cache.
// All sums are integers: the counts do not depend on the number of threads.
#include "texture/glcm.hpp"

#include "base/pool.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 small_tables_bytes = 2 << 20;

// Row length of the tables: known at compile time for the usual sizes, odd, as powers of two would
// map the rows onto few cache sets.
i64 stride_for(i64 ng) {
    for (i64 stride : {17, 33, 65, 129})
        if (ng < stride)
            return stride;
    return (ng + 1) | 1;
}

// Private counters of one worker: copies x levels (ng + 1) x offsets x stride.
template <class C> struct Tables {
    i64 count, ng, stride, size;
    std::vector<C> cells;

    Tables(i64 count, i64 ng)
        : count(count), ng(ng), stride(stride_for(ng)), size((ng + 1) * count * stride) {}

    void clear() { cells.assign(2 * size, 0); }

    // to[k][i][j] += counts, rows and columns 0 left out.
    void add_to(C *to, i64 k) const {
        for (i64 i = 0; i < ng; ++i) {
            const C *row = cells.data() + ((i + 1) * count + k) * stride + 1;
            for (i64 j = 0; j < ng; ++j)
                to[(k * ng + i) * ng + j] += row[j] + row[size + j];
        }
    }
};

// The next voxel that is not 0, from x on; eight bytes of outside voxels at a time are skipped.
template <class L> i64 first_inside(const L *line, i64 x, i64 n) {
    constexpr i64 group = 8 / sizeof(L);
    while (x < n && !line[x]) {
        u64 word = 1;
        if (x + group <= n)
            std::memcpy(&word, line + x, 8);
        x += word == 0 ? group : 1;
    }
    return x;
}

// K, S > 0: number of offsets and stride known at compile time, so that the inner loop unrolls.
template <int K, int S, class L, class C>
void count_line(const L *line, i64 n, const i64 *steps, Tables<C> &tables) {
    const i64 stride = S > 0 ? S : tables.stride, offsets = K > 0 ? K : tables.count;
    C *const copies[2] = {tables.cells.data(), tables.cells.data() + tables.size};
    for (i64 x = first_inside(line, 0, n); x < n; x = first_inside(line, x + 1, n)) {
        const i64 level = line[x];
        C *row = copies[x & 1] + level * offsets * stride;
        for (i64 k = 0; k < offsets; ++k)
            ++row[k * stride + line[x + steps[k]]];
    }
}

template <class L, class C> using CountLine = void (*)(const L *, i64, const i64 *, Tables<C> &);

template <int K, class L, class C> CountLine<L, C> line_counter(i64 stride) {
    switch (stride) {
    case 17:
        return count_line<K, 17, L, C>;
    case 33:
        return count_line<K, 33, L, C>;
    case 65:
        return count_line<K, 65, L, C>;
    case 129:
        return count_line<K, 129, L, C>;
    default:
        return count_line<K, 0, L, C>;
    }
}

template <class L, class C>
void count_slice(View<const L, 3> levels, i64 pad, i64 z, const std::vector<i64> &steps,
                 Tables<C> &tables) {
    const i64 n = levels.shape[2] - 2 * pad;
    const auto counter = tables.count == 13  ? line_counter<13, L, C>(tables.stride)
                         : tables.count == 4 ? line_counter<4, L, C>(tables.stride)
                                             : count_line<0, 0, L, C>;
    for (i64 y = pad; y < levels.shape[1] - pad; ++y)
        counter(&levels(z, y, pad), n, steps.data(), tables);
}

template <class L, class C>
void count_whole(View<const L, 3> levels, i64 pad, const std::vector<i64> &steps, i64 ng, C *out) {
    const i64 depth = levels.shape[0] - 2 * pad, count = static_cast<i64>(steps.size());
    std::vector<Tables<C>> tables(max_workers(), Tables<C>(count, ng));
    parallel_for(depth, 1, [&](i64 begin, i64, int worker) {
        if (tables[worker].cells.empty())
            tables[worker].clear();
        count_slice(levels, pad, begin + pad, steps, tables[worker]);
    });
    parallel_for(count, 1, [&](i64 k, i64, int) {
        for (const auto &mine : tables)
            if (!mine.cells.empty())
                mine.add_to(out, k);
    });
}

template <class L, class C>
void count_by_slice(View<const L, 3> levels, i64 pad, const std::vector<i64> &steps, i64 ng,
                    C *out) {
    const i64 depth = levels.shape[0] - 2 * pad, count = static_cast<i64>(steps.size());
    std::vector<Tables<C>> tables(max_workers(), Tables<C>(count, ng));
    parallel_for(depth, 1, [&](i64 z, i64, int worker) {
        tables[worker].clear();
        count_slice(levels, pad, z + pad, steps, tables[worker]);
        for (i64 k = 0; k < count; ++k)
            tables[worker].add_to(out + z * count * ng * ng, k);
    });
}

// One table, counted straight into the result; slices [begin, end) of the padded volume.
template <class L, class C>
void count_direct(View<const L, 3> levels, i64 pad, i64 begin, i64 end, i64 step, i64 ng, C *out) {
    const i64 n = levels.shape[2] - 2 * pad;
    for (i64 z = begin; z < end; ++z) {
        poll();
        for (i64 y = pad; y < levels.shape[1] - pad; ++y) {
            const L *line = &levels(z, y, pad);
            for (i64 x = 0; x < n; ++x)
                if (line[x] && line[x + step])
                    ++out[(line[x] - i64(1)) * ng + line[x + step] - 1];
        }
    }
}

} // namespace

template <class L, class C>
void glcm_count(View<const L, 3> levels, i64 pad, const i32 *offsets, i64 count, i64 ng,
                bool by_slice, C *out) {
    const i64 depth = levels.shape[0] - 2 * pad;
    if (levels.size() > static_cast<i64>(static_cast<C>(-1) >> 1))
        fail(ErrorKind::memory, "a region of ", levels.size(), " voxels overflows the counters");
    std::vector<i64> steps(count);
    for (i64 k = 0; k < count; ++k)
        steps[k] = offsets[3 * k] * levels.stride[0] + offsets[3 * k + 1] * levels.stride[1] +
                   offsets[3 * k + 2];
    std::fill(out, out + (by_slice ? depth : 1) * count * ng * ng, C(0));
    const bool small = count * (ng + 1) * (ng + 1) * i64(sizeof(C)) <= small_tables_bytes;
    if (small && by_slice)
        count_by_slice(levels, pad, steps, ng, out);
    else if (small)
        count_whole(levels, pad, steps, ng, out);
    else if (by_slice)
        parallel_for(depth * count, 1, [&](i64 t, i64, int) {
            const i64 z = t / count + pad;
            count_direct(levels, pad, z, z + 1, steps[t % count], ng, out + t * ng * ng);
        });
    else
        parallel_for(count, 1, [&](i64 k, i64, int) {
            count_direct(levels, pad, pad, depth + pad, steps[k], ng, out + k * ng * ng);
        });
}

#define PYRAD_GLCM(L, C)                                                                           \
    template void glcm_count(View<const L, 3>, i64, const i32 *, i64, i64, bool, C *);
PYRAD_GLCM(u8, u32)
PYRAD_GLCM(u8, u64)
PYRAD_GLCM(u16, u32)
PYRAD_GLCM(u16, u64)
#undef PYRAD_GLCM

} // namespace pyrad
