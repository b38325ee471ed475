// Box sums of the pairs' weights. A tile marches along z: a column holds the sum over the window's
// z, a row of sums goes along y, one sum along x; at each step what is ahead of the box enters and
// what is behind it leaves. The sums are integers (pair_sums_math.hpp), hence exact, so a value
// depends on nothing but its window. Features follow for many centres at a time.
#include "texture/local_pair_sums.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "texture/pair_plan.hpp"
#include "texture/window_features.hpp"

#include <cstdlib>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile_shape[3] = {16, 8, 32};

#pragma GCC diagnostic ignored "-Wpsabi" // vectors stay within functions of this file
typedef i64 Powers __attribute__((vector_size(8 * pair_power_count), aligned(8)));
typedef i64 Differences __attribute__((vector_size(8 * pair_difference_count), aligned(8)));

constexpr int channel_count = pair_power_count + pair_difference_count;

struct BoxSums {
    Powers power = {};
    Differences difference = {};
};
static_assert(sizeof(BoxSums) == 8 * channel_count);

// Weights of a pair by i + j and by |i - j| + 1; the first rows, of what is no pair, are 0.
struct WeightRows {
    std::vector<i64> by_sum, by_difference;

    WeightRows(const PairWeights &w, i64 ng)
        : by_sum((2 * ng + 1) * pair_power_count), by_difference((ng + 1) * pair_difference_count) {
        std::copy_n(w.by_sum, (2 * ng - 1) * pair_power_count,
                    by_sum.data() + 2 * pair_power_count);
        std::copy_n(w.by_difference, ng * pair_difference_count,
                    by_difference.data() + pair_difference_count);
    }
};

// Pairs of one row: places in the tables.
struct Codes {
    std::vector<i32> sum, difference;
};

template <class L>
PYRAD_CLONES void find_codes(const L *at, i64 offset, i64 n, i32 *sum, i32 *difference) {
    for (i64 x = 0; x < n; ++x) {
        const i32 i = at[x], j = at[x + offset];
        const i32 both = -static_cast<i32>((i != 0) & (j != 0));
        sum[x] = (i + j) & both;
        difference[x] = (std::abs(i - j) + 1) & both;
    }
}

template <int sign>
PYRAD_CLONES void add_pairs(const WeightRows &rows, const Codes &codes, i64 n, BoxSums *sums) {
    const i64 *const by_sum = rows.by_sum.data(), *const by_difference = rows.by_difference.data();
    for (i64 x = 0; x < n; ++x) {
        const Powers power =
            *reinterpret_cast<const Powers *>(by_sum + codes.sum[x] * pair_power_count);
        const Differences difference = *reinterpret_cast<const Differences *>(
            by_difference + codes.difference[x] * pair_difference_count);
        sums[x].power += sign > 0 ? power : -power;
        sums[x].difference += sign > 0 ? difference : -difference;
    }
}

template <int sign> PYRAD_CLONES void add_row(const BoxSums *row, i64 n, BoxSums *sums) {
    for (i64 x = 0; x < n; ++x) {
        sums[x].power += sign > 0 ? row[x].power : -row[x].power;
        sums[x].difference += sign > 0 ? row[x].difference : -row[x].difference;
    }
}

// Adds to sums[c] those of row[x + k], 0 <= k < width, for x = columns[c], which ascend.
PYRAD_CLONES void add_boxes(const BoxSums *row, i64 width, const i32 *columns, i64 n,
                            BoxSums *sums) {
    BoxSums box;
    i64 at = columns[0];
    for (i64 k = 0; k < width; ++k) {
        box.power += row[at + k].power;
        box.difference += row[at + k].difference;
    }
    for (i64 c = 0; c < n; ++c) {
        for (; at < columns[c]; ++at) {
            box.power += row[at + width].power - row[at].power;
            box.difference += row[at + width].difference - row[at].difference;
        }
        sums[c].power += box.power;
        sums[c].difference += box.difference;
    }
}

// The centres within a box of voxels, row by row.
struct Tile {
    i64 low[3] = {}, high[3] = {}; // of the centres; the ends do not belong to it
    std::vector<i64> first;        // per row (z, y) of the box: its first centre
    std::vector<i32> start;        // its first place in columns, which ends where the next begins
    std::vector<i32> columns;      // x - low[2]

    i64 row(i64 z, i64 y) const { return (z - low[0]) * (high[1] - low[1]) + y - low[1]; }

