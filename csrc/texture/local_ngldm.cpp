// Sun & Wee, CVGIP 23 (1983) 341, doi:10.1016/0734-189X(83)90032-4. Windows roll where levels and
// neighbours are few: a voxel that comes to depend on more or fewer neighbours changes its entry.
// Else one window after the other: every pair of neighbours in the window that depend on each other
// adds one to both.
#include "texture/local_matrices.hpp"
#include "texture/local_sizes.hpp"
#include "texture/rolling_neighbours.hpp"
#include "texture/rolling_sizes.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <cstdlib>
#include <cstring>

namespace pyrad {
namespace {

// --- rolling -----------------------------------------------------------------------------------

constexpr i64 most_rolling_steps = 127; // sums are bytes

#pragma GCC diagnostic ignored "-Wpsabi" // vectors stay within functions of this file
constexpr i64 lanes = NeighbourPlanes::block;
typedef u8 Bytes __attribute__((vector_size(lanes), aligned(1)));

// Neighbours (steps away in `other`) whose level is at most alpha from one's own.
PYRAD_CLONES void count_alike(const u8 *own, const u8 *other, const i64 *steps, i64 count,
                              i64 length, u8 alpha, u8 *out) {
    const auto at = [](const u8 *x) { return *reinterpret_cast<const Bytes *>(x); };
    for (i64 k = 0; k < length; k += lanes) {
        const Bytes level = at(own + k);
        Bytes sum = {};
        for (i64 s = 0; s < count; ++s) {
            const Bytes there = at(other + k + steps[s]);
            const Bytes apart = level > there ? level - there : there - level;
            sum -= reinterpret_cast<Bytes>((apart <= alpha) & (there != 0));
        }
        *reinterpret_cast<Bytes *>(out + k) = sum & reinterpret_cast<Bytes>(level != 0);
    }
}

class DependenceTable {
  public:
    using Word = u8;

    DependenceTable(i64 ng, i64 steps, i64 voxels, i64 alpha)
        : table(ng, 2 * steps + 1, voxels), alpha_(static_cast<u8>(std::min<i64>(alpha, 255))) {}

    template <class L> static u8 word(L level) { return static_cast<u8>(level); }

    void sums(const u8 *own, const u8 *other, const std::vector<i64> &steps, i64 length,
              u8 *out) const {
        count_alike(own, other, steps.data(), static_cast<i64>(steps.size()), length, alpha_, out);
    }

    void enter(i64, const u8 *levels, const u8 *alike, i64 length) {
        each_set(levels, length, [&](i64 k) { table.add(levels[k], 1 + alike[k]); });
    }

    void leave(i64, const u8 *levels, const u8 *alike, i64 length) {
        each_set(levels, length, [&](i64 k) { table.remove(levels[k], 1 + alike[k]); });
    }

    template <int by>
    void change(i64, const u8 *levels, const u8 *difference, u8 *alike, i64 length) {
        each_set(difference, length, [&](i64 k) {
            const u8 now = static_cast<u8>(alike[k] + by * difference[k]);
            table.resize(levels[k], 1 + alike[k], 1 + now);
            alike[k] = now;
        });
    }

    void wipe() { table.wipe(); }

    RollingSizes table;

  private:
    // work(k) where a byte is not 0.
    template <class Work> static void each_set(const u8 *bytes, i64 length, const Work &work) {
        for (i64 begin = 0; begin < length; begin += 8) {
            u64 word;
            std::memcpy(&word, bytes + begin, 8);
            for (i64 k = begin; word; ++k, word >>= 8)
                if (word & 255)
                    work(k);
        }
    }

    u8 alpha_;
};

template <class L>
void roll(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &window, i64 ng,
          i64 alpha, double *out) {
    const NeighbourPlanes planes(window, levels.shape.data());
    std::vector<DependenceTable> tables(max_workers(),
                                        DependenceTable(ng, window.count, window.voxels(), alpha));
    parallel_for(count, 256, [&](i64 begin, i64 end, int worker) {
        DependenceTable &found = tables[worker];
        NeighbourWindow<L, DependenceTable> moving(levels, planes, found);
        for (i64 c = begin; c < end; ++c) {
            poll();
            moving.move_to(centres[c]);
            double *const to = out + c * size_feature_count;
            if (found.table.entries())
                found.table.features(false, to);
            else
                std::fill_n(to, size_feature_count, std::numeric_limits<double>::quiet_NaN());
        }
    });
}

// --- one window after the other ------------------------------------------------------------------

struct Scratch {
    LocalSizes table;
    std::vector<i32> levels, alike;
};

// Most voxels that can be alike: one and all its neighbours in the window.
i64 most_alike(const LocalPairs &window) {
    std::vector<i64> number(window.size, 1);
    for (i32 v : window.pairs)
        ++number[v];
    return *std::max_element(number.begin(), number.end());
}

void one_window(const LocalPairs &window, i64 alpha, Scratch &s, double *out) {
    std::fill(s.alike.begin(), s.alike.end(), 1);
    for (size_t p = 0; p < window.pairs.size(); p += 2) {
        const i32 a = window.pairs[p], b = window.pairs[p + 1];
        const i32 i = s.levels[a], j = s.levels[b];
        const bool like = (i != 0) & (j != 0) & (std::abs(i - j) <= alpha);
        s.alike[a] += like;
        s.alike[b] += like;
    }
    for (i64 v = 0; v < window.size; ++v)
        s.table.add_if(s.levels[v] != 0, s.levels[v], s.alike[v]);
    s.table.features(false, out);
}

} // namespace

template <class L>
void local_ngldm(View<const L, 3> levels, const i64 *centres, i64 count, const LocalSteps &steps,
                 i64 ng, i64 alpha, double *out) {
    if (ng <= most_rolling_levels && steps.count <= most_rolling_steps)
        return roll(levels, centres, count, steps, ng, alpha, out);
    const LocalPairs window(steps, levels.shape.data());
    const std::vector<i32> voxels(window.size);
    std::vector<Scratch> workers(
        max_workers(),
        Scratch{LocalSizes(ng, window.size, most_alike(window), window.size), voxels, voxels});
    parallel_for(count, 64, [&](i64 begin, i64 end, int worker) {
        Scratch &s = workers[worker];
        for (i64 c = begin; c < end; ++c) {
            poll();
            copy_window(levels.data + centres[c], window.offsets.data(), window.size,
                        s.levels.data());
            one_window(window, alpha, s, out + c * size_feature_count);
        }
    });
}

template void local_ngldm(View<const u8, 3>, const i64 *, i64, const LocalSteps &, i64, i64,
                          double *);
template void local_ngldm(View<const u16, 3>, const i64 *, i64, const LocalSteps &, i64, i64,
                          double *);

} // namespace pyrad
