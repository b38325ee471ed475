// Amadasun & King, IEEE Trans. SMC 19 (1989) 1264, doi:10.1109/21.44046; Sun & Wee, CVGIP 23 (1983)
// 341, doi:10.1016/0734-189X(83)90032-4.
// Each neighbour is one vector pass over a row: adds its levels, its presence and its likeness to
// three short accumulators per voxel; the usual case, the nearest neighbours of 8-bit levels, has
// loops of its own (neighbour_box). Then every voxel increments its cells, in two copies used in
// turn, as equal neighbours would otherwise wait for each other's store.
#include "texture/neighbourhood.hpp"

#include "texture/neighbour_box.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
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

// Counters of one worker. Number and difference of a cell share a word, the number on top, and are
// taken apart before either could overflow.
class Tables {
  public:
    bool empty() const { return tone_[0].empty(); }

    void clear(i64 size) {
        number_.assign(size, 0);
        difference_.assign(size, 0);
        for (int c = 0; c < 2; ++c) {
            tone_[c].assign(size, 0);
            alike_[c].assign(size, 0);
        }
        held_ = 0;
    }

    // Room for `voxels` whose differences are at most `largest` each.
    void reserve(i64 voxels, u64 largest) {
        held_ += static_cast<u64>(voxels) * (largest + 1);
        if (held_ < number_one)
            return;
        take_apart();
        held_ = static_cast<u64>(voxels) * (largest + 1);
    }

    void count(i64 turn, i64 tone, u64 difference, i64 alike) {
        tone_[turn & 1][tone] += number_one + difference;
        ++alike_[turn & 1][alike];
    }

    // For differences that leave no room in a word.
    void count_apart(i64 turn, i64 tone, u64 difference, i64 alike) {
        ++number_[tone];
        difference_[tone] += difference;
        ++alike_[turn & 1][alike];
    }

    // Row 0 is left out.
    void add_to(i64 columns, u64 *tones, u64 *dependences) {
        take_apart();
        for (size_t k = columns; k < number_.size(); ++k) {
            tones[2 * (k - columns)] += number_[k];
            tones[2 * (k - columns) + 1] += difference_[k];
            dependences[k - columns] += alike_[0][k] + alike_[1][k];
        }
    }

  private:
    static constexpr int difference_bits = 40; // voxels < 2^24, as each holds one at least
    static constexpr u64 number_one = u64(1) << difference_bits;

    void take_apart() {
        for (auto &tone : tone_)
            for (size_t k = 0; k < tone.size(); ++k) {
                number_[k] += tone[k] >> difference_bits;
                difference_[k] += tone[k] & (number_one - 1);
                tone[k] = 0;
            }
    }

    std::vector<u64> number_, difference_, tone_[2], alike_[2];
    u64 held_ = 0;
};

// First voxel of a row that is not 0, and how many there are from it to the last such voxel.
template <class L> void trim(const L *&here, i64 &n) {
    i64 first = 0;
    while (first < n && !here[first])
        ++first;
    while (n > first && !here[n - 1])
        --n;
    here += first;
    n -= first;
}

// here: a row of n voxels, from which on `readable` may be read at every step.
template <class L, class S, class N>
void count_row(const L *here, i64 n, i64 readable, const std::vector<i64> &steps, L alpha,
               Rows<L, S, N> &rows, Tables &tables) {
    const L *const begin = here;
    trim(here, n);
    const i64 whole = (n + block - 1) / block * block;
    const i64 done = here - begin + whole <= readable ? whole : n;
    std::fill_n(rows.sum.data(), done, S(0));
    std::fill_n(rows.present.data(), done, N(0));
    std::fill_n(rows.alike.data(), done, N(0));
    for (i64 step : steps)
        add_neighbour(here, here + step, done, alpha, rows.sum.data(), rows.present.data(),
                      rows.alike.data());
    tone_row(here, rows.sum.data(), rows.present.data(), n, rows.difference.data());
    const i64 columns = static_cast<i64>(steps.size()) + 1;
    if constexpr (sizeof(S) == 2)
        tables.reserve(n, 65535);
    for (i64 x = 0; x < n; ++x) {
        const i64 row = here[x] * columns, tone = row + rows.present[x], like = row + rows.alike[x];
        if constexpr (sizeof(S) == 2)
            tables.count(x, tone, rows.difference[x], like);
        else
            tables.count_apart(x, tone, rows.difference[x], like);
    }
}

