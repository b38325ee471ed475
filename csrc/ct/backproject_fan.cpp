// Backprojection step of fan-beam FBP (Kak & Slaney 1988, doi 10.1137/1.9780898719277, sections
// 3.4.1 for detectors of equal angles and 3.4.2 for equal spacing):
//
//     f(x, y) = sum_view w(x, y) q_view(u(x, y))
//
// with q linear between samples and zero outside the detector; u and w stand in fan_math.hpp.
#include "ct/backproject_fan.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/fan_math.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile_columns = 64, tile_rows = 8, pad = 2;

template <class T> struct Fan {
    const T *value;       // rows with `pad` zeros on both sides
    const double *across; // three coefficients per view
    const double *along;
    i64 views, columns, stride;
    T centre, magnify, source_origin;
};

template <class T, bool Curved>
PYRAD_CLONES void add_views(const Fan<T> &fan, i64 x, i64 y, T *__restrict tile) {
    const T centre = fan.centre + T(pad), magnify = fan.magnify, origin = fan.source_origin;
    const T last = static_cast<T>(fan.columns + pad);
    for (i64 v = 0; v < fan.views; ++v) {
        const double *a = fan.across + 3 * v, *b = fan.along + 3 * v;
        const T *value = fan.value + v * fan.stride;
        const T across_step = static_cast<T>(a[0]), along_step = static_cast<T>(b[0]);
        for (i64 row = 0; row < tile_rows; ++row) {
            const T across = static_cast<T>(a[0] * x + a[1] * (y + row) + a[2]);
            const T along = static_cast<T>(b[0] * x + b[1] * (y + row) + b[2]);
            T *out = tile + row * tile_columns;
            for (int lane = 0; lane < tile_columns; ++lane) {
                const FanSample<T> sample =
                    fan_sample<T, Curved>(across + lane * across_step, along + lane * along_step,
                                          centre, magnify, origin);
                const T at = clamp(sample.column, T(0), last);
                const int whole = static_cast<int>(at);
                const T low = value[whole], high = value[whole + 1];
                out[lane] += sample.weight * (low + (at - static_cast<T>(whole)) * (high - low));
            }
        }
    }
}

} // namespace

template <class T>
void backproject_fan(View<const T, 2> filtered, View<const double, 2> views, double centre,
                     double magnify, double source_origin, bool curved, View<T, 2> out) {
    const i64 count = filtered.shape[0], columns = filtered.shape[1];
    const i64 stride = columns + 2 * pad;
    std::vector<T> value(checked_product({count, stride}));
    std::vector<double> across(3 * count), along(3 * count);
    for (i64 v = 0; v < count; ++v) {
        std::copy_n(&filtered(v, 0), columns, value.data() + v * stride + pad);
        std::copy_n(&views(v, 0), 3, across.data() + 3 * v);
        std::copy_n(&views(v, 3), 3, along.data() + 3 * v);
    }
    const Fan<T> fan{value.data(),
                     across.data(),
                     along.data(),
                     count,
                     columns,
                     stride,
                     static_cast<T>(centre),
                     static_cast<T>(magnify),
                     static_cast<T>(source_origin)};
    const auto kernel = curved ? &add_views<T, true> : &add_views<T, false>;
    const i64 ny = out.shape[0], nx = out.shape[1];
    parallel_for(ny, tile_rows, [&](i64 begin, i64 end, int) {
        for (i64 x = 0; x < nx; x += tile_columns) {
            alignas(64) T tile[tile_rows * tile_columns] = {};
            kernel(fan, x, begin, tile);
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
