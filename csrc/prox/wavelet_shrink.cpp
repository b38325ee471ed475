// W^T soft(W x) image by image; detail bands are thresholded as soon as they are made. Cycle
// spinning: R. R. Coifman, D. L. Donoho, Lecture Notes in Statistics 103 (1995) 125,
// doi:10.1007/978-1-4612-2544-7_9.
#include "prox/wavelet_shrink.hpp"

#include "base/pool.hpp"
#include "prox/soften.hpp"
#include "wavelet/dwt.hpp"
#include "wavelet/dwt3d.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

using Shape3 = std::array<i64, 3>;

// to[i] = from[(i - shift) modulo size] along every axis.
template <class T>
void rolled(const T *from, const Shape3 &size, i64 lanes, const Shape3 &shift, T *to) {
    const i64 row = size[2] * lanes, split = wrap(shift[2], size[2]) * lanes;
    const i64 grain = std::max<i64>(1, (1 << 15) / row);
    parallel_for(size[0] * size[1], grain, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i) {
            const i64 z = wrap(i / size[1] - shift[0], size[0]);
            const i64 y = wrap(i % size[1] - shift[1], size[1]);
            const T *source = from + (z * size[1] + y) * row;
            std::copy_n(source + row - split, split, to + i * row);
            std::copy_n(source, row - split, to + i * row + split);
        }
    });
}

template <class T> class Pyramid {
  public:
    explicit Pyramid(const WaveletShrink &how) : how_(how) {
        Shape3 n = how.size;
        for (i64 level = 0; level < how.levels; ++level) {
            sizes_.push_back(n);
            bands_.emplace_back(n[0] * n[1] * n[2] * how.lanes);
            for (i64 &length : n)
                length = length > 1 ? length / 2 : 1;
        }
        if (how.size[0] == 1 && how.size[1] > 1)
            halves_.resize(how.size[1] * how.size[2] * how.lanes);
    }

    // x: image that is transformed, overwritten with the answer.
    void run(T *x) {
        for (i64 level = 0; level < how_.levels; ++level) {
            analyse(level, level ? bands_[level - 1].data() : x);
            const i64 numbers = band(level) / how_.lanes, details = (1 << axes()) - 1;
            T *first = bands_[level].data() + band(level);
            soften(first, details * numbers, how_.lanes, how_.threshold, first);
        }
        for (i64 level = how_.levels - 1; level >= 0; --level)
            synthesise(level, level ? bands_[level - 1].data() : x);
    }

  private:
    int axes() const {
        return static_cast<int>(
            std::count_if(how_.size.begin(), how_.size.end(), [](i64 n) { return n > 1; }));
    }
    // Reals of one band of a level.
    i64 band(i64 level) const { return static_cast<i64>(bands_[level].size()) >> axes(); }

    // One axis: source (outer, n, inner) -> low, high.
    void split(const T *source, i64 outer, i64 n, i64 inner, T *low, T *high) const {
        const std::array<i64, 3> from{outer, n, inner}, to{outer, n / 2, inner};
        dwt_analysis<T>(contiguous<const T, 3>(source, from), how_.analysis, how_.taps,
                        mode_periodization, contiguous<T, 3>(low, to), contiguous<T, 3>(high, to));
    }
    void join(const T *low, const T *high, i64 outer, i64 n, i64 inner, T *target) const {
        const std::array<i64, 3> from{outer, n / 2, inner}, to{outer, n, inner};
        dwt_synthesis<T>(contiguous<const T, 3>(low, from), contiguous<const T, 3>(high, from),
                         how_.synthesis, how_.taps, true, contiguous<T, 3>(target, to));
    }

    void analyse(i64 level, const T *x) {
        const auto [nz, ny, nx] = sizes_[level];
        const i64 lanes = how_.lanes, step = band(level);
        T *to = bands_[level].data();
        if (nz > 1)
            return dwt_analysis_3d<T>(contiguous<const T, 4>(x, {nz, ny, nx, lanes}), how_.analysis,
                                      how_.taps, mode_periodization, volume_bands<T>(level));
        if (ny == 1)
            return split(x, 1, nx, lanes, to, to + step);
        T *low = halves_.data(), *high = low + ny / 2 * nx * lanes;
        split(x, 1, ny, nx * lanes, low, high);
        split(low, ny / 2, nx, lanes, to, to + step);
        split(high, ny / 2, nx, lanes, to + 2 * step, to + 3 * step);
    }

    void synthesise(i64 level, T *x) {
        const auto [nz, ny, nx] = sizes_[level];
        const i64 lanes = how_.lanes, step = band(level);
        const T *from = bands_[level].data();
        if (nz > 1)
            return dwt_synthesis_3d<T>(volume_bands<const T>(level), how_.synthesis, how_.taps,
                                       true, contiguous<T, 4>(x, {nz, ny, nx, lanes}));
        if (ny == 1)
            return join(from, from + step, 1, nx, lanes, x);
        T *low = halves_.data(), *high = low + ny / 2 * nx * lanes;
        join(from, from + step, ny / 2, nx, lanes, low);
        join(from + 2 * step, from + 3 * step, ny / 2, nx, lanes, high);
        join(low, high, 1, ny, nx * lanes, x);
    }

    template <class U> Bands<U> volume_bands(i64 level) {
        const Shape3 &n = sizes_[level];
        Bands<U> all;
        for (int b = 0; b < 8; ++b)
            all[b] = contiguous<U, 4>(bands_[level].data() + b * band(level),
                                      {n[0] / 2, n[1] / 2, n[2] / 2, how_.lanes});
        return all;
    }

    const WaveletShrink &how_;
    std::vector<Shape3> sizes_;         // of what each level takes
    std::vector<std::vector<T>> bands_; // of each level, the approximation first
    std::vector<T> halves_;
};

} // namespace

template <class T> void wavelet_shrink(const T *x, const WaveletShrink &how, T *out) {
    const i64 image = how.size[0] * how.size[1] * how.size[2] * how.lanes;
    const Shape3 back{-how.shift[0], -how.shift[1], -how.shift[2]};
    Pyramid<T> pyramid(how);
    std::vector<T> moved(image);
    for (i64 b = 0; b < how.batch; ++b) {
        rolled(x + b * image, how.size, how.lanes, how.shift, moved.data());
        pyramid.run(moved.data());
        rolled(moved.data(), how.size, how.lanes, back, out + b * image);
    }
}

template void wavelet_shrink(const float *, const WaveletShrink &, float *);
template void wavelet_shrink(const double *, const WaveletShrink &, double *);

} // namespace pyrad
