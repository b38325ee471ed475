// A tile is a few columns of a plane over its whole height, in the second-level cache: every row is
// filtered along b, then the rows are summed along a. Where the samples along b do not lie together
// in memory, a column is a cache line of neighbouring planes.
#include "filters/gabor.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "wavelet/combine.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile_numbers = 128; // in a row of a tile

template <class T>
__attribute__((always_inline)) inline void modulus_loop(const T *re, const T *im, i64 n, T *out) {
    for (i64 i = 0; i < n; ++i)
        out[i] = std::sqrt(re[i] * re[i] + im[i] * im[i]);
}
PYRAD_CLONES void modulus(const float *re, const float *im, i64 n, float *out) {
    modulus_loop(re, im, n, out);
}
PYRAD_CLONES void modulus(const double *re, const double *im, i64 n, double *out) {
    modulus_loop(re, im, n, out);
}

template <class T> class Tile {
  public:
    Tile(View<const T, 5> x, View<const T, 3> taps, Boundary boundary, i64 first_a, i64 first_b,
         View<T, 5> out, i64 columns, i64 lanes)
        : x_(x), boundary_(boundary), first_a_(first_a), first_b_(first_b), out_(out),
          rank_(taps.shape[0]), count_(taps.shape[2]), reach_(count_ / 2),
          rows_(out.shape[1] + count_ - 1), stride_(columns * lanes + 16),
          line_((columns + count_ - 1) * lanes), filtered_(2 * rows_ * stride_),
          sums_(4 * stride_ * out.shape[1]), weights_(rank_ * (6 * count_ + 4)) {
        for (i64 r = 0; r < rank_; ++r)
            for (i64 t = 0; t < count_; ++t) {
                const i64 tap = count_ - 1 - t;
                const T re = taps(r, 0, tap), im = taps(r, 1, tap);
                T *const along_b = weights(r);
                along_b[t] = taps(r, 2, tap), along_b[count_ + t] = taps(r, 3, tap);
                T *const along_a = along_b + 2 * count_;
                along_a[2 * t] = re, along_a[2 * t + 1] = -im;
                along_a[2 * (count_ + 1) + 2 * t] = im;
                along_a[2 * (count_ + 1) + 2 * t + 1] = re;
            }
    }

    // Columns [begin, end) of b, lanes [lane, lane + lanes).
    void run(i64 outer, i64 mid, i64 begin, i64 end, i64 lane, i64 lanes, GaborPart part) {
        const i64 n = (end - begin) * lanes;
        for (i64 r = 0; r < rank_; ++r) {
            for (i64 row = 0; row < rows_; ++row)
                filter_row(r, outer, row, mid, begin, end, lane, lanes);
            for (i64 a = 0; a < out_.shape[1]; ++a)
                sum_rows(r, a, n);
        }
        for (i64 a = 0; a < out_.shape[1]; ++a) {
            write(sum(rank_ - 1, 0, a), sum(rank_ - 1, 1, a), n, part);
            if (lanes == out_.stride[3])
                std::copy_n(line_.data(), n, &out_(outer, a, mid, begin, lane));
            else
                for (i64 b = begin; b < end; ++b)
                    std::copy_n(line_.data() + (b - begin) * lanes, lanes,
                                &out_(outer, a, mid, b, lane));
        }
    }

  private:
    T *weights(i64 r) { return weights_.data() + r * (6 * count_ + 4); }
    T *sum(i64 r, int part, i64 a) {
        return sums_.data() + ((r % 2 * 2 + part) * out_.shape[1] + a) * stride_;
    }
    T *filtered(int part, i64 row) { return filtered_.data() + (part * rows_ + row) * stride_; }

    // One row of the image with what stands beyond its ends, along b.
    void filter_row(i64 r, i64 outer, i64 row, i64 mid, i64 begin, i64 end, i64 lane, i64 lanes) {
        const i64 a = index_within(first_a_ + row - reach_, x_.shape[1], boundary_);
        const i64 n = (end - begin) * lanes, first = first_b_ + begin - reach_;
        if (a < 0) {
            std::fill_n(filtered(0, row), n, T(0));
            std::fill_n(filtered(1, row), n, T(0));
            return;
        }
        const i64 total = end - begin + count_ - 1;
        const i64 inside = std::clamp<i64>(-first, 0, total);
        const i64 behind = std::clamp<i64>(x_.shape[3] - first, inside, total);
        for (i64 i = 0; i < total; ++i) {
            T *const to = line_.data() + i * lanes;
            if (i == inside && inside < behind &&
                lanes == x_.stride[3]) { // samples that lie together
                std::copy_n(&x_(outer, a, mid, first + i, lane), (behind - inside) * lanes, to);
                i = behind - 1;
                continue;
            }
            const i64 b = index_within(first + i, x_.shape[3], boundary_);
            if (b < 0)
                std::fill_n(to, lanes, T(0));
            else
                std::copy_n(&x_(outer, a, mid, b, lane), lanes, to);
        }
        sources_.resize(count_);
        for (i64 t = 0; t < count_; ++t)
            sources_[t] = line_.data() + t * lanes;
        combine_pair(sources_.data(), weights(r), weights(r) + count_, count_, n, filtered(0, row),
                     filtered(1, row));
    }

    // Rows summed along a, on top of the products before.
    void sum_rows(i64 r, i64 a, i64 n) {
        sources_.clear();
        for (i64 t = 0; t < count_; ++t) {
            sources_.push_back(filtered(0, a + t));
            sources_.push_back(filtered(1, a + t));
        }
        T *const re = weights(r) + 2 * count_, *const im = re + 2 * (count_ + 1);
        i64 rows = 2 * count_;
        if (r > 0) {
            for (int part = 0; part < 2; ++part)
                sources_.push_back(sum(r - 1, part, a));
            re[rows] = 1, re[rows + 1] = 0, im[rows] = 0, im[rows + 1] = 1;
            rows += 2;
        }
        combine_pair(sources_.data(), re, im, rows, n, sum(r, 0, a), sum(r, 1, a));
    }

    void write(const T *re, const T *im, i64 n, GaborPart part) {
        if (part == GaborPart::modulus)
            return modulus(re, im, n, line_.data());
        if (part != GaborPart::phase) {
            std::copy_n(part == GaborPart::real ? re : im, n, line_.data());
            return;
        }
        for (i64 i = 0; i < n; ++i)
            line_[i] = std::atan2(im[i], re[i]);
    }

    const View<const T, 5> x_;
    const Boundary boundary_;
    const i64 first_a_, first_b_;
    const View<T, 5> out_;
    const i64 rank_, count_, reach_, rows_, stride_;
    std::vector<T> line_, filtered_, sums_, weights_;
    std::vector<const T *> sources_;
};

} // namespace

