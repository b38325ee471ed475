// Amadasun & King, IEEE Trans. SMC 19 (1989) 1264, doi:10.1109/21.44046; Sun & Wee, CVGIP 23 (1983)
// 341, doi:10.1016/0734-189X(83)90032-4.
// Each neighbour is one vector pass over a row: adds its levels, its presence and its likeness to
// three short accumulators per voxel. Then every voxel increments its cells, in two
// copies used in turn, as equal neighbours would otherwise wait for each other's store.
#include "texture/neighbourhood.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 block = 32; // voxels: loops of constant length leave no remainder

// What is known of the voxels of a row. L levels, S sums of levels, N numbers of neighbours: as
// narrow as the case allows.
template <class L, class S, class N> struct Rows {
    std::vector<S> sum;
    std::vector<N> present, alike;
    std::vector<u32> difference;

    explicit Rows(i64 n) : sum(n), present(n), alike(n), difference(n) {}
};

// One neighbour of every voxel; n a multiple of the block wherever the volume goes on that far.
template <class L, class S, class N>
PYRAD_CLONES void add_neighbour(const L *here, const L *there, i64 n, L alpha, S *__restrict sum,
                                N *__restrict present, N *__restrict alike) {
    const auto one = [&](i64 x) {
        const L a = here[x], b = there[x];
        const L apart = a > b ? L(a - b) : L(b - a);
        sum[x] = static_cast<S>(sum[x] + b);
        present[x] = static_cast<N>(present[x] + (b != 0));
        alike[x] = static_cast<N>(alike[x] + ((b != 0) & (apart <= alpha)));
    };
    i64 x = 0;
    for (; x + block <= n; x += block)
        for (i64 k = x; k < x + block; ++k)
            one(k);
    for (; x < n; ++x)
        one(x);
}

template <class L, class S, class N>
PYRAD_CLONES void tone_row(const L *here, const S *sum, const N *present, i64 n,
                           u32 *__restrict difference) {
    for (i64 x = 0; x < n; ++x) {
        const u32 own = u32(here[x]) * u32(present[x]), others = sum[x];
        difference[x] = own > others ? own - others : others - own;
    }
}

struct Tables {
    i64 cells;
    std::vector<u64> number[2], difference[2], alike[2];

    void clear(i64 size) {
        cells = size;
        for (int c = 0; c < 2; ++c)
            for (auto *table : {&number[c], &difference[c], &alike[c]})
                table->assign(size, 0);
    }

    // Row 0 is left out.
    void add_to(i64 columns, u64 *tones, u64 *dependences) const {
        for (i64 k = columns; k < cells; ++k) {
            tones[2 * (k - columns)] += number[0][k] + number[1][k];
            tones[2 * (k - columns) + 1] += difference[0][k] + difference[1][k];
            dependences[k - columns] += alike[0][k] + alike[1][k];
        }
    }
};

// here: a row of n voxels, from which on `readable` may be read at every step.
template <class L, class S, class N>
void count_row(const L *here, i64 n, i64 readable, const std::vector<i64> &steps, L alpha,
               Rows<L, S, N> &rows, Tables &tables) {
    i64 first = 0;
    while (first < n && !here[first])
        ++first;
    while (n > first && !here[n - 1])
        --n;
    n -= first;
    const i64 whole = (n + block - 1) / block * block, done = first + whole <= readable ? whole : n;
    here += first;
    std::fill_n(rows.sum.data(), done, S(0));
    std::fill_n(rows.present.data(), done, N(0));
    std::fill_n(rows.alike.data(), done, N(0));
    for (i64 step : steps)
        add_neighbour(here, here + step, done, alpha, rows.sum.data(), rows.present.data(),
                      rows.alike.data());
    tone_row(here, rows.sum.data(), rows.present.data(), n, rows.difference.data());
    const i64 columns = static_cast<i64>(steps.size()) + 1;
    for (i64 x = 0; x < n; ++x) {
        const i64 row = here[x] * columns, tone = row + rows.present[x];
        ++tables.number[x & 1][tone];
        tables.difference[x & 1][tone] += rows.difference[x];
        ++tables.alike[x & 1][row + rows.alike[x]];
    }
}

template <class L, class S, class N>
void count_all(View<const L, 3> levels, i64 pad, const std::vector<i64> &steps, i64 ng, L alpha,
               bool by_slice, u64 *tones, u64 *dependences) {
    const i64 depth = levels.shape[0] - 2 * pad, n = levels.shape[2] - 2 * pad;
    const i64 columns = static_cast<i64>(steps.size()) + 1, cells = ng * columns;
    const i64 reach = steps.empty() ? 0 : *std::max_element(steps.begin(), steps.end());
    std::vector<Tables> tables(max_workers());
    std::vector<Rows<L, S, N>> rows(max_workers(), Rows<L, S, N>(n + block));
    parallel_for(depth, 1, [&](i64 z, i64, int worker) {
        if (by_slice || tables[worker].number[0].empty())
            tables[worker].clear(cells + columns);
        for (i64 y = pad; y < levels.shape[1] - pad; ++y) {
            poll();
            const L *here = &levels(z + pad, y, pad);
            count_row(here, n, levels.size() - reach - (here - levels.data), steps, alpha,
                      rows[worker], tables[worker]);
        }
        if (by_slice)
            tables[worker].add_to(columns, tones + 2 * z * cells, dependences + z * cells);
    });
    for (const Tables &mine : tables)
        if (!by_slice && !mine.number[0].empty())
            mine.add_to(columns, tones, dependences);
}

} // namespace

template <class L>
void neighbourhood(View<const L, 3> levels, i64 pad, const i32 *offsets, i64 count, i64 ng,
                   i32 alpha, bool by_slice, u64 *tones, u64 *dependences) {
    std::vector<i64> steps(count);
    for (i64 k = 0; k < count; ++k)
        steps[k] = offsets[3 * k] * levels.stride[0] + offsets[3 * k + 1] * levels.stride[1] +
                   offsets[3 * k + 2];
    const i64 cells = (by_slice ? levels.shape[0] - 2 * pad : 1) * ng * (count + 1);
    std::fill(tones, tones + 2 * cells, u64(0));
    std::fill(dependences, dependences + cells, u64(0));
    const L nearest = static_cast<L>(std::min<i64>(alpha, static_cast<L>(-1)));
    if (ng * count <= 65535 && count <= 255)
        count_all<L, u16, u8>(levels, pad, steps, ng, nearest, by_slice, tones, dependences);
    else
        count_all<L, u32, u16>(levels, pad, steps, ng, nearest, by_slice, tones, dependences);
}

template void neighbourhood(View<const u8, 3>, i64, const i32 *, i64, i64, i32, bool, u64 *, u64 *);
template void neighbourhood(View<const u16, 3>, i64, const i32 *, i64, i64, i32, bool, u64 *,
                            u64 *);

} // namespace pyrad