    void find(const i64 *centres, i64 count, const i64 *shape, const i64 *from, const i64 *to) {
        for (int axis = 0; axis < 3; ++axis) {
            low[axis] = to[axis];
            high[axis] = from[axis];
        }
        first.clear();
        columns.clear();
        for (i64 z = from[0]; z < to[0]; ++z)
            for (i64 y = from[1]; y < to[1]; ++y) {
                const i64 row = (z * shape[1] + y) * shape[2];
                const i64 *const begin = std::lower_bound(centres, centres + count, row + from[2]);
                const i64 *const end = std::lower_bound(begin, centres + count, row + to[2]);
                if (begin == end)
                    continue;
                widen(0, z, z);
                widen(1, y, y);
                widen(2, *begin - row, end[-1] - row);
            }
        if (low[0] < high[0])
            list(centres, count, shape);
    }

  private:
    void widen(int axis, i64 least, i64 most) {
        low[axis] = std::min(low[axis], least);
        high[axis] = std::max(high[axis], most + 1);
    }

    void list(const i64 *centres, i64 count, const i64 *shape) {
        start.assign(1, 0);
        for (i64 z = low[0]; z < high[0]; ++z)
            for (i64 y = low[1]; y < high[1]; ++y) {
                const i64 row = (z * shape[1] + y) * shape[2];
                i64 c = std::lower_bound(centres, centres + count, row + low[2]) - centres;
                first.push_back(c);
                for (; c < count && centres[c] < row + high[2]; ++c)
                    columns.push_back(static_cast<i32>(centres[c] - row - low[2]));
                start.push_back(static_cast<i32>(columns.size()));
            }
    }
};

// What one worker needs.
struct Scratch {
    Tile tile;
    Codes codes;
    std::vector<std::vector<BoxSums>> columns; // per direction of a group
    std::vector<BoxSums> row, sums;
    WindowFeatures averages;
};

// Moves the boxes of one offset through a tile.
template <class L> class BoxMarch {
  public:
    BoxMarch(View<const L, 3> levels, const PairBox &box, const WeightRows &rows, Scratch &scratch,
             std::vector<BoxSums> &columns)
        : levels_(levels), box_(box), rows_(rows), s_(scratch), columns_(columns),
          width_(box.high[2] - box.low[2] + 1),
          row_size_(s_.tile.high[2] - s_.tile.low[2] + width_ - 1),
          depth_(s_.tile.high[1] - s_.tile.low[1] + box.high[1] - box.low[1]) {}

    // To the next slice of the tile; from nowhere to its first.
    void to_slice(i64 z) {
        const i64 low = z + box_.low[0], high = z + box_.high[0];
        if (z == s_.tile.low[0]) {
            columns_.assign(depth_ * row_size_, {});
            for (i64 from = low; from <= high; ++from)
                add_plane<1>(from);
        } else {
            add_plane<-1>(low - 1);
            add_plane<1>(high);
        }
    }

    // Adds to sums, of the slice's centres, where `first` is the place of the first one.
    void add_slice(i64 z, i64 first, BoxSums *sums) {
        const Tile &tile = s_.tile;
        s_.row.assign(row_size_, {});
        const i64 window = box_.high[1] - box_.low[1];
        for (i64 k = 0; k < window; ++k)
            add_row<1>(columns_.data() + k * row_size_, row_size_, s_.row.data());
        for (i64 y = tile.low[1]; y < tile.high[1]; ++y) {
            const BoxSums *const behind = columns_.data() + (y - tile.low[1]) * row_size_;
            add_row<1>(behind + window * row_size_, row_size_, s_.row.data());
            const i64 r = tile.row(z, y), begin = tile.start[r], n = tile.start[r + 1] - begin;
            if (n)
                add_boxes(s_.row.data(), width_, tile.columns.data() + begin, n,
                          sums + begin - first);
            add_row<-1>(behind, row_size_, s_.row.data());
        }
    }

  private:
    template <int sign> void add_plane(i64 z) {
        const L *at = levels_.data +
                      (z * levels_.shape[1] + s_.tile.low[1] + box_.low[1]) * levels_.shape[2] +
                      s_.tile.low[2] + box_.low[2];
        for (i64 y = 0; y < depth_; ++y, at += levels_.shape[2]) {
            find_codes(at, box_.offset, row_size_, s_.codes.sum.data(), s_.codes.difference.data());
            add_pairs<sign>(rows_, s_.codes, row_size_, columns_.data() + y * row_size_);
        }
    }

    View<const L, 3> levels_;
    const PairBox &box_;
    const WeightRows &rows_;
    Scratch &s_;
    std::vector<BoxSums> &columns_;
    i64 width_, row_size_, depth_;
};

