// Backprojection step of fan-beam FBP (Kak & Slaney 1988, doi 10.1137/1.9780898719277, sections
// 3.4.1 for detectors of equal angles and 3.4.2 for equal spacing):
//
//     f(x, y) = sum_view w(x, y) q_view(u(x, y))
//
// with q linear between samples and zero outside the detector; u and w stand in fan_math.hpp.
// A tile of the image stays in L1 while all views pass. Every sample has its slope to the next one
// beside it: value + fraction * slope.
#include "ct/backproject_fan.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/backproject_fan_tiles.hpp"
#include "ct/fan_math.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

using namespace fan;

// The portable tile kernel, and the oracle of the permuting ones.
template <class T, bool Curved>
PYRAD_CLONES void add_views(const Scan<T> &scan, i64 begin, i64 end, i64 x, i64 y,
                            T *__restrict tile) {
    const T centre = static_cast<T>(scan.beam.centre + 2),
            magnify = static_cast<T>(scan.beam.magnify);
    const T origin = static_cast<T>(scan.beam.source_origin);
    const T last = static_cast<T>(scan.beam.columns + 2);
    const Views &view = scan.beam.view;
    for (i64 v = begin; v < end; ++v) {
        const T *value = scan.value + v * scan.stride - 2,
                *slope = scan.slope + v * scan.stride - 2;
        const T across_step = static_cast<T>(view.across_x[v]);
        const T along_step = static_cast<T>(view.along_x[v]);
        for (i64 row = 0; row < tile_rows; ++row) {
            const T across = static_cast<T>(view.across_x[v] * x + view.across_y[v] * (y + row) +
                                            view.across_0[v]);
            const T along =
                static_cast<T>(view.along_x[v] * x + view.along_y[v] * (y + row) + view.along_0[v]);
            T *out = tile + row * tile_columns;
            for (int lane = 0; lane < tile_columns; ++lane) {
                const FanSample<T> sample =
                    fan_sample<T, Curved>(across + lane * across_step, along + lane * along_step,
                                          centre, magnify, origin);
                // a tile may stick out of the image as far as the source: NaN becomes 0
                const T low = sample.column > T(0) ? sample.column : T(0);
                const T at = low < last ? low : last;
                const int whole = static_cast<int>(at);
                const T part = at - static_cast<T>(whole);
                out[lane] += sample.weight * (value[whole] + part * slope[whole]);
            }
        }
    }
}

// Padded rows with their slopes, and the views' coefficients in columns.
template <class T> struct Tables {
    i64 stride;
    std::vector<T> value, slope;
    std::vector<double> coefficients;

    Tables(View<const T, 2> filtered, View<const double, 2> views)
        : stride(filtered.shape[1] + 2 * sample_pad),
          value(checked_product({filtered.shape[0], stride})), slope(value.size()),
          coefficients(6 * (filtered.shape[0] + Views::spare)) {
        const i64 count = filtered.shape[0], columns = filtered.shape[1];
        for (i64 v = 0; v < count; ++v)
            for (int i = 0; i < 6; ++i)
                coefficients[i * (count + Views::spare) + v] = views(v, i);
        parallel_for(count, 16, [&](i64 begin, i64 end, int) {
            for (i64 v = begin; v < end; ++v) {
                T *p = value.data() + v * stride + sample_pad;
                T *d = slope.data() + v * stride + sample_pad;
                std::copy_n(&filtered(v, 0), columns, p);
                for (i64 c = -1; c < columns; ++c)
                    d[c] = p[c + 1] - p[c];
            }
        });
    }

    Scan<T> scan(i64 columns, double centre, double magnify, double source_origin,
                 bool curved) const {
        const i64 step = static_cast<i64>(coefficients.size() / 6);
        const double *c = coefficients.data();
        const Views view{c, c + step, c + 2 * step, c + 3 * step, c + 4 * step, c + 5 * step};
        return {{step - Views::spare, columns, view, centre, magnify, source_origin, curved},
                stride,
                value.data() + sample_pad,
                slope.data() + sample_pad};
    }
};

template <class T> TileKernel<T> kernel_of(const Scan<T> &scan, i64 view, i64 x, i64 y) {
    if constexpr (sizeof(T) == 4)
        if (const TileKernel<T> permuting = permuting_tile_kernel(scan, view, x, y))
            return permuting;
    return scan.beam.curved ? &add_views<T, true> : &add_views<T, false>;
}

// All views in runs that take the same kernel.
template <class T> void fill_tile(const Scan<T> &scan, i64 x, i64 y, T *tile) {
    i64 begin = 0;
    TileKernel<T> kernel = kernel_of(scan, 0, x, y);
    for (i64 v = 1; v <= scan.beam.views; ++v) {
        const TileKernel<T> next = v < scan.beam.views ? kernel_of(scan, v, x, y) : nullptr;
        if (next == kernel)
            continue;
        kernel(scan, begin, v, x, y, tile);
        begin = v;
        kernel = next;
    }
}

} // namespace

template <class T>
void backproject_fan(View<const T, 2> filtered, View<const double, 2> views, double centre,
                     double magnify, double source_origin, bool curved, View<T, 2> out) {
    const Tables<T> tables(filtered, views);
    const Scan<T> scan = tables.scan(filtered.shape[1], centre, magnify, source_origin, curved);
    const i64 ny = out.shape[0], nx = out.shape[1];
    parallel_for(ny, tile_rows, [&](i64 begin, i64 end, int) {
        for (i64 x = 0; x < nx; x += tile_columns) {
            alignas(64) T tile[tile_rows * tile_columns] = {};
            fill_tile(scan, x, begin, tile);
            const i64 width = std::min(tile_columns, nx - x);
            for (i64 y = begin; y < end; ++y)
                std::copy_n(tile + (y - begin) * tile_columns, width, &out(y, x));
            poll();
        }
    });
}

template void backproject_fan(View<const float, 2>, View<const double, 2>, double, double, double,
                              bool, View<float, 2>);
template void backproject_fan(View<const double, 2>, View<const double, 2>, double, double, double,
                              bool, View<double, 2>);

} // namespace pyrad
