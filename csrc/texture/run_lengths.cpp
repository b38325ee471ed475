// Galloway, CGIP 4 (1975) 172, doi:10.1016/S0146-664X(75)80008-6.
// Rows are swept in order. len = 1 + (length of the run that ends at the voxel before), where the
// levels are equal; a run is counted at its last voxel, whose successor differs. Lengths and table
// cells of a row come from one vector loop over what the row or plane before left behind; voxels
// that end no run count into row 0 of the table, which is dropped. A slab of slices walks back from
// its first slice to find the runs that come in; integers, so the cut changes nothing.
#include "texture/run_lengths.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 slab_count = 4; // walking back costs at most 1.5 steps per voxel
constexpr i64 small_table = 1 << 16;
constexpr i64 block = 32; // row loops run over whole blocks where the volume goes on
constexpr i64 spare = 8;  // cells of row 0 that take the voxels which end no run, in turn

template <class L>
PYRAD_CLONES void row_cells(const L *here, const L *before, const L *after,
                            const u16 *length_before, i64 n, u32 stride, u16 *__restrict length,
                            u32 *__restrict cell) {
    const auto one = [&](i64 x) {
        const L level = here[x];
        const u16 len = before[x] == level ? u16(length_before[x] + 1) : u16(1);
        const bool ends = after[x] != level && level != 0;
        length[x] = len;
        cell[x] = ends ? level * stride + len : static_cast<u32>(x & (spare - 1));
    };
    i64 x = 0;
    for (; x + block <= n; x += block)
        for (i64 k = x; k < x + block; ++k)
            one(k);
    for (; x < n; ++x)
        one(x);
}

// The same along x, where the length runs within the row.
template <class L> void line_cells(const L *here, i64 n, u32 stride, u32 *cell) {
    u32 len = 0;
    for (i64 x = 0; x < n; ++x) {
        const L level = here[x];
        len = here[x - 1] == level ? len + 1 : 1;
        const bool ends = here[x + 1] != level && level != 0;
        cell[x] = ends ? level * stride + len : static_cast<u32>(x & (spare - 1));
    }
}

struct Extent {
    i64 begin, end;
};

// First to last voxel of each row that is not 0; eight bytes at a time.
template <class L> std::vector<Extent> row_extents(View<const L, 3> levels) {
    const i64 rows = levels.shape[0] * levels.shape[1], n = levels.shape[2];
    std::vector<Extent> extents(rows);
    parallel_for(rows, 256, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            const L *line = levels.data + r * n;
            i64 a = 0, b = n;
            constexpr i64 group = 8 / sizeof(L);
            u64 word;
            while (a + group <= n && (std::memcpy(&word, line + a, 8), word == 0))
                a += group;
            while (a < n && !line[a])
                ++a;
            while (b > a && !line[b - 1])
                --b;
            extents[r] = {a, b};
        }
    });
    return extents;
}

// One direction in a slab of slices.
template <class L> class Sweep {
  public:
    Sweep(View<const L, 3> levels, i64 pad, const std::vector<Extent> &extents, const i32 *offset,
          u32 stride)
        : levels_(levels), pad_(pad), extents_(extents), dz_(offset[0]), dy_(offset[1]),
          dx_(offset[2]), step_(dz_ * levels.stride[0] + dy_ * levels.stride[1] + dx_),
          stride_(stride), cell_(levels.shape[2] + block) {
        if (dz_ || dy_)
            for (auto &plane : length_)
                plane.resize(levels.shape[1] * levels.shape[2] + block);
    }

    // Counts the runs that end in the slices [begin, end) of the padded volume.
    void count(i64 begin, i64 end, bool first, u32 *table) {
        if (dz_ && !first)
            walk_back(begin - 1);
        for (i64 z = begin; z < end; ++z) {
            poll();
            for (i64 y = pad_; y < levels_.shape[1] - pad_; ++y)
                count_row(z, y, table);
        }
    }

  private:
    u16 *row_lengths(i64 z, i64 y) { return length_[z & 1].data() + y * levels_.shape[2]; }

    void count_row(i64 z, i64 y, u32 *table) {
        const Extent e = extents_[z * levels_.shape[1] + y];
        const i64 n = e.end - e.begin;
        if (n <= 0)
            return;
        const L *here = &levels_(z, y, e.begin);
        const i64 whole = (n + block - 1) / block * block;
        const bool fits = &levels_(z, y, e.begin) - levels_.data + step_ + whole <= levels_.size();
        if (dz_ || dy_)
            row_cells(here, here - step_, here + step_,
                      row_lengths(z - dz_, y - dy_) + e.begin - dx_, fits ? whole : n, stride_,
                      row_lengths(z, y) + e.begin, cell_.data());
        else
            line_cells(here, n, stride_, cell_.data());
        for (i64 x = 0; x < n; ++x)
            ++table[cell_[x]];
    }

    // Lengths of the runs up to the voxels of slice z that go on in the next slice.
    void walk_back(i64 z) {
        for (i64 y = pad_; y < levels_.shape[1] - pad_; ++y) {
            poll();
            const Extent e = extents_[z * levels_.shape[1] + y];
            u16 *lengths = row_lengths(z, y);
            for (i64 x = e.begin; x < e.end; ++x) {
                const L *at = &levels_(z, y, x);
                const L level = *at;
                if (!level || at[step_] != level)
                    continue;
                u16 len = 1;
                for (at -= step_; *at == level; at -= step_)
                    ++len;
                lengths[x] = len;
            }
        }
    }

    View<const L, 3> levels_;
    i64 pad_;
    const std::vector<Extent> &extents_;
    i64 dz_, dy_, dx_, step_;
    u32 stride_;
    std::vector<u16> length_[2];
    std::vector<u32> cell_;
};

} // namespace

template <class L>
void run_lengths(View<const L, 3> levels, i64 pad, const i32 *offsets, i64 count, i64 ng,
                 i64 longest, bool by_slice, u64 *out) {
    const i64 depth = levels.shape[0] - 2 * pad, cells = ng * longest;
    const i64 stride = std::max(longest + 1, spare);
    if (longest > 65535 || (ng + 1) * stride > i64(~u32(0)) || levels.size() > i64(~u32(0)))
        fail(ErrorKind::memory, "a region of ", levels.size(), " voxels overflows the counters");
    std::fill(out, out + (by_slice ? depth : 1) * count * cells, u64(0));
    const std::vector<Extent> extents = row_extents(levels);
    const bool cut = !by_slice && (ng + 1) * stride <= small_table;
    const i64 slabs = by_slice ? depth : cut ? std::min(slab_count, depth) : 1;
    std::mutex adding;
    parallel_for(slabs * count, 1, [&](i64 task, i64, int) {
        const i64 slab = task / count, k = task % count;
        std::vector<u32> table((ng + 1) * stride);
        Sweep<L> sweep(levels, pad, extents, offsets + 3 * k, static_cast<u32>(stride));
        sweep.count(pad + slab * depth / slabs, pad + (slab + 1) * depth / slabs,
                    by_slice || slab == 0, table.data());
        u64 *to = out + (by_slice ? task : k) * cells;
        const std::lock_guard<std::mutex> lock(adding);
        for (i64 g = 0; g < ng; ++g)
            for (i64 r = 0; r < longest; ++r)
                to[g * longest + r] += table[(g + 1) * stride + r + 1];
    });
}

template void run_lengths(View<const u8, 3>, i64, const i32 *, i64, i64, i64, bool, u64 *);
template void run_lengths(View<const u16, 3>, i64, const i32 *, i64, i64, i64, bool, u64 *);

} // namespace pyrad
