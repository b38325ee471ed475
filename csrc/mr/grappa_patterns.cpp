// Patterns of measured neighbours as binary numbers: bit b of a cell's code is cell b of its
// window, z then y then x. Along a row the bits of one window line come from a number that is
// shifted from cell to cell, so that a code costs one step per line of the window.
#include "mr/grappa_patterns.hpp"

#include "base/error.hpp"
#include "base/pool.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr int most_words = 8; // windows of up to 512 cells

struct Window {
    std::array<i64, 3> size, kernel;
    int words;

    // Bits of the window line through row (z, y) for every x, all zero outside the array.
    void line_bits(const u8 *mask, i64 z, i64 y, u64 *bits) const {
        const i64 width = size[2], before = kernel[2] / 2, after = kernel[2] - 1 - before;
        if (z < 0 || z >= size[0] || y < 0 || y >= size[1]) {
            std::fill_n(bits, width, u64(0));
            return;
        }
        const u8 *row = mask + (z * size[1] + y) * width;
        u64 code = 0;
        const i64 top = kernel[2] - 1;
        for (i64 x = -after; x < width; ++x) {
            code >>= 1;
            if (x + after < width && row[x + after] != 0)
                code |= u64(1) << top;
            if (x >= 0)
                bits[x] = code;
        }
    }

    // codes[x][word] of the row (z, y)
    void row_codes(const u8 *mask, i64 z, i64 y, u64 *bits, u64 *codes) const {
        std::fill_n(codes, size[2] * words, u64(0));
        i64 at = 0;
        for (i64 dz = 0; dz < kernel[0]; ++dz)
            for (i64 dy = 0; dy < kernel[1]; ++dy, at += kernel[2]) {
                line_bits(mask, z + dz - kernel[0] / 2, y + dy - kernel[1] / 2, bits);
                const i64 word = at / 64, shift = at % 64;
                const bool split = shift + kernel[2] > 64;
                for (i64 x = 0; x < size[2]; ++x) {
                    codes[x * words + word] |= bits[x] << shift;
                    if (split)
                        codes[x * words + word + 1] |= bits[x] >> (64 - shift);
                }
            }
    }
};

u64 mixed(const u64 *code, int words) {
    u64 h = 0x9E3779B97F4A7C15ull;
    for (int i = 0; i < words; ++i) {
        h ^= code[i];
        h *= 0xFF51AFD7ED558CCDull;
        h ^= h >> 32;
    }
    return h;
}

// Numbers the distinct codes in order of appearance (open addressing).
class Names {
  public:
    explicit Names(int words) : words_(words), slots_(1024, -1) {}

    i32 of(const u64 *code) {
        size_t at = mixed(code, words_) & (slots_.size() - 1);
        for (; slots_[at] >= 0; at = (at + 1) & (slots_.size() - 1))
            if (std::equal(code, code + words_, &codes_[slots_[at] * words_]))
                return slots_[at];
        slots_[at] = count_;
        codes_.insert(codes_.end(), code, code + words_);
        if (2 * static_cast<size_t>(++count_) > slots_.size())
            grow();
        return count_ - 1;
    }
    i32 count() const { return count_; }

    // Rank of every name among the codes as binary numbers, highest word last.
    std::vector<i32> ranks() const {
        std::vector<i32> order(count_), rank(count_);
        for (i32 i = 0; i < count_; ++i)
            order[i] = i;
        std::sort(order.begin(), order.end(), [&](i32 a, i32 b) {
            for (int w = words_ - 1; w >= 0; --w) {
                const u64 ca = codes_[i64(a) * words_ + w], cb = codes_[i64(b) * words_ + w];
                if (ca != cb)
                    return ca < cb;
            }
            return false;
        });
        for (i32 i = 0; i < count_; ++i)
            rank[order[i]] = i;
        return rank;
    }

  private:
    void grow() {
        slots_.assign(slots_.size() * 2, -1);
        for (i32 i = 0; i < count_; ++i) {
            size_t at = mixed(&codes_[i64(i) * words_], words_) & (slots_.size() - 1);
            while (slots_[at] >= 0)
                at = (at + 1) & (slots_.size() - 1);
            slots_[at] = i;
        }
    }

    int words_;
    i32 count_ = 0;
    std::vector<i32> slots_;
    std::vector<u64> codes_;
};

} // namespace

i64 grappa_patterns(const u8 *mask, const std::array<i64, 3> &size,
                    const std::array<i64, 3> &kernel, i64 *cells, i64 *starts) {
    const int words = static_cast<int>((kernel[0] * kernel[1] * kernel[2] + 63) / 64);
    if (words > most_words || kernel[2] > 64)
        fail(ErrorKind::data, "kernel of ", kernel[0] * kernel[1] * kernel[2],
             " cells; at most 512, and 64 along the last axis");
    const Window window{size, kernel, words};
    const i64 rows = size[0] * size[1], width = size[2];

    // Codes of all cells row by row in parallel, names in order.
    std::vector<i32> name(rows * width, -1);
    Names names(words);
    const i64 block = std::max<i64>(1, (i64(1) << 18) / (width * words * 8));
    std::vector<u64> codes(std::min(block, rows) * width * words);
    for (i64 first = 0; first < rows; first += block) {
        const i64 count = std::min(block, rows - first);
        parallel_for(count, 8, [&](i64 begin, i64 end, int) {
            std::vector<u64> bits(width);
            for (i64 r = begin; r < end; ++r)
                window.row_codes(mask, (first + r) / size[1], (first + r) % size[1], bits.data(),
                                 &codes[r * width * words]);
        });
        poll();
        // The two patterns before are the likely ones in regular sampling.
        const u64 *last = nullptr, *former = nullptr;
        i32 last_name = -1, former_name = -1;
        for (i64 i = 0; i < count * width; ++i)
            if (mask[first * width + i] == 0) {
                const u64 *code = &codes[i * words];
                if (last == nullptr || !std::equal(code, code + words, last)) {
                    const bool back = former != nullptr && std::equal(code, code + words, former);
                    const i32 found = back ? former_name : names.of(code);
                    former = last;
                    former_name = last_name;
                    last = code;
                    last_name = found;
                }
                name[first * width + i] = last_name;
            }
    }

    const std::vector<i32> rank = names.ranks();
    std::vector<i64> next(names.count() + 1, 0);
    for (i64 i = 0; i < rows * width; ++i)
        if (name[i] >= 0)
            ++next[rank[name[i]] + 1];
    for (i64 p = 0; p < names.count(); ++p)
        next[p + 1] += next[p];
    std::copy(next.begin(), next.end(), starts);
    for (i64 i = 0; i < rows * width; ++i)
        if (name[i] >= 0)
            cells[next[rank[name[i]]]++] = i;
    return names.count();
}

} // namespace pyrad
