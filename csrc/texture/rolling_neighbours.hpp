// A window moves along the centres of a row. Of each of its planes it keeps what every voxel sums
// over its neighbours in the window; where the plane ahead enters or the one behind leaves, only
// the sums of that plane and of the few beside it change.
#pragma once

#include "texture/local_window.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace pyrad {

// A plane is that of one x: its rows along y are laid end to end, with zeros between and around
// them, so that a neighbour is a constant step away.
struct NeighbourPlanes {
    static constexpr i64 block = 32; // sums are made for so many places at a time

    i64 reach, count;                     // planes before the centre's; planes
    i64 length, margin;                   // places, a multiple of the block; zeros on both sides
    i64 used;                             // places up to the last voxel, a multiple of 8
    std::vector<i64> source, place;       // of the plane's voxels: steps in the volume, places
    std::vector<std::vector<i64>> before; // steps to the neighbours 0, 1, ... planes before
    std::vector<std::vector<i64>> after;  // 1, 2, ... planes after; [0] is empty

    NeighbourPlanes(const LocalSteps &steps, const i64 *shape)
        : reach(steps.reach[2]), count(2 * reach + 1), before(1), after(1) {
        const i64 *const r = steps.reach;
        i64 gap = 0, rows = 0;
        const auto each_step = [&](const auto &work) {
            for (i64 d = 0; d < steps.count; ++d) {
                const i32 *const by = steps.offsets + 3 * d;
                if (by[0] <= 2 * r[0] && std::abs(by[1]) <= 2 * r[1] && std::abs(by[2]) <= 2 * r[2])
                    work(i64(by[0]), i64(by[1]), i64(by[2]));
            }
        };
        each_step([&](i64 z, i64 y, i64) {
            rows = std::max(rows, z);
            gap = std::max(gap, std::abs(y));
        });
        const i64 pitch = 2 * r[1] + 1 + gap, last = (2 * r[0] + 1) * pitch - gap;
        length = (last + block - 1) / block * block;
        used = (last + 7) / 8 * 8;
        margin = rows * pitch + gap;
        for (i64 z = 0; z <= 2 * r[0]; ++z)
            for (i64 y = 0; y <= 2 * r[1]; ++y) {
                source.push_back(((z - r[0]) * shape[1] + y - r[1]) * shape[2]);
                place.push_back(margin + z * pitch + y);
            }
        each_step([&](i64 z, i64 y, i64 x) {
            add(x, z * pitch + y);
            add(-x, -z * pitch - y);
        });
    }

    i64 depth() const { return static_cast<i64>(before.size()) - 1; }

  private:
    void add(i64 x, i64 step) {
        const size_t away = static_cast<size_t>(std::abs(x));
        if (away >= before.size()) {
            before.resize(away + 1);
            after.resize(away + 1);
        }
        (x > 0 ? after : before)[away].push_back(step);
    }
};

// Table:
//   Word              what a voxel shows its neighbours (0 outside the region), and sums of that
//   word(level)
//   sums(own, other, steps, length, out)  over the places' neighbours in a plane, 0 where own is 0
//   enter(slot, words, around, length), leave(...)  a plane; around: the sums of its places
//   change<1 or -1>(slot, words, difference, around, length)  sums change by this
//   wipe()
template <class L, class Table> class NeighbourWindow {
    using Word = typename Table::Word;

  public:
    NeighbourWindow(View<const L, 3> levels, const NeighbourPlanes &planes, Table &table)
        : levels_(levels.data), p_(planes), table_(table),
          words_(planes.count * (planes.length + 2 * planes.margin)),
          around_(planes.count * planes.length),
          before_(planes.count * planes.depth() * planes.length), work_(planes.length) {}

    void move_to(i64 centre) {
        if (at_ < 0 || centre - at_ >= p_.count) {
            table_.wipe();
            for (i64 x = 0; x < p_.count; ++x)
                enter(centre - p_.reach + x, x);
            at_ = centre;
        }
        for (; at_ < centre; ++at_) {
            leave(at_ - p_.reach);
            enter(at_ + 1 + p_.reach, p_.count - 1);
        }
    }

  private:
    i64 slot(i64 x) const { return x % p_.count; }
    Word *words(i64 s) { return words_.data() + s * (p_.length + 2 * p_.margin) + p_.margin; }
    Word *around(i64 s) { return around_.data() + s * p_.length; }
    Word *before(i64 s, i64 away) {
        return before_.data() + (s * p_.depth() + away - 1) * p_.length;
    }

    // The plane at x enters; `known` planes before it are in the window.
    void enter(i64 x, i64 known) {
        const i64 s = slot(x), n = p_.length;
        Word *const own = words(s), *const sums = around(s);
        for (size_t k = 0; k < p_.place.size(); ++k)
            own[p_.place[k] - p_.margin] = Table::word(levels_[x + p_.source[k]]);
        table_.sums(own, own, p_.before[0], n, sums);
        for (i64 away = 1; away <= std::min(p_.depth(), known); ++away) {
            const i64 other = slot(x - away);
            Word *const kept = before(s, away);
            table_.sums(own, words(other), p_.before[away], n, kept);
            for (i64 k = 0; k < n; ++k)
                sums[k] = static_cast<Word>(sums[k] + kept[k]);
            table_.sums(words(other), own, p_.after[away], n, work_.data());
            table_.template change<1>(other, words(other), work_.data(), around(other), p_.used);
        }
        table_.enter(s, own, sums, p_.used);
    }

    void leave(i64 x) {
        table_.leave(slot(x), words(slot(x)), around(slot(x)), p_.used);
        for (i64 away = 1; away <= std::min(p_.depth(), p_.count - 1); ++away) {
            const i64 s = slot(x + away);
            table_.template change<-1>(s, words(s), before(s, away), around(s), p_.used);
        }
    }

    const L *levels_;
    const NeighbourPlanes &p_;
    Table &table_;
    std::vector<Word> words_, around_, before_, work_;
    i64 at_ = -1;
};

} // namespace pyrad