template <class T>
void gabor_planes(View<const T, 5> x, View<const T, 3> taps, Boundary boundary, i64 first_a,
                  i64 first_b, GaborPart part, View<T, 5> out) {
    const i64 inner = out.shape[4], lanes = std::min<i64>(inner, 64 / sizeof(T));
    const i64 columns = std::min(out.shape[3], std::max<i64>(1, tile_numbers / lanes));
    const i64 across = (out.shape[3] + columns - 1) / columns, beside = (inner + lanes - 1) / lanes;
    const i64 tiles = out.shape[0] * out.shape[2] * across * beside;
    std::vector<std::unique_ptr<Tile<T>>> workers(max_workers());
    parallel_for(tiles, 1, [&](i64 first, i64 last, int worker) {
        if (!workers[worker])
            workers[worker] =
                std::make_unique<Tile<T>>(x, taps, boundary, first_a, first_b, out, columns, lanes);
        Tile<T> &tile = *workers[worker];
        for (i64 at = first; at < last; ++at) {
            poll();
            const i64 lane = at % beside * lanes, begin = at / beside % across * columns;
            const i64 plane = at / beside / across;
            tile.run(plane / out.shape[2], plane % out.shape[2], begin,
                     std::min(begin + columns, out.shape[3]), lane, std::min(lanes, inner - lane),
                     part);
        }
    });
}

template void gabor_planes(View<const float, 5>, View<const float, 3>, Boundary, i64, i64,
                           GaborPart, View<float, 5>);
template void gabor_planes(View<const double, 5>, View<const double, 3>, Boundary, i64, i64,
                           GaborPart, View<double, 5>);

} // namespace pyrad
