// Transposes between [coil][cell] and [cell][lanes], in blocks of cells that stay in the first
// cache level. Complex values move as one word.
#include "mr/coil_lanes.hpp"

#include "base/pool.hpp"

#include <algorithm>
#include <cstring>

namespace pyrad {
namespace {

constexpr i64 block_cells = 64, grain = 2048;

template <class T> struct Word { // one complex value
    T re, im;
};

} // namespace

template <class T>
void interleave_coils(const T *planar, i64 coils, i64 cells, i64 lanes, T *out, u8 *sampled) {
    const auto *from = reinterpret_cast<const Word<T> *>(planar);
    auto *to = reinterpret_cast<Word<T> *>(out);
    parallel_for(cells, grain, [&](i64 begin, i64 end, int) {
        for (i64 first = begin; first < end; first += block_cells) {
            const i64 count = std::min(block_cells, end - first);
            u8 seen[block_cells] = {};
            Word<T> *block = to + first * lanes;
            for (i64 c = 0; c < coils; ++c)
                for (i64 i = 0; i < count; ++i) {
                    const Word<T> x = from[c * cells + first + i];
                    block[i * lanes + c] = x;
                    seen[i] |= static_cast<u8>((x.re != T(0)) | (x.im != T(0)));
                }
            for (i64 i = 0; i < count && coils < lanes; ++i)
                std::memset(static_cast<void *>(block + i * lanes + coils), 0,
                            static_cast<size_t>(lanes - coils) * sizeof(Word<T>));
            std::copy_n(seen, count, sampled + first);
        }
    });
}

template <class T>
void separate_coils(const T *lanes_last, i64 cells, i64 lanes, i64 coils, T *out) {
    const auto *from = reinterpret_cast<const Word<T> *>(lanes_last);
    auto *to = reinterpret_cast<Word<T> *>(out);
    parallel_for(cells, grain, [&](i64 begin, i64 end, int) {
        for (i64 first = begin; first < end; first += block_cells) {
            const i64 count = std::min(block_cells, end - first);
            const Word<T> *block = from + first * lanes;
            for (i64 c = 0; c < coils; ++c)
                for (i64 i = 0; i < count; ++i)
                    to[c * cells + first + i] = block[i * lanes + c];
        }
    });
}

template void interleave_coils(const float *, i64, i64, i64, float *, u8 *);
template void interleave_coils(const double *, i64, i64, i64, double *, u8 *);
template void separate_coils(const float *, i64, i64, i64, float *);
template void separate_coils(const double *, i64, i64, i64, double *);

} // namespace pyrad