// Adds the features of one group at the centres of the scratch's tile to its averages.
template <class L>
void march_group(View<const L, 3> levels, const std::vector<PairBox> &boxes, const WeightRows &rows,
                 Scratch &s) {
    const Tile &tile = s.tile;
    s.columns.resize(std::max(s.columns.size(), boxes.size()));
    std::vector<BoxMarch<L>> marches;
    for (size_t d = 0; d < boxes.size(); ++d)
        marches.emplace_back(levels, boxes[d], rows, s, s.columns[d]);
    for (i64 z = tile.low[0]; z < tile.high[0]; ++z) {
        poll();
        const i64 first = tile.start[tile.row(z, tile.low[1])];
        const i64 n = tile.start[tile.row(z + 1, tile.low[1])] - first;
        s.sums.assign(n, {});
        for (BoxMarch<L> &march : marches) {
            march.to_slice(z);
            march.add_slice(z, first, s.sums.data());
        }
        if (n)
            s.averages.add(reinterpret_cast<const i64 *>(s.sums.data()), n, first);
    }
}

// The averages of a tile to its centres' rows of out.
void write(const Tile &tile, const WindowFeatures &averages, double *out) {
    for (size_t r = 0; r < tile.first.size(); ++r)
        for (i32 c = tile.start[r]; c < tile.start[r + 1]; ++c)
            averages.write(c, out + (tile.first[r] + c - tile.start[r]) * glcm_feature_count);
}

std::vector<std::vector<PairBox>> boxes_of(const LocalDirections &local, const i64 *strides) {
    std::vector<std::vector<PairBox>> groups(local.groups);
    for (i64 g = 0; g < local.groups; ++g)
        for (i64 d = local.starts[g]; d < local.starts[g + 1]; ++d) {
            const PairBox box(local.offsets + 3 * d, local.reach, strides);
            if (box.pairs())
                groups[g].push_back(box);
        }
    return groups;
}

} // namespace

template <class L>
void local_pair_sums(View<const L, 3> levels, const i64 *centres, i64 count,
                     const LocalDirections &directions, i64 ng, bool ibsi, double *out) {
    const i64 *const shape = levels.shape.data();
    const i64 strides[3] = {shape[1] * shape[2], shape[2], 1};
    const auto groups = boxes_of(directions, strides);
    i64 most_pairs = 0, tiles[3], tile_count = 1;
    for (const auto &boxes : groups) {
        i64 pairs = 0;
        for (const PairBox &box : boxes)
            pairs += box.pairs();
        most_pairs = std::max(most_pairs, pairs);
    }
    for (int axis = 0; axis < 3; ++axis) {
        tiles[axis] =
            (shape[axis] - 2 * directions.reach[axis] + tile_shape[axis] - 1) / tile_shape[axis];
        tile_count *= tiles[axis];
    }
    const PairPlan plan(ng, most_pairs);
    const WeightRows rows(plan.weights(), ng);
    const WindowFeatures averages(plan, ibsi, false);
    std::vector<Scratch> workers(max_workers(), Scratch{{}, {}, {}, {}, {}, averages});
    parallel_for(tile_count, 1, [&](i64 t, i64, int worker) {
        Scratch &s = workers[worker];
        const i64 at[3] = {t / (tiles[1] * tiles[2]), t / tiles[2] % tiles[1], t % tiles[2]};
        i64 from[3], to[3];
        for (int axis = 0; axis < 3; ++axis) {
            from[axis] = directions.reach[axis] + at[axis] * tile_shape[axis];
            to[axis] =
                std::min(shape[axis] - directions.reach[axis], from[axis] + tile_shape[axis]);
        }
        s.tile.find(centres, count, shape, from, to);
        if (s.tile.first.empty())
            return;
        const i64 row = tile_shape[2] + 2 * directions.reach[2];
        s.codes.sum.resize(row);
        s.codes.difference.resize(row);
        s.averages.start(static_cast<i64>(s.tile.columns.size()));
        for (const auto &boxes : groups)
            march_group(levels, boxes, rows, s);
        write(s.tile, s.averages, out);
    });
}

template void local_pair_sums(View<const u8, 3>, const i64 *, i64, const LocalDirections &, i64,
                              bool, double *);
template void local_pair_sums(View<const u16, 3>, const i64 *, i64, const LocalDirections &, i64,
                              bool, double *);

} // namespace pyrad
