// Stationary wavelet transform of a volume in one sweep (sweep.hpp): one read of the volume for
// eight bands, where passes of one axis read and write it seven times.
#include "wavelet/swt3d.hpp"

#include "wavelet/lines.hpp"
#include "wavelet/sweep.hpp"

namespace pyrad {
namespace {

// Rows begin + offset * step of the taps, offset in [oldest, oldest + taps), for rows [begin, end).
sweep::NeededRows needed_rows(i64 begin, i64 end, i64 oldest, i64 taps, i64 step, i64 n) {
    std::vector<char> needed(n, 0);
    for (i64 row = begin; row < end; ++row)
        for (i64 q = 0; q < taps; ++q)
            needed[wrap(row + (oldest + q) * step, n)] = 1;
    return sweep::NeededRows(needed);
}

// A periodic line whose ends are repeated on both sides.
template <class T> struct PaddedLine {
    i64 n, before, after; // numbers
    std::vector<T> numbers;

    PaddedLine(i64 n, i64 before, i64 after)
        : n(n), before(before), after(after), numbers(before + n + after) {}

    T *line() { return numbers.data() + before; }

    void pad() {
        for (i64 i = 1; i <= before; ++i)
            line()[-i] = line()[wrap(-i, n)];
        for (i64 i = 0; i < after; ++i)
            line()[n + i] = line()[wrap(i, n)];
    }
};

} // namespace

template <class T>
void swt_analysis_3d(View<const T, 4> x, const double *filters, i64 taps, i64 step,
                     const Bands<T> &bands) {
    const FilterPair<T> f(filters, taps);
    const i64 nz = x.shape[0], ny = x.shape[1], lanes = x.shape[3], length = x.shape[2] * lanes;
    const i64 oldest = taps / 2 - taps + 1, jump = step * lanes;
    sweep::for_tiles(ny, sweep::rows_per_block(length), nz, [&](i64 begin, i64 end, i64 z, i64 zn) {
        const auto needed = needed_rows(begin, end, oldest, taps, step, ny);
        std::vector<T> scratch(2 * needed.count * length);
        T *const along_z[2] = {scratch.data(), scratch.data() + needed.count * length};
        PaddedLine<T> low(length, -oldest * jump, taps / 2 * jump), high = low;
        RowSum<T> sum;
        const auto rows = [&](auto &&row_at) {
            sum.set(taps, f.low_reversed.data(), f.high_reversed.data(), row_at);
        };
        for (; z < zn; ++z) {
            for (const auto &run : needed.runs) {
                rows([&](i64 q) { return &x(wrap(z + (oldest + q) * step, nz), run.row, 0, 0); });
                sum.pair_into(along_z[0] + run.slot * length, along_z[1] + run.slot * length,
                              run.count * length);
            }
            for (int b = 0; b < 8; b += 4)
                for (i64 y = begin; y < end; ++y) {
                    rows([&](i64 q) {
                        const i64 row = wrap(y + (oldest + q) * step, ny);
                        return along_z[b / 4] + needed.slot[row] * length;
                    });
                    sum.pair_into(low.line(), high.line(), length);
                    for (int yb = 0; yb < 4; yb += 2) {
                        auto &from = yb ? high : low;
                        from.pad();
                        rows([&](i64 q) { return from.line() + (oldest + q) * jump; });
                        sum.pair_into(&bands[b + yb](z, y, 0, 0), &bands[b + yb + 1](z, y, 0, 0),
                                      length);
                    }
                }
        }
    });
}

template <class T>
void swt_synthesis_3d(const Bands<const T> &bands, const double *filters, i64 taps, i64 step,
                      View<T, 4> out) {
    const FilterPair<T> f(filters, taps, 0.5);
    const i64 nz = out.shape[0], ny = out.shape[1], lanes = out.shape[3];
    const i64 length = out.shape[2] * lanes, oldest = -(taps / 2), jump = step * lanes;
    sweep::for_tiles(ny, sweep::rows_per_block(length), nz, [&](i64 begin, i64 end, i64 z, i64 zn) {
        const auto needed = needed_rows(begin, end, oldest, taps, step, ny);
        const i64 plane = needed.count * length;
        std::vector<T> scratch(4 * plane); // bands of y and x
        PaddedLine<T> low(length, -oldest * jump, (taps / 2 - 1) * jump), high = low;
        RowSum<T> sum;
        const auto rows = [&](auto &&low_at, auto &&high_at) {
            sum.set(2 * taps, f.mixed_reversed.data(), nullptr, [&](i64 t) -> const T * {
                return t % 2 ? high_at(oldest + t / 2) : low_at(oldest + t / 2);
            });
        };
        for (; z < zn; ++z) {
            for (int b = 0; b < 4; ++b)
                for (const auto &run : needed.runs) {
                    const auto at = [&](int band) {
                        return [&, band](i64 q) {
                            return &bands[band](wrap(z + q * step, nz), run.row, 0, 0);
                        };
                    };
                    rows(at(b), at(4 + b));
                    sum.one_into(scratch.data() + b * plane + run.slot * length,
                                 run.count * length);
                }
            for (i64 y = begin; y < end; ++y) {
                for (int xb = 0; xb < 2; ++xb) {
                    const auto at = [&](int band) {
                        return [&, band](i64 q) {
                            return scratch.data() + band * plane +
                                   needed.slot[wrap(y + q * step, ny)] * length;
                        };
                    };
                    rows(at(xb), at(2 + xb));
                    auto &to = xb ? high : low;
                    sum.one_into(to.line(), length);
                    to.pad();
                }
                rows([&](i64 q) { return low.line() + q * jump; },
                     [&](i64 q) { return high.line() + q * jump; });
                sum.one_into(&out(z, y, 0, 0), length);
            }
        }
    });
}

#define INSTANTIATE(T)                                                                             \
    template void swt_analysis_3d(View<const T, 4>, const double *, i64, i64, const Bands<T> &);   \
    template void swt_synthesis_3d(const Bands<const T> &, const double *, i64, i64, View<T, 4>);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
