// Vectors of the compiler keep a block's sums in registers across all rows, which local arrays in
// plain loops do not.
#include "texture/neighbour_box.hpp"

#include "base/simd.hpp"

#include <cstring>

namespace pyrad {
namespace {

using Bytes = u8 __attribute__((vector_size(box_block)));
using Shorts = u16 __attribute__((vector_size(2 * box_block)));
using Words = u32 __attribute__((vector_size(4 * box_block)));

// Macros, since functions called from here would not have the wider instruction set.
#define PYRAD_LOAD(type, name, from)                                                               \
    type name;                                                                                     \
    std::memcpy(&name, from, sizeof(type))

template <int R>
PYRAD_CLONES void column_sums(const u8 *before, i64 n, const i64 *rows, u16 *sums, u8 *present) {
    for (i64 x = 0; x < n; x += box_block) {
        Shorts sum = {};
        Bytes outside = {};
        for (int r = 0; r < R; ++r) {
            PYRAD_LOAD(Bytes, there, before + x + rows[r]);
            sum += __builtin_convertvector(there, Shorts);
            outside += reinterpret_cast<Bytes>(there == 0); // -1 each
        }
        const Bytes inside = outside + static_cast<u8>(R);
        std::memcpy(sums + x, &sum, sizeof sum);
        std::memcpy(present + x, &inside, sizeof inside);
    }
}

template <int R>
PYRAD_CLONES void likeness(const u8 *here, i64 n, const i64 *rows, u16 columns, u16 *cells) {
    for (i64 x = 0; x < n; x += box_block) {
        PYRAD_LOAD(Bytes, own, here + x);
        Bytes alike = {}; // minus the number
        for (int r = 0; r < R; ++r) {
            const u8 *const line = here + x + rows[r];
            PYRAD_LOAD(Bytes, left, line - 1);
            PYRAD_LOAD(Bytes, middle, line);
            PYRAD_LOAD(Bytes, right, line + 1);
            alike += reinterpret_cast<Bytes>(left == own);
            alike += reinterpret_cast<Bytes>(middle == own);
            alike += reinterpret_cast<Bytes>(right == own);
        }
        const Bytes others = static_cast<u8>(0) - alike - static_cast<u8>(1);
        const Shorts cell = __builtin_convertvector(own, Shorts) * columns +
                            __builtin_convertvector(others, Shorts);
        std::memcpy(cells + x, &cell, sizeof cell);
    }
}

// The voxel itself is no neighbour. sums, inside: of the columns, the first one before the row.
PYRAD_CLONES void tones(const u8 *here, i64 n, const u16 *sums, const u8 *inside, u16 columns,
                        u16 *cells, u32 *difference) {
    for (i64 x = 0; x < n; x += box_block) {
        PYRAD_LOAD(Bytes, own, here + x);
        PYRAD_LOAD(Shorts, left, sums + x);
        PYRAD_LOAD(Shorts, middle, sums + x + 1);
        PYRAD_LOAD(Shorts, right, sums + x + 2);
        PYRAD_LOAD(Bytes, a, inside + x);
        PYRAD_LOAD(Bytes, b, inside + x + 1);
        PYRAD_LOAD(Bytes, c, inside + x + 2);
        const Shorts level = __builtin_convertvector(own, Shorts);
        const Bytes present = a + b + c + reinterpret_cast<Bytes>(own != 0);
        const Shorts number = __builtin_convertvector(present, Shorts);
        const Shorts others = left + middle + right - level, mine = level * number;
        const Shorts apart = mine > others ? mine - others : others - mine;
        const Shorts cell = level * columns + number;
        const Words wide = __builtin_convertvector(apart, Words);
        std::memcpy(cells + x, &cell, sizeof cell);
        std::memcpy(difference + x, &wide, sizeof wide);
    }
}

#undef PYRAD_LOAD

template <int R> void box_of(const u8 *here, i64 n, const i64 *rows, u16 columns, BoxRow &out) {
    column_sums<R>(here - 1, n + box_block, rows, out.column.data(), out.column_present.data());
    tones(here, n, out.column.data(), out.column_present.data(), columns, out.tone.data(),
          out.difference.data());
    likeness<R>(here, n, rows, columns, out.alike.data());
}

} // namespace

void box_cells(const u8 *here, i64 n, const std::vector<i64> &rows, i64 columns, BoxRow &out) {
    if (rows.size() == 9)
        box_of<9>(here, n, rows.data(), static_cast<u16>(columns), out);
    else
        box_of<3>(here, n, rows.data(), static_cast<u16>(columns), out);
}

} // namespace pyrad
