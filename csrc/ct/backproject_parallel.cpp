// Backprojection step of parallel-beam FBP (Kak & Slaney 1988, doi 10.1137/1.9780898719277,
// chapter 3):
//
//     f(x, y) = sum_view q_view(u),   u = (x cos t + y sin t - u_0) / pitch
//
// with q linear between samples and zero outside the detector. A 16 x 64 tile of the image stays
// in L1 while all views pass in blocks; within a block only a short window of every row is
// touched. u of a tile row's first pixel is computed in double and split into a sample number and
// a fraction, so that float keeps its precision on wide detectors. Every sample has its slope to
// the next one beside it: value + fraction * slope.
#include "ct/backproject_parallel.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

// The portable tile kernel, and the oracle of the permuting ones.
template <class T> PYRAD_CLONES void add_views(const SampleTable<T> &table, i64 x, i64 y, T *tile) {
    for (i64 row = 0; row < tile_rows; ++row) {
        T *out = tile + row * tile_columns;
        for (i64 v = 0; v < table.views; ++v) {
            const double u = table.first[v] + table.per_y[v] * (y + row) + table.per_x[v] * x;
            const double low = table.per_x[v] < 0 ? u + table.per_x[v] * (tile_columns - 1) : u;
            if (low > table.columns || low + std::abs(table.per_x[v]) * tile_columns < -2)
                continue;
            const int base = static_cast<int>(std::floor(low));
            const T fraction = static_cast<T>(u - base), step = static_cast<T>(table.per_x[v]);
            const T *value = table.value + v * table.stride;
            const T *slope = table.slope + v * table.stride;
            const int last = static_cast<int>(table.columns);
            for (int lane = 0; lane < tile_columns; ++lane) {
                const T at = fraction + lane * step;
                const int whole = static_cast<int>(at);
                const int sample = std::min(std::max(base + whole, -2), last);
                out[lane] += value[sample] + (at - whole) * slope[sample];
            }
        }
    }
}

// Zero-padded copies of one slice's rows and their slopes.
template <class T>
void fill_samples(View<const T, 3> filtered, i64 slice, i64 stride, T *value, T *slope) {
    const i64 columns = filtered.shape[2];
    parallel_for(filtered.shape[0], 16, [&](i64 begin, i64 end, int) {
        for (i64 v = begin; v < end; ++v) {
            const T *row = &filtered(v, slice, 0);
            T *p = value + v * stride, *d = slope + v * stride;
            std::copy(row, row + columns, p + sample_pad);
            for (i64 c = 0; c + 1 < columns; ++c)
                d[sample_pad + c] = row[c + 1] - row[c];
            d[sample_pad - 1] = row[0];
            d[sample_pad + columns - 1] = -row[columns - 1];
        }
    });
}

template <class T> auto fast_kernel(const SampleTable<T> &) {
    return static_cast<void (*)(const SampleTable<T> &, i64, i64, T *)>(nullptr);
}
template <> auto fast_kernel(const SampleTable<float> &table) {
    return permuting_tile_kernel(table);
}

template <class T> void backproject_slice(const SampleTable<T> &table, i64 slice, View<T, 3> out) {
    const i64 ny = out.shape[1], nx = out.shape[2];
    const auto permuting = fast_kernel(table);
    const auto kernel = permuting ? permuting : &add_views<T>;
    parallel_for(ny, tile_rows, [&](i64 begin, i64 end, int) {
        for (i64 x = 0; x < nx; x += tile_columns) {
            alignas(64) T tile[tile_rows * tile_columns] = {};
            kernel(table, x, begin, tile);
            const i64 count = std::min(tile_columns, nx - x);
            for (i64 y = begin; y < end; ++y)
                std::copy_n(tile + (y - begin) * tile_columns, count, &out(slice, y, x));
            poll();
        }
    });
}

} // namespace

template <class T>
void backproject_parallel(View<const T, 3> filtered, View<const double, 2> views, View<T, 3> out) {
    const i64 count = filtered.shape[0], columns = filtered.shape[2];
    const i64 stride = columns + 2 * sample_pad;
    const i64 padded = count + SampleTable<T>::spare;
    std::vector<double> per_x(padded), per_y(padded), first(padded);
    for (i64 v = 0; v < count; ++v) {
        per_x[v] = views(v, 0);
        per_y[v] = views(v, 1);
        first[v] = views(v, 2);
    }
    std::vector<T> value(checked_product({count, stride})), slope(value.size());
    const SampleTable<T> table{count,
                               columns,
                               stride,
                               value.data() + sample_pad,
                               slope.data() + sample_pad,
                               per_x.data(),
                               per_y.data(),
                               first.data()};
    for (i64 slice = 0; slice < out.shape[0]; ++slice) {
        fill_samples(filtered, slice, stride, value.data(), slope.data());
        backproject_slice(table, slice, out);
    }
}

template void backproject_parallel(View<const float, 3>, View<const double, 2>, View<float, 3>);
template void backproject_parallel(View<const double, 3>, View<const double, 2>, View<double, 3>);

} // namespace pyrad
