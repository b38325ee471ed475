// Discrete wavelet transform of a volume in one sweep (sweep.hpp). The inverse runs the same way
// with synthesis in the place of analysis.
#include "wavelet/dwt3d.hpp"

#include "wavelet/lines.hpp"
#include "wavelet/sweep.hpp"

namespace pyrad {
namespace {

sweep::NeededRows needed_by_analysis(i64 begin, i64 end, i64 taps, int mode, i64 n) {
    std::vector<char> needed(n, 0);
    const i64 first = first_sample(taps, mode);
    for (i64 t = 2 * begin + first - (taps - 1); t <= 2 * (end - 1) + first; ++t) {
        const auto e = extend<float>(mode, t, n);
        for (int s = 0; s < e.count; ++s)
            needed[e.index[s]] = 1;
    }
    return sweep::NeededRows(needed);
}

sweep::NeededRows needed_by_synthesis(i64 begin, i64 end, const SynthesisPlan &plan, i64 taps,
                                      i64 m) {
    std::vector<char> needed(m, 0);
    for (i64 i = begin; i < end + taps / 2 - 1; ++i)
        needed[wrap(plan.start + i, m)] = 1;
    return sweep::NeededRows(needed);
}

} // namespace

template <class T>
void dwt_analysis_3d(View<const T, 4> x, const double *filters, i64 taps, int mode,
                     const Bands<T> &bands) {
    const FilterPair<T> f(filters, taps);
    const i64 nz = x.shape[0], ny = x.shape[1], nx = x.shape[2], lanes = x.shape[3];
    const i64 mz = bands[0].shape[0], my = bands[0].shape[1];
    const i64 mx = bands[0].shape[2], length = nx * lanes;

    sweep::for_tiles(
        my, sweep::rows_per_block(length), mz, [&](i64 begin, i64 end, i64 step, i64 last_step) {
            const sweep::NeededRows needed = needed_by_analysis(begin, end, taps, mode, ny);
            std::vector<T> scratch(2 * needed.count * length), rows(2 * length);
            T *const along_z[2] = {scratch.data(), scratch.data() + needed.count * length};
            T *const along_y[2] = {rows.data(), rows.data() + length};
            RowSum<T> z, y;
            SplitLine<T> line(f, mode, nx, lanes);
            for (i64 k = step; k < last_step; ++k) {
                for (const auto &run : needed.runs) {
                    z.analysis(f, mode, k, nz, [&](i64 plane) { return &x(plane, run.row, 0, 0); });
                    z.pair_into(along_z[0] + run.slot * length, along_z[1] + run.slot * length,
                                run.count * length);
                }
                for (int zb = 0; zb < 2; ++zb)
                    for (i64 j = begin; j < end; ++j) {
                        y.analysis(f, mode, j, ny, [&](i64 row) {
                            return along_z[zb] + needed.slot[row] * length;
                        });
                        y.pair_into(along_y[0], along_y[1], length);
                        for (int yb = 0; yb < 2; ++yb)
                            line.analyse(along_y[yb], 0, mx, &bands[4 * zb + 2 * yb](k, j, 0, 0),
                                         &bands[4 * zb + 2 * yb + 1](k, j, 0, 0));
                    }
            }
        });
}

template <class T>
void dwt_synthesis_3d(const Bands<const T> &bands, const double *filters, i64 taps,
                      bool periodization, View<T, 4> out) {
    const FilterPair<T> f(filters, taps);
    const i64 mz = bands[0].shape[0], my = bands[0].shape[1];
    const i64 mx = bands[0].shape[2], lanes = bands[0].shape[3], length = mx * lanes;
    const SynthesisPlan along_z = plan_synthesis(mz, taps, periodization);
    const SynthesisPlan along_y = plan_synthesis(my, taps, periodization);
    const SynthesisPlan along_x = plan_synthesis(mx, taps, periodization);

    sweep::for_tiles(
        along_y.pairs, sweep::rows_per_block(2 * length), along_z.pairs,
        [&](i64 begin, i64 end, i64 step, i64 last_step) {
            const sweep::NeededRows needed = needed_by_synthesis(begin, end, along_y, taps, my);
            const i64 plane = needed.count * length;
            // scratch: [z phase][band of y and x], rows: [band of x][y phase]
            std::vector<T> scratch(8 * plane), rows(4 * length);
            RowSum<T> z, y;
            JoinLine<T> line(f, along_x, mx, lanes);
            for (i64 i = step; i < last_step; ++i) {
                for (int b = 0; b < 4; ++b)
                    for (const auto &run : needed.runs) {
                        z.synthesis(
                            f, along_z, i, mz, [&](i64 p) { return &bands[b](p, run.row, 0, 0); },
                            [&](i64 p) { return &bands[4 + b](p, run.row, 0, 0); });
                        T *const to = scratch.data() + b * plane + run.slot * length;
                        z.pair_into(to, to + 4 * plane, run.count * length);
                    }
                for (int zp = 0; zp < 2; ++zp) {
                    const T *const from = scratch.data() + 4 * zp * plane;
                    const i64 oz = wrap(2 * i + along_z.first + zp, out.shape[0]);
                    for (i64 j = begin; j < end; ++j) {
                        for (int xb = 0; xb < 2; ++xb) {
                            const T *const low = from + xb * plane, *const high = low + 2 * plane;
                            y.synthesis(
                                f, along_y, j, my,
                                [&](i64 row) { return low + needed.slot[row] * length; },
                                [&](i64 row) { return high + needed.slot[row] * length; });
                            T *const to = rows.data() + 2 * xb * length;
                            y.pair_into(to, to + length, length);
                        }
                        for (int yp = 0; yp < 2; ++yp) {
                            const i64 oy = wrap(2 * j + along_y.first + yp, out.shape[1]);
                            const T *const low = rows.data() + yp * length;
                            line.synthesise(low, low + 2 * length, 0, along_x.pairs,
                                            &out(oz, oy, 0, 0));
                        }
                    }
                }
            }
        });
}

#define INSTANTIATE(T)                                                                             \
    template void dwt_analysis_3d(View<const T, 4>, const double *, i64, int, const Bands<T> &);   \
    template void dwt_synthesis_3d(const Bands<const T> &, const double *, i64, bool, View<T, 4>);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
