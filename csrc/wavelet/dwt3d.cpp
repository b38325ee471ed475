// Discrete wavelet transform of a volume in one sweep (sweep.hpp). Along y and z the analysis sees
// the extended volume: rows beyond the faces are made where they are read.
#include "wavelet/dwt3d.hpp"

#include "wavelet/lines.hpp"
#include "wavelet/sweep.hpp"

namespace pyrad {
namespace {

// Results [begin, end) along y of a run of steps along z.
template <class T> class AnalysisTile {
  public:
    AnalysisTile(View<const T, 4> x, const FilterPair<T> &f, int mode, const Bands<T> &bands,
                 i64 begin, i64 end)
        : x_(x), f_(f), mode_(mode), bands_(bands), begin_(begin), count_(end - begin),
          length_(bands[0].shape[2] * x.shape[3]), rows_(2 * count_ + f.taps - 2),
          line_(f, mode, x.shape[2], x.shape[3]), beyond_(x.shape[2] * x.shape[3]),
          along_x_(2 * rows_, length_), ring_(4 * f.taps, count_ * length_),
          streamed_(8 * bands[0].size() > sweep::streamed_numbers) {}

    // First of the samples that a coefficient needs; they are as many as the taps.
    i64 first_of(i64 coefficient) const {
        return 2 * coefficient + first_sample(f_.taps, mode_) - (f_.taps - 1);
    }

    // Along x and y: low and low, high and low, ... of plane t into the ring.
    void filter_plane(i64 t) {
        for (i64 r = 0; r < rows_; ++r)
            line_.analyse(row_of(t, first_of(begin_) + r), 0, bands_[0].shape[2], along_x_[r],
                          along_x_[rows_ + r]);
        for (int xb = 0; xb < 2; ++xb)
            for (i64 j = 0; j < count_; ++j) {
                weighted(sum_, [&](i64 q) { return along_x_[xb * rows_ + 2 * j + q]; });
                sum_.pair_into(slot(t, xb) + j * length_, slot(t, 2 + xb) + j * length_, length_);
            }
    }

    void sum_planes(i64 k) {
        for (int b = 0; b < 4; ++b) {
            weighted(sum_, [&](i64 q) { return slot(first_of(k) + q, b); });
            sum_.pair_into(&bands_[b](k, begin_, 0, 0), &bands_[4 + b](k, begin_, 0, 0),
                           count_ * length_, streamed_);
        }
    }

  private:
    template <class RowAt> void weighted(RowSum<T> &sum, RowAt &&row_at) const {
        sum.set(f_.taps, f_.low_reversed.data(), f_.high_reversed.data(), row_at);
    }
    T *slot(i64 plane, int band) { return ring_[4 * wrap(plane, f_.taps) + band]; }

    // Row y of plane z of the extended volume.
    const T *row_of(i64 z, i64 y) {
        const i64 nz = x_.shape[0], ny = x_.shape[1];
        if (z >= 0 && z < nz && y >= 0 && y < ny)
            return &x_(z, y, 0, 0);
        const auto ez = extend<T>(mode_, z, nz), ey = extend<T>(mode_, y, ny);
        if (ez.count == 1 && ey.count == 1 && ez.weight[0] * ey.weight[0] == T(1))
            return &x_(ez.index[0], ey.index[0], 0, 0);
        std::vector<const T *> rows;
        std::vector<T> weights;
        for (int i = 0; i < ez.count; ++i)
            for (int j = 0; j < ey.count; ++j) {
                rows.push_back(&x_(ez.index[i], ey.index[j], 0, 0));
                weights.push_back(ez.weight[i] * ey.weight[j]);
            }
        combine_one(rows.data(), weights.data(), static_cast<i64>(rows.size()),
                    static_cast<i64>(beyond_.size()), beyond_.data());
        return beyond_.data();
    }

    const View<const T, 4> x_;
    const FilterPair<T> &f_;
    const int mode_;
    const Bands<T> &bands_;
    const i64 begin_, count_, length_, rows_;
    SplitLine<T> line_;
    std::vector<T> beyond_;
    sweep::Rows<T> along_x_, ring_;
    const bool streamed_;
    RowSum<T> sum_;
};

// Sample pairs [begin, end) along y of a run of pairs along z.
template <class T> class SynthesisTile {
  public:
    SynthesisTile(const Bands<const T> &bands, const FilterPair<T> &f, bool periodization,
                  i64 begin, i64 end, View<T, 4> out)
        : bands_(bands), f_(f), half_(f.taps / 2), out_(out),
          along_z_(plan_synthesis(bands[0].shape[0], f.taps, periodization)),
          along_y_(plan_synthesis(bands[0].shape[1], f.taps, periodization)),
          along_x_(plan_synthesis(bands[0].shape[2], f.taps, periodization)), begin_(begin),
          count_(end - begin), rows_(count_ + half_ - 1), length_(out.shape[2] * out.shape[3]),
          line_(f, along_x_, bands[0].shape[2], bands[0].shape[3]),
          coefficients_(2, line_.before() + bands[0].shape[2] * bands[0].shape[3] + line_.behind()),
          joined_(2 * rows_, length_), ring_(2 * half_, 2 * count_ * length_),
          streamed_(out.size() > sweep::streamed_numbers) {}

    // Along x and y: plane i of the coefficients that pairs 0, 1, ... begin with, into the ring.
    void filter_plane(i64 i) {
        const i64 plane = wrap(along_z_.start + i, bands_[0].shape[0]);
        const i64 width = bands_[0].shape[2] * bands_[0].shape[3];
        for (int zb = 0; zb < 2; ++zb) {
            for (int yb = 0; yb < 2; ++yb)
                for (i64 r = 0; r < rows_; ++r) {
                    const i64 row = wrap(along_y_.start + begin_ + r, bands_[0].shape[1]);
                    T *const line[2] = {coefficients_[0] + line_.before(),
                                        coefficients_[1] + line_.before()};
                    for (int xb = 0; xb < 2; ++xb)
                        std::copy_n(&bands_[4 * zb + 2 * yb + xb](plane, row, 0, 0), width,
                                    line[xb]);
                    line_.synthesise_whole(line[0], line[1], joined_[yb * rows_ + r]);
                }
            T *const to = slot(i, zb);
            for (i64 j = 0; j < count_; ++j) {
                weighted([&](i64 t) { return joined_[t % 2 * rows_ + j + t / 2]; });
                sum_.pair_into(to + 2 * j * length_, to + (2 * j + 1) * length_, length_);
            }
        }
    }

    // Both samples of pair i along z.
    void sum_planes(i64 i) {
        const i64 ny = out_.shape[1], z = 2 * i + along_z_.first;
        const i64 y = wrap(2 * begin_ + along_y_.first, ny), rows = 2 * count_;
        const i64 before_wrap = std::min(rows, ny - y);
        sum_rows(i, z, y, 0, before_wrap);
        sum_rows(i, z, 0, before_wrap, rows);
    }

  private:
    T *slot(i64 plane, int band) { return ring_[2 * (plane % half_) + band]; }

    template <class RowAt> void weighted(RowAt &&row_at) {
        sum_.set(f_.taps, f_.first.data(), f_.second.data(), row_at);
    }

    // Rows [begin, end) of the block, which stand from row y on.
    void sum_rows(i64 i, i64 z, i64 y, i64 begin, i64 end) {
        if (begin == end)
            return;
        const i64 nz = out_.shape[0];
        weighted([&](i64 t) { return slot(i + t / 2, t % 2) + begin * length_; });
        sum_.pair_into(&out_(wrap(z, nz), y, 0, 0), &out_(wrap(z + 1, nz), y, 0, 0),
                       (end - begin) * length_, streamed_);
    }

    const Bands<const T> &bands_;
    const FilterPair<T> &f_;
    const i64 half_;
    const View<T, 4> out_;
    const SynthesisPlan along_z_, along_y_, along_x_;
    const i64 begin_, count_, rows_, length_;
    JoinLine<T> line_;
    sweep::Rows<T> coefficients_, joined_, ring_;
    const bool streamed_;
    RowSum<T> sum_;
};

} // namespace

template <class T>
void dwt_analysis_3d(View<const T, 4> x, const double *filters, i64 taps, int mode,
                     const Bands<T> &bands) {
    const FilterPair<T> f(filters, taps);
    const i64 row = bands[0].shape[2] * bands[0].shape[3];
    const i64 block = sweep::rows_per_block(4 * taps * row, taps / 2);
    const auto body = [&](i64 begin, i64 end, i64 step, i64 last_step) {
        AnalysisTile<T> tile(x, f, mode, bands, begin, end);
        i64 filtered = tile.first_of(step);
        for (i64 k = step; k < last_step; ++k) {
            for (; filtered < tile.first_of(k) + taps; ++filtered)
                tile.filter_plane(filtered);
            tile.sum_planes(k);
        }
    };
    sweep::for_tiles(bands[0].shape[1], block, bands[0].shape[0], body);
}

template <class T>
void dwt_synthesis_3d(const Bands<const T> &bands, const double *filters, i64 taps,
                      bool periodization, View<T, 4> out) {
    const FilterPair<T> f(filters, taps);
    const i64 half = taps / 2;
    const i64 block = sweep::rows_per_block(4 * half * out.shape[2] * out.shape[3], half);
    const auto body = [&](i64 begin, i64 end, i64 step, i64 last_step) {
        SynthesisTile<T> tile(bands, f, periodization, begin, end, out);
        i64 filtered = step;
        for (i64 i = step; i < last_step; ++i) {
            for (; filtered < i + half; ++filtered)
                tile.filter_plane(filtered);
            tile.sum_planes(i);
        }
    };
    sweep::for_tiles(plan_synthesis(bands[0].shape[1], taps, periodization).pairs, block,
                     plan_synthesis(bands[0].shape[0], taps, periodization).pairs, body);
}

#define INSTANTIATE(T)                                                                             \
    template void dwt_analysis_3d(View<const T, 4>, const double *, i64, int, const Bands<T> &);   \
    template void dwt_synthesis_3d(const Bands<const T> &, const double *, i64, bool, View<T, 4>);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
