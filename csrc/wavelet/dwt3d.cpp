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

// What one tile of the inverse works with.
template <class T> class SynthesisTile {
  public:
    SynthesisTile(const Bands<const T> &bands, const FilterPair<T> &f, bool periodization,
                  i64 begin, i64 end)
        : bands_(bands), f_(f), along_z_(plan_synthesis(bands[0].shape[0], f.taps, periodization)),
          along_y_(plan_synthesis(bands[0].shape[1], f.taps, periodization)),
          along_x_(plan_synthesis(bands[0].shape[2], f.taps, periodization)),
          length_(bands[0].shape[2] * bands[0].shape[3]),
          needed_(needed_by_synthesis(begin, end, along_y_, f.taps, bands[0].shape[1])),
          line_(f, along_x_, bands[0].shape[2], bands[0].shape[3]),
          row_stride_(line_.before() + length_ + line_.behind()),
          scratch_(8 * needed_.count * length_), rows_(4 * row_stride_) {}

    // Sample pair i along z of all needed rows, for the four bands of y and x.
    void along_z(i64 i) {
        for (int b = 0; b < 4; ++b)
            for (const auto &run : needed_.runs) {
                sum_.synthesis(
                    f_, along_z_, i, bands_[b].shape[0],
                    [&](i64 plane) { return &bands_[b](plane, run.row, 0, 0); },
                    [&](i64 plane) { return &bands_[4 + b](plane, run.row, 0, 0); });
                const i64 at = run.slot * length_;
                sum_.pair_into(plane(0, b) + at, plane(1, b) + at, run.count * length_);
            }
    }

    // Pair j of rows along y of one sample along z.
    void along_y(int z_phase, i64 j) {
        for (int xb = 0; xb < 2; ++xb) {
            const T *const low = plane(z_phase, xb), *const high = plane(z_phase, 2 + xb);
            sum_.synthesis(
                f_, along_y_, j, bands_[0].shape[1],
                [&](i64 y) { return low + needed_.slot[y] * length_; },
                [&](i64 y) { return high + needed_.slot[y] * length_; });
            sum_.pair_into(row(xb, 0), row(xb, 1), length_);
        }
    }

    void along_x(int y_phase, T *out) {
        line_.synthesise_whole(row(0, y_phase), row(1, y_phase), out);
    }

  private:
    T *plane(int z_phase, int band) {
        return scratch_.data() + (4 * z_phase + band) * needed_.count * length_;
    }
    T *row(int x_band, int y_phase) {
        return rows_.data() + (2 * x_band + y_phase) * row_stride_ + line_.before();
    }

    const Bands<const T> &bands_;
    const FilterPair<T> &f_;
    SynthesisPlan along_z_, along_y_, along_x_;
    i64 length_;
    sweep::NeededRows needed_;
    JoinLine<T> line_;
    i64 row_stride_;
    std::vector<T> scratch_, rows_;
    RowSum<T> sum_;
};

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
    const SynthesisPlan along_z = plan_synthesis(bands[0].shape[0], taps, periodization);
    const SynthesisPlan along_y = plan_synthesis(bands[0].shape[1], taps, periodization);
    const i64 block = sweep::rows_per_block(out.shape[2] * out.shape[3]);
    const auto body = [&](i64 begin, i64 end, i64 step, i64 last_step) {
        SynthesisTile<T> tile(bands, f, periodization, begin, end);
        for (i64 i = step; i < last_step; ++i) {
            tile.along_z(i);
            for (int zp = 0; zp < 2; ++zp)
                for (i64 j = begin; j < end; ++j) {
                    tile.along_y(zp, j);
                    for (int yp = 0; yp < 2; ++yp) {
                        const i64 z = wrap(2 * i + along_z.first + zp, out.shape[0]);
                        const i64 y = wrap(2 * j + along_y.first + yp, out.shape[1]);
                        tile.along_x(yp, &out(z, y, 0, 0));
                    }
                }
        }
    };
    sweep::for_tiles(along_y.pairs, block, along_z.pairs, body);
}

#define INSTANTIATE(T)                                                                             \
    template void dwt_analysis_3d(View<const T, 4>, const double *, i64, int, const Bands<T> &);   \
    template void dwt_synthesis_3d(const Bands<const T> &, const double *, i64, bool, View<T, 4>);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
