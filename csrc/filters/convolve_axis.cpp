// A result is a weighted sum of as many rows as there are taps: of neighbouring rows, or, along the
// last axis, of one row read at shifted places. A tile of columns is copied once, with what stands
// beyond the ends: rows of an image are often a power of two apart and would share cache places.
// Blocks of samples keep their sums in registers while the taps pass.
#include "filters/convolve_axis.hpp"

#include "base/pool.hpp"
#include "base/x86.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile_samples = 1 << 15; // of the copy: half of a second-level cache
constexpr i64 fewest_columns = 64, most_columns = 512;
constexpr i64 row_work = 1 << 18; // multiplications of a tile along the last axis, about

#define PYRAD_ISA_SOURCE "filters/weighted_sum.inl"
#include "base/each_isa.inl"

template <class T> struct Filter {
    const T *taps;
    i64 count, centre;
    Boundary boundary;
    decltype(&portable::sum_rows<T>) sum =
        PYRAD_BEST(sum_rows<T>); // out[c] = sum_j taps[j] last[c - j step]

    i64 before() const { return count - 1 - centre; } // rows of the copy before the image's first
    i64 rows(i64 n) const { return n + count - 1; }
};

// Columns [begin, end) of one outer index, all positions along the axis.
template <class T>
void filter_columns(const T *x, T *out, i64 n, i64 inner, i64 begin, i64 end,
                    const Filter<T> &filter, std::vector<T> &copy) {
    const i64 width = end - begin;
    copy.resize(filter.rows(n) * width);
    for (i64 k = 0; k < filter.rows(n); ++k) {
        const i64 row = index_within(k - filter.before(), n, filter.boundary);
        if (row < 0)
            std::fill_n(copy.data() + k * width, width, T(0));
        else
            std::copy_n(x + row * inner + begin, width, copy.data() + k * width);
    }
    for (i64 i = 0; i < n; ++i)
        filter.sum(copy.data() + (i + filter.count - 1) * width, width, filter.taps, filter.count,
                   width, out + i * inner + begin);
}

// One contiguous row.
template <class T>
void filter_row(const T *x, T *out, i64 n, const Filter<T> &filter, std::vector<T> &copy) {
    copy.resize(filter.rows(n));
    const i64 before = filter.before();
    for (i64 k = 0; k < filter.rows(n); ++k) {
        const i64 i = k >= before && k < before + n ? k - before
                                                    : index_within(k - before, n, filter.boundary);
        copy[k] = i < 0 ? T(0) : x[i];
    }
    filter.sum(copy.data() + filter.count - 1, 1, filter.taps, filter.count, n, out);
}

} // namespace

template <class T>
void convolve_axis(View<const T, 3> x, const T *taps, i64 count, i64 centre, Boundary boundary,
                   View<T, 3> out) {
    const i64 outer = x.shape[0], n = x.shape[1], inner = x.shape[2];
    const Filter<T> filter{taps, count, centre, boundary};
    std::vector<std::vector<T>> copies(max_workers());
    if (inner == 1) {
        const i64 grain = std::max<i64>(1, row_work / (n * count));
        parallel_for(outer, grain, [&](i64 begin, i64 end, int worker) {
            for (i64 o = begin; o < end; ++o)
                filter_row(x.data + o * n, out.data + o * n, n, filter, copies[worker]);
        });
        return;
    }
    const i64 columns =
        std::clamp(tile_samples / filter.rows(n) / 64 * 64, fewest_columns, most_columns);
    const i64 pieces = (inner + columns - 1) / columns;
    parallel_for(outer * pieces, 1, [&](i64 begin, i64 end, int worker) {
        for (i64 tile = begin; tile < end; ++tile) {
            poll();
            const i64 offset = tile / pieces * n * inner, first = tile % pieces * columns;
            filter_columns(x.data + offset, out.data + offset, n, inner, first,
                           std::min(inner, first + columns), filter, copies[worker]);
        }
    });
}

template void convolve_axis(View<const float, 3>, const float *, i64, i64, Boundary,
                            View<float, 3>);
template void convolve_axis(View<const double, 3>, const double *, i64, i64, Boundary,
                            View<double, 3>);

} // namespace pyrad