// The same for the nearest neighbours; false where the volume ends too early for whole blocks.
bool count_box_row(const u8 *here, i64 n, i64 readable, const std::vector<i64> &rows, BoxRow &row,
                   Tables &tables) {
    const u8 *const begin = here;
    trim(here, n);
    const i64 whole = (n + box_block - 1) / box_block * box_block;
    if (here - begin + whole + box_block > readable)
        return false;
    const i64 columns = 3 * static_cast<i64>(rows.size());
    box_cells(here, whole, rows, columns, row);
    tables.reserve(n, 65535);
    for (i64 x = 0; x < n; ++x)
        tables.count(x, row.tone[x], row.difference[x], row.alike[x]);
    return true;
}

// Steps to the rows around, itself included, if the neighbours are those at Chebyshev distance 1 in
// space or in the plane; else empty.
std::vector<i64> box_rows(const i32 *offsets, i64 count, std::array<i64, 3> stride) {
    std::vector<int> seen(27, 0);
    for (i64 k = 0; k < count; ++k) {
        const i32 *o = offsets + 3 * k;
        if (std::abs(o[0]) > 1 || std::abs(o[1]) > 1 || std::abs(o[2]) > 1)
            return {};
        ++seen[9 * (o[0] + 1) + 3 * (o[1] + 1) + o[2] + 1];
    }
    const bool space = count == 26, once = *std::max_element(seen.begin(), seen.end()) == 1;
    const i64 in_plane = std::count(seen.begin() + 9, seen.begin() + 18, 1);
    if (!once || seen[13] || (!space && (count != 8 || in_plane != 8)))
        return {};
    std::vector<i64> rows;
    for (i64 z = space ? -1 : 0; z <= (space ? 1 : 0); ++z)
        for (i64 y = -1; y <= 1; ++y)
            rows.push_back(z * stride[0] + y * stride[1]);
    return rows;
}

template <class L, class S, class N>
void count_all(View<const L, 3> levels, i64 pad, const std::vector<i64> &steps,
               const std::vector<i64> &box, i64 ng, L alpha, bool by_slice, u64 *tones,
               u64 *dependences) {
    const i64 depth = levels.shape[0] - 2 * pad, n = levels.shape[2] - 2 * pad;
    const i64 columns = static_cast<i64>(steps.size()) + 1, cells = ng * columns;
    const i64 reach = steps.empty() ? 0 : *std::max_element(steps.begin(), steps.end());
    std::vector<Tables> tables(max_workers());
    std::vector<Rows<L, S, N>> rows(max_workers(), Rows<L, S, N>(n + block));
    std::vector<BoxRow> boxes(box.empty() ? 0 : max_workers(), BoxRow(n + 2 * box_block));
    parallel_for(depth, 1, [&](i64 z, i64, int worker) {
        Tables &mine = tables[worker];
        if (by_slice || mine.empty())
            mine.clear(cells + columns);
        for (i64 y = pad; y < levels.shape[1] - pad; ++y) {
            poll();
            const L *here = &levels(z + pad, y, pad);
            const i64 readable = levels.size() - reach - (here - levels.data);
            if constexpr (sizeof(L) == 1)
                if (!box.empty() && count_box_row(here, n, readable, box, boxes[worker], mine))
                    continue;
            count_row(here, n, readable, steps, alpha, rows[worker], mine);
        }
        if (by_slice)
            mine.add_to(columns, tones + 2 * z * cells, dependences + z * cells);
    });
    for (Tables &mine : tables)
        if (!by_slice && !mine.empty())
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
    const auto box = alpha == 0 ? box_rows(offsets, count, levels.stride) : std::vector<i64>{};
    if (ng * count <= 65535 && count <= 255)
        count_all<L, u16, u8>(levels, pad, steps, box, ng, nearest, by_slice, tones, dependences);
    else
        count_all<L, u32, u16>(levels, pad, steps, box, ng, nearest, by_slice, tones, dependences);
}

template void neighbourhood(View<const u8, 3>, i64, const i32 *, i64, i64, i32, bool, u64 *, u64 *);
template void neighbourhood(View<const u16, 3>, i64, const i32 *, i64, i64, i32, bool, u64 *,
                            u64 *);

} // namespace pyrad
