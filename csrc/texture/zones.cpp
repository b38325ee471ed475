// Union-find over the 13 neighbours that come before a voxel (4 in the plane), in slabs of slices.
// A vector loop notes per voxel, as bits, which of these have its level. Neighbours that touch each
// other are one zone already, so a table of all 8192 patterns keeps one bit of each touching group:
// most voxels need no union at all. The smaller label wins, hence zones are ordered by their first
// voxel for any number of threads. Slabs are joined in order at the end.
#include "texture/zones.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace pyrad {
namespace {

constexpr int neighbours = 13;
constexpr i64 slab_slices = 16;
constexpr i64 block = 32; // row loops run over whole blocks where the volume goes on

// Neighbour k: (dz, dy, dx) in C order, the last one at (0, 0, -1).
std::array<i64, 3> neighbour(int k) { return {k / 9 - 1, k / 3 % 3 - 1, k % 3 - 1}; }

bool touch(int a, int b) {
    const auto p = neighbour(a), q = neighbour(b);
    return std::abs(p[0] - q[0]) <= 1 && std::abs(p[1] - q[1]) <= 1 && std::abs(p[2] - q[2]) <= 1;
}

// pattern -> the lowest bit of each group of touching neighbours.
const std::vector<u16> &representatives() {
    static const std::vector<u16> table = [] {
        std::vector<u16> kept(1 << neighbours);
        for (u32 pattern = 0; pattern < kept.size(); ++pattern)
            for (u32 rest = pattern; rest;) {
                u32 group = rest & -rest, grown = 0;
                kept[pattern] |= static_cast<u16>(group);
                while (grown != group) {
                    grown = group;
                    for (int a = 0; a < neighbours; ++a)
                        for (int b = 0; b < neighbours; ++b)
                            if ((grown >> a & 1) && (rest >> b & 1) && touch(a, b))
                                group |= 1u << b;
                }
                rest &= ~group;
            }
        return kept;
    }();
    return table;
}

template <class L>
PYRAD_CLONES void note_equal(const L *here, const L *there, i64 n, u16 bit, u16 *__restrict code) {
    const auto one = [&](i64 x) {
        code[x] = static_cast<u16>(code[x] | (here[x] == there[x] ? bit : u16(0)));
    };
    i64 x = 0;
    for (; x + block <= n; x += block)
        for (i64 k = x; k < x + block; ++k)
            one(k);
    for (; x < n; ++x)
        one(x);
}

// Provisional labels; parent[l] <= l.
struct Labels {
    std::vector<u32> parent, voxels;
    std::vector<u16> distance;
    std::vector<i32> level;
    std::unique_ptr<u32[]> planes; // labels of slices; read only where one was written

    u32 find(u32 l) {
        while (parent[l] != l)
            l = parent[l] = parent[parent[l]];
        return l;
    }

    void unite(u32 a, u32 b) {
        a = find(a);
        b = find(b);
        parent[std::max(a, b)] = std::min(a, b);
    }

