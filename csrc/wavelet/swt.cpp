// Stationary wavelet transform of one axis, with the tiling of dwt.cpp. Nothing is decimated, so
// a line's taps meet shifted copies of the line itself.
#include "wavelet/swt.hpp"

#include "wavelet/lines.hpp"
#include "wavelet/tiles.hpp"

namespace pyrad {

template <class T>
void swt_analysis(View<const T, 3> x, const double *filters, i64 taps, View<T, 3> low,
                  View<T, 3> high) {
    const FilterPair<T> f(filters, taps);
    const i64 outer = x.shape[0], n = x.shape[1], inner = x.shape[2];
    if (inner < shortest_row) {
        for_line_blocks(outer, n, inner, [&](auto each) {
            RowSum<T> sum;
            std::vector<T> copy;
            each([&](i64 o, i64 begin, i64 end) {
                const i64 start = begin + taps / 2 - (taps - 1);
                const i64 count = end - begin + taps - 1;
                const T *from = unwrap(&x(o, 0, 0), start, count, n, inner, copy);
                sum.set(taps, f.low_reversed.data(), f.high_reversed.data(),
                        [&](i64 q) { return from + q * inner; });
                sum.pair_into(&low(o, begin, 0), &high(o, begin, 0), (end - begin) * inner);
            });
        });
        return;
    }
    for_row_blocks(outer, n, inner, [&](i64 o, i64 column, i64 width, i64 begin, i64 end) {
        RowSum<T> sum;
        for (i64 k = begin; k < end; ++k) {
            const i64 oldest = k + taps / 2 - taps + 1;
            sum.set(taps, f.low_reversed.data(), f.high_reversed.data(),
                    [&](i64 q) { return &x(o, wrap(oldest + q, n), column); });
            sum.pair_into(&low(o, k, column), &high(o, k, column), width);
        }
    });
}

template <class T>
void swt_synthesis(View<const T, 3> low, View<const T, 3> high, const double *filters, i64 taps,
                   View<T, 3> out) {
    const FilterPair<T> f(filters, taps, 0.5);
    const i64 outer = out.shape[0], n = out.shape[1], inner = out.shape[2];
    if (inner < shortest_row) {
        for_line_blocks(outer, n, inner, [&](auto each) {
            RowSum<T> sum;
            std::vector<T> low_copy, high_copy;
            each([&](i64 o, i64 begin, i64 end) {
                const i64 start = begin - taps / 2, count = end - begin + taps - 1;
                const T *from_low = unwrap(&low(o, 0, 0), start, count, n, inner, low_copy);
                const T *from_high = unwrap(&high(o, 0, 0), start, count, n, inner, high_copy);
                sum.set(2 * taps, f.mixed_reversed.data(), nullptr,
                        [&](i64 t) { return (t % 2 ? from_high : from_low) + t / 2 * inner; });
                sum.one_into(&out(o, begin, 0), (end - begin) * inner);
            });
        });
        return;
    }
    for_row_blocks(outer, n, inner, [&](i64 o, i64 column, i64 width, i64 begin, i64 end) {
        RowSum<T> sum;
        for (i64 k = begin; k < end; ++k) {
            sum.set(2 * taps, f.mixed_reversed.data(), nullptr, [&](i64 t) {
                const i64 at = wrap(k - taps / 2 + t / 2, n);
                return t % 2 ? &high(o, at, column) : &low(o, at, column);
            });
            sum.one_into(&out(o, k, column), width);
        }
    });
}

#define INSTANTIATE(T)                                                                             \
    template void swt_analysis(View<const T, 3>, const double *, i64, View<T, 3>, View<T, 3>);     \
    template void swt_synthesis(View<const T, 3>, View<const T, 3>, const double *, i64,           \
                                View<T, 3>);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
