// Three passes over half a spectrum: planes forward along x and y while they are in the cache;
// columns along z forward, times H and back; planes back along y and x. Of a single slice, or of
// slices one by one, y takes the part of z and a plane is one row.
#include "filters/spectral_filter.hpp"

#include "base/pool.hpp"
#include "base/scratch.hpp"
#include "filters/row_pairs.hpp"
#include "mr/lane_line.hpp"

#include <algorithm>
#include <cstring>

namespace pyrad {
namespace {

template <class T> class SpectralFilter {
  public:
    SpectralFilter(View<const T, 4> x, const Transfer<T> &transfer, View<T, 4> out)
        : x_(x), out_(out), transfer_(transfer), by_slice_(x.shape[1] == 1), outer_(x.shape[0]),
          height_(x.shape[by_slice_ ? 2 : 1]), rows_(by_slice_ ? 1 : x.shape[2]), n_(x.shape[3]),
          width_(2 * (n_ / 2 + 1)), row_(odd_lines(width_)),
          plane_(rows_ > 1 ? odd_lines(rows_ * row_) : row_),
          memory_(outer_ * height_ * plane_ * i64(sizeof(T))),
          spectrum_(static_cast<T *>(memory_.data())), workers_(max_workers()) {}

    void run() {
        // a task: some rows of a slice, or a plane
        const i64 planes = outer_ * height_, together = rows_ > 1 ? 1 : 4 * row_batch<T>;
        parallel_for(planes, together, [&](i64 begin, i64 end, int worker) {
            forward(begin, end - begin, workers_[worker]);
        });
        const i64 tiles = std::max<i64>(1, width_ / tile_reals);
        parallel_for(outer_ * rows_ * tiles, 4, [&](i64 begin, i64 end, int worker) {
            for (i64 i = begin; i < end; ++i) {
                const i64 at = i % tiles, first = at * tile_reals;
                const i64 reals = at + 1 < tiles ? tile_reals : width_ - first;
                columns(i / tiles / rows_, i / tiles % rows_, first, reals, workers_[worker]);
            }
        });
        parallel_for(planes, together, [&](i64 begin, i64 end, int worker) {
            backward(begin, end - begin, workers_[worker]);
        });
    }

  private:
    static constexpr i64 line_reals = 64 / sizeof(T); // of a cache line
    static constexpr i64 tile_reals = 4 * line_reals; // of a tile of columns

    // Rows and planes begin at cache lines and do not share their places in the cache.
    static i64 odd_lines(i64 reals) {
        const i64 lines = (reals + line_reals - 1) / line_reals;
        return lines < 4 ? reals : (lines | 1) * line_reals;
    }

    // Memory that is wanted soon, while something else is worked on: what comes next is too far
    // away, or in too many pieces, for the processor to see it coming.
    static void fetch(const T *p, i64 reals) {
        for (i64 i = 0; i < reals; i += line_reals)
            __builtin_prefetch(p + i, 1, 2);
    }

    T *spectrum(i64 plane) { return spectrum_ + plane * plane_; }

    struct Buffers {
        T *scratch, *line, *plane;
    };
    Buffers buffers(LineScratch<T> &worker) const {
        const i64 scratch = line_scratch<T>(std::max({n_, rows_, height_}));
        const i64 line = std::max(n_ * row_batch<T>, 2 * height_ * tile_reals);
        T *const memory = worker.get(scratch + line + rows_ * row_);
        return {memory, memory + scratch, memory + scratch + line};
    }

    // `count` planes, or rows of slices, from `first` on.
    void forward(i64 first, i64 count, LineScratch<T> &worker) {
        const Buffers b = buffers(worker);
        T *const to = spectrum(first), *const half = rows_ > 1 ? b.plane : to;
        const LinePlan<T> &plan = line_plan<T>(n_, -1);
        const T *const from = x_.data + first * rows_ * n_;
        for (i64 r = 0, rows = rows_ * count; r < rows; r += row_batch<T>) {
            const i64 here = std::min(row_batch<T>, rows - r);
            fetch(to + r * row_, here * row_);
            pairs_.spread(from + r * n_, n_, here, n_, b.line);
            fft_(plan, b.line, row_batch<T>, b.line, row_batch<T>, row_batch<T>, b.scratch);
            pairs_.separate(b.line, n_, half + r * row_, row_, here);
        }
        if (rows_ > 1)
            fft_(line_plan<T>(rows_, -1), half, row_, to, row_, width_, b.scratch);
    }

    // `reals` of one row of all planes, from `first` on.
    void columns(i64 outer, i64 row, i64 first, i64 reals, LineScratch<T> &worker) {
        const Buffers b = buffers(worker);
        T *const at = spectrum(outer * height_) + row * row_ + first, *const column = b.line;
        for (i64 i = 0; i < height_; ++i)
            std::memcpy(column + i * reals, at + i * plane_, reals * sizeof(T));
        fft_(line_plan<T>(height_, -1), column, reals, column, reals, reals, b.scratch);
        for (i64 i = 0; i < height_; ++i) {
            fetch(at + i * plane_ + reals, tile_reals); // the next tile
            transfer_.multiply(by_slice_ ? 0 : i, by_slice_ ? i : row, first / 2, reals / 2,
                               column + i * reals);
        }
        if (height_ > 1)
            fft_(line_plan<T>(height_, 1), column, reals, at, plane_, reals, b.scratch);
        else
            std::memcpy(at, column, reals * sizeof(T));
    }

    void backward(i64 first, i64 count, LineScratch<T> &worker) {
        const Buffers b = buffers(worker);
        const T *half = spectrum(first);
        if (rows_ > 1) {
            fft_(line_plan<T>(rows_, 1), half, row_, b.plane, row_, width_, b.scratch);
            half = b.plane;
        }
        const LinePlan<T> &plan = line_plan<T>(n_, 1);
        T *const to = out_.data + first * rows_ * n_;
        const bool last = first + count == outer_ * height_;
        const T *const next = spectrum(first + count);
        for (i64 r = 0, rows = rows_ * count; r < rows; r += row_batch<T>) {
            const i64 here = std::min(row_batch<T>, rows - r);
            if (!last)
                fetch(next + r * row_, here * row_);
            fetch(to + r * n_, here * n_);
            pairs_.join(half + r * row_, row_, here, n_, b.line);
            fft_(plan, b.line, row_batch<T>, b.line, row_batch<T>, row_batch<T>, b.scratch);
            pairs_.gather(b.line, n_, to + r * n_, n_, here);
        }
    }

    const View<const T, 4> x_;
    const View<T, 4> out_;
    const Transfer<T> &transfer_;
    const bool by_slice_;
    const i64 outer_, height_, rows_, n_; // slices or 1, samples of a column, rows of a plane, x
    const i64 width_, row_, plane_;       // reals of a row's half spectrum, and apart
    Scratch memory_;
    T *const spectrum_;
    std::vector<LineScratch<T>> workers_;
    const LineFft<T> fft_ = line_fft<T>();
    const RowPairs<T> pairs_ = row_pairs<T>();
};

} // namespace

template <class T>
void spectral_filter(View<const T, 4> x, View<const double, 2> frequencies, TransferShape shape,
                     View<T, 4> out) {
    shape.factor /= 2; // separate() leaves a factor of 2
    const Transfer<T> transfer(frequencies, {x.shape[1], x.shape[2], x.shape[3]}, shape);
    SpectralFilter<T>(x, transfer, out).run();
}

template void spectral_filter(View<const float, 4>, View<const double, 2>, TransferShape,
                              View<float, 4>);
template void spectral_filter(View<const double, 4>, View<const double, 2>, TransferShape,
                              View<double, 4>);

} // namespace pyrad
