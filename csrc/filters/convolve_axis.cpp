// A result is a weighted sum of as many rows as there are taps: of neighbouring rows of the image,
// or, along the last axis, of one row read at shifted places. Blocks of samples keep their sums in
// registers while the taps pass.
#include "filters/convolve_axis.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 block = 64;          // samples whose sums stay in registers
constexpr i64 columns = 512;       // of one tile, along the other axes
constexpr i64 tile_work = 1 << 18; // multiplications of a tile along the last axis, about

// out[c] = sum_j taps[j] rows[j][c]
template <class T>
PYRAD_CLONES void weighted_sum(const T *const *rows, const T *taps, i64 count, i64 width, T *out) {
    i64 c = 0;
    for (; c + block <= width; c += block) {
        T sum[block] = {};
        for (i64 j = 0; j < count; ++j)
            for (i64 k = 0; k < block; ++k)
                sum[k] += taps[j] * rows[j][c + k];
        for (i64 k = 0; k < block; ++k)
            out[c + k] = sum[k];
    }
    for (; c < width; ++c) {
        T sum = 0;
        for (i64 j = 0; j < count; ++j)
            sum += taps[j] * rows[j][c];
        out[c] = sum;
    }
}

template <class T> struct Scratch {
    std::vector<const T *> rows;
    std::vector<T> line; // a padded row, or a row of zeros
};

// Columns [begin, end) of one outer index, all positions along the axis.
template <class T>
void across_rows(const T *x, T *out, i64 n, i64 inner, i64 begin, i64 end, const T *taps, i64 count,
                 i64 centre, Boundary boundary, Scratch<T> &scratch) {
    scratch.line.assign(columns, T(0));
    for (i64 i = 0; i < n; ++i) {
        for (i64 j = 0; j < count; ++j) {
            const i64 row = index_within(i + centre - j, n, boundary);
            scratch.rows[j] = row < 0 ? scratch.line.data() : x + row * inner + begin;
        }
        weighted_sum(scratch.rows.data(), taps, count, end - begin, out + i * inner + begin);
    }
}

// One contiguous row.
template <class T>
void along_row(const T *x, T *out, i64 n, const T *taps, i64 count, i64 centre, Boundary boundary,
               Scratch<T> &scratch) {
    const i64 before = count - 1 - centre; // line[k] = x[k - before]
    scratch.line.resize(n + count - 1);
    for (i64 k = 0; k < n + count - 1; ++k) {
        const i64 i = index_within(k - before, n, boundary);
        scratch.line[k] = i < 0 ? T(0) : x[i];
    }
    for (i64 j = 0; j < count; ++j)
        scratch.rows[j] = scratch.line.data() + count - 1 - j;
    weighted_sum(scratch.rows.data(), taps, count, n, out);
}

} // namespace

template <class T>
void convolve_axis(View<const T, 3> x, const T *taps, i64 count, i64 centre, Boundary boundary,
                   View<T, 3> out) {
    const i64 outer = x.shape[0], n = x.shape[1], inner = x.shape[2];
    std::vector<Scratch<T>> workers(max_workers());
    for (auto &scratch : workers)
        scratch.rows.resize(count);
    if (inner == 1) {
        const i64 grain = std::max<i64>(1, tile_work / (n * count + 1));
        parallel_for(outer, grain, [&](i64 begin, i64 end, int worker) {
            for (i64 o = begin; o < end; ++o)
                along_row(x.data + o * n, out.data + o * n, n, taps, count, centre, boundary,
                          workers[worker]);
        });
        return;
    }
    const i64 pieces = (inner + columns - 1) / columns;
    parallel_for(outer * pieces, 1, [&](i64 begin, i64 end, int worker) {
        for (i64 tile = begin; tile < end; ++tile) {
            poll();
            const i64 offset = tile / pieces * n * inner, first = tile % pieces * columns;
            across_rows(x.data + offset, out.data + offset, n, inner, first,
                        std::min(inner, first + columns), taps, count, centre, boundary,
                        workers[worker]);
        }
    });
}

template void convolve_axis(View<const float, 3>, const float *, i64, i64, Boundary,
                            View<float, 3>);
template void convolve_axis(View<const double, 3>, const double *, i64, i64, Boundary,
                            View<double, 3>);

} // namespace pyrad
