// Discrete wavelet transform of one axis. Long inner rows are summed as they lie, in column blocks
// that keep the rows of one sum in the cache; lines along the last axis go through SplitLine.
#include "wavelet/dwt.hpp"

#include "wavelet/lines.hpp"
#include "wavelet/tiles.hpp"

namespace pyrad {

template <class T>
void dwt_analysis(View<const T, 3> x, const double *filters, i64 taps, int mode, View<T, 3> low,
                  View<T, 3> high) {
    const FilterPair<T> f(filters, taps);
    const i64 outer = x.shape[0], n = x.shape[1], inner = x.shape[2], m = low.shape[1];
    if (inner < shortest_row) {
        for_line_blocks(outer, m, inner, [&](auto each) {
            SplitLine<T> line(f, mode, n, inner);
            each([&](i64 o, i64 begin, i64 end) {
                line.analyse(&x(o, 0, 0), begin, end, &low(o, begin, 0), &high(o, begin, 0));
            });
        });
        return;
    }
    for_row_blocks(outer, m, inner, [&](i64 o, i64 column, i64 width, i64 begin, i64 end) {
        RowSum<T> sum;
        for (i64 k = begin; k < end; ++k) {
            sum.analysis(f, mode, k, n, [&](i64 row) { return &x(o, row, column); });
            sum.pair_into(&low(o, k, column), &high(o, k, column), width);
        }
    });
}

template <class T>
void dwt_synthesis(View<const T, 3> low, View<const T, 3> high, const double *filters, i64 taps,
                   bool periodization, View<T, 3> out) {
    const FilterPair<T> f(filters, taps);
    const i64 outer = low.shape[0], m = low.shape[1], inner = low.shape[2], n = out.shape[1];
    const SynthesisPlan plan = plan_synthesis(m, taps, periodization);
    if (inner < shortest_row) {
        for_line_blocks(outer, plan.pairs, inner, [&](auto each) {
            JoinLine<T> line(f, plan, m, inner);
            each([&](i64 o, i64 begin, i64 end) {
                line.synthesise(&low(o, 0, 0), &high(o, 0, 0), begin, end, &out(o, 0, 0));
            });
        });
        return;
    }
    for_row_blocks(outer, plan.pairs, inner, [&](i64 o, i64 column, i64 width, i64 begin, i64 end) {
        RowSum<T> sum;
        for (i64 i = begin; i < end; ++i) {
            const i64 at = 2 * i + plan.first;
            sum.synthesis(
                f, plan, i, m, [&](i64 row) { return &low(o, row, column); },
                [&](i64 row) { return &high(o, row, column); });
            sum.pair_into(&out(o, wrap(at, n), column), &out(o, wrap(at + 1, n), column), width);
        }
    });
}

template <class T> void dwt_fold(View<const T, 3> extended, i64 start, int mode, View<T, 3> out) {
    const i64 outer = out.shape[0], n = out.shape[1], inner = out.shape[2];
    const i64 length = extended.shape[1];
    const i64 grain = tiles::numbers / std::max<i64>(1, n * inner);
    parallel_for(outer, grain, [&](i64 first, i64 last, int) {
        for (i64 o = first; o < last; ++o) {
            std::copy_n(&extended(o, -start, 0), n * inner, &out(o, 0, 0));
            for (i64 i = 0; i < length; ++i) {
                if (i == -start)
                    i += n;
                if (i == length)
                    break;
                const auto e = extend<T>(mode, start + i, n);
                for (int s = 0; s < e.count; ++s)
                    for (i64 c = 0; c < inner; ++c)
                        out(o, e.index[s], c) += e.weight[s] * extended(o, i, c);
            }
        }
    });
}

#define INSTANTIATE(T)                                                                             \
    template void dwt_analysis(View<const T, 3>, const double *, i64, int, View<T, 3>,             \
                               View<T, 3>);                                                        \
    template void dwt_synthesis(View<const T, 3>, View<const T, 3>, const double *, i64, bool,     \
                                View<T, 3>);                                                       \
    template void dwt_fold(View<const T, 3>, i64, int, View<T, 3>);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