    u32 add(i32 of_level) {
        const u32 label = static_cast<u32>(parent.size());
        parent.push_back(label);
        voxels.push_back(0);
        distance.push_back(65535);
        level.push_back(of_level);
        return label;
    }
};

template <class L> class Finder {
  public:
    Finder(View<const L, 3> levels, i64 pad, bool in_plane, const u16 *distances)
        : levels_(levels), pad_(pad), in_plane_(in_plane), distances_(distances),
          representatives_(representatives()), plane_(levels.stride[0]) {
        for (int k = 0; k < neighbours; ++k) {
            const auto o = neighbour(k);
            step_[k] = o[0] * levels.stride[0] + o[1] * levels.stride[1] + o[2];
        }
        depth_ = levels.shape[0] - 2 * pad;
        thickness_ = in_plane ? 1 : slab_slices;
        slabs_.resize((depth_ + thickness_ - 1) / thickness_);
    }

    i64 run(View<i32, 2> out) {
        parallel_for(static_cast<i64>(slabs_.size()), 1, [&](i64 s, i64, int) {
            const i64 begin = s * thickness_, end = std::min(begin + thickness_, depth_);
            slabs_[s].planes.reset(new u32[(in_plane_ ? 1 : 3) * plane_]);
            for (i64 z = begin; z < end; ++z)
                label_slice(z, z - begin, slabs_[s]);
            if (in_plane_)
                slabs_[s].planes.reset();
        });
        join();
        return write(out);
    }

  private:
    struct Row {
        const L *here;
        i64 at, n; // of the first voxel that is not 0, to the last
        std::vector<u16> code;
    };

    // Patterns of the neighbours [first, last) along row (z, y); false for a row outside.
    bool patterns(i64 z, i64 y, int first, int last, Row &row) const {
        const L *line = &levels_(z, y, pad_);
        i64 begin = 0, n = levels_.shape[2] - 2 * pad_;
        while (begin < n && !line[begin])
            ++begin;
        while (n > begin && !line[n - 1])
            --n;
        row.here = line + begin;
        row.at = row.here - levels_.data;
        row.n = n - begin;
        if (row.n == 0)
            return false;
        const i64 whole = (row.n + block - 1) / block * block;
        const i64 size = row.at + whole <= levels_.size() ? whole : row.n;
        row.code.assign(size, 0);
        for (int k = first; k < last; ++k)
            note_equal(row.here, row.here + step_[k], size, static_cast<u16>(1 << k),
                       row.code.data());
        return true;
    }

    // Labels of slice number k of a slab: the first slice keeps its plane, the others take turns.
    u32 *plane(const Labels &labels, i64 k) const {
        return labels.planes.get() + (k == 0 ? 0 : 1 + (k & 1)) * plane_;
    }

    void label_slice(i64 z, i64 k, Labels &labels) {
        const i64 start = (z + pad_) * plane_;
        u32 *const here = plane(labels, k);
        const u32 *near[neighbours]; // labels of the neighbours, by the voxel's place in the slice
        for (int n = 0; n < neighbours; ++n)
            near[n] = n < 9 ? plane(labels, k ? k - 1 : 0) + step_[n] + plane_ : here + step_[n];
        Row row;
        for (i64 y = pad_; y < levels_.shape[1] - pad_; ++y) {
            poll();
            if (!patterns(z + pad_, y, k == 0 ? 9 : 0, neighbours, row))
                continue;
            const u16 *distance = distances_ ? distances_ + row.at : nullptr;
            const i64 at = row.at - start;
            for (i64 x = 0; x < row.n; ++x)
                if (row.here[x]) {
                    const u32 label =
                        label_of(at + x, near, row.here[x], representatives_[row.code[x]], labels);
                    here[at + x] = label;
                    ++labels.voxels[label];
                    if (distance && distance[x] < labels.distance[label])
                        labels.distance[label] = distance[x];
                }
        }
    }

    static u32 label_of(i64 at, const u32 *const *near, i32 level, u32 groups, Labels &labels) {
        if (!groups)
            return labels.add(level);
        const u32 label = near[__builtin_ctz(groups)][at];
        for (groups &= groups - 1; groups; groups &= groups - 1)
            labels.unite(label, near[__builtin_ctz(groups)][at]);
        return label;
    }

    // All slabs' labels behind each other in the first slab's, united across the cuts.
    void join() {
        std::vector<u32> start;
        Labels all;
        for (const Labels &part : slabs_) {
            start.push_back(static_cast<u32>(all.parent.size()));
            for (u32 parent : part.parent)
                all.parent.push_back(parent + start.back());
        }
        for (size_t s = 1; s < slabs_.size() && !in_plane_; ++s)
            join_slabs(s, start[s - 1], start[s], all);
        parent_ = std::move(all.parent);
    }

    void join_slabs(size_t s, u32 start_before, u32 start, Labels &all) const {
        const i64 z = static_cast<i64>(s) * thickness_ + pad_;
        const u32 *const here = plane(slabs_[s], 0);
        const u32 *const before = plane(slabs_[s - 1], thickness_ - 1) + plane_;
        Row row;
        for (i64 y = pad_; y < levels_.shape[1] - pad_; ++y) {
            poll();
            if (!patterns(z, y, 0, 9, row))
                continue;
            for (i64 x = 0; x < row.n; ++x) {
                const i64 at = row.at + x - z * plane_;
                u32 groups = row.here[x] ? representatives_[row.code[x]] : 0;
                for (; groups; groups &= groups - 1)
                    all.unite(start + here[at],
                              start_before + before[at + step_[__builtin_ctz(groups)]]);
            }
        }
    }

    // Parents are smaller than their children: one pass resolves them.
    i64 write(View<i32, 2> out) {
        i64 zones = 0;
        u32 l = 0;
        for (size_t s = 0; s < slabs_.size(); ++s) {
            const Labels &part = slabs_[s];
            for (size_t k = 0; k < part.parent.size(); ++k, ++l) {
                const bool root = parent_[l] == l;
                const i64 zone = root ? zones++ : parent_[parent_[l]];
                if (zone >= out.shape[0])
                    fail(ErrorKind::shape, "out holds ", out.shape[0], " zones");
                parent_[l] = static_cast<u32>(zone);
                resolve(root, part, k, in_plane_ ? static_cast<i32>(s) : 0, &out(zone, 0));
            }
        }
        return zones;
    }

    void resolve(bool root, const Labels &part, size_t k, i32 slice, i32 *zone) const {
        const i32 distance = distances_ ? part.distance[k] : 0;
        zone[0] = part.level[k];
        zone[1] = (root ? 0 : zone[1]) + static_cast<i32>(part.voxels[k]);
        zone[2] = root ? distance : std::min(zone[2], distance);
        zone[3] = slice;
    }

    View<const L, 3> levels_;
    i64 pad_, depth_ = 0, thickness_ = 1;
    bool in_plane_;
    const u16 *distances_;
    const std::vector<u16> &representatives_;
    i64 step_[neighbours];
    i64 plane_; // voxels of a padded slice
    std::vector<Labels> slabs_;
    std::vector<u32> parent_;
};

} // namespace

template <class L>
i64 find_zones(View<const L, 3> levels, i64 pad, bool in_plane, const u16 *distances,
               View<i32, 2> out) {
    if (levels.size() > i64(0x7FFFFFFF))
        fail(ErrorKind::memory, "a region of ", levels.size(), " voxels overflows the labels");
    return Finder<L>(levels, pad, in_plane, distances).run(out);
}

template i64 find_zones(View<const u8, 3>, i64, bool, const u16 *, View<i32, 2>);
template i64 find_zones(View<const u16, 3>, i64, bool, const u16 *, View<i32, 2>);

} // namespace pyrad
