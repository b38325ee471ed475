// Stationary wavelet transform of a volume in one sweep (sweep.hpp): one read of the volume for
// eight bands, where passes of one axis read and write it seven times. Samples whose distances
// along z and y are multiples of the taps' distance know nothing of the others: each such lattice
// is swept as a volume of its own.
#include "wavelet/swt3d.hpp"

#include "wavelet/lines.hpp"
#include "wavelet/sweep.hpp"

namespace pyrad {
namespace {

// A periodic line whose ends are repeated on both sides.
template <class T> struct PaddedLine {
    i64 n, before, after; // numbers
    std::vector<T> numbers;

    PaddedLine(i64 n, i64 before, i64 after)
        : n(n), before(before), after(after), numbers(before + n + after) {}

    void copy(const T *from) {
        T *const line = numbers.data() + before;
        std::copy_n(from, n, line);
        for (i64 i = 1; i <= before; ++i)
            line[-i] = line[wrap(-i, n)];
        for (i64 i = 0; i < after; ++i)
            line[n + i] = line[wrap(i, n)];
    }
};

// Every step-th plane and row, from (z, y) on.
template <class T> View<T, 4> lattice(const View<T, 4> &x, i64 step, i64 z, i64 y) {
    View<T, 4> part = x;
    part.data += z * x.stride[0] + y * x.stride[1];
    for (int axis = 0; axis < 2; ++axis) {
        part.shape[axis] /= step;
        part.stride[axis] *= step;
    }
    return part;
}

// Rows [begin, end) along y of a run of planes, of one lattice.
template <class T> class Tile {
  public:
    // bands: how many are summed up along z; oldest: the first tap's distance in steps.
    Tile(const View<const T, 4> &any, const FilterPair<T> &f, i64 step, i64 oldest, i64 begin,
         i64 end, i64 filtered, i64 in_ring, bool streamed)
        : f_(f), step_(step), oldest_(oldest), begin_(begin), count_(end - begin),
          rows_(count_ + f.taps - 1), nz_(any.shape[0]), ny_(any.shape[1]),
          length_(any.shape[2] * any.shape[3]), jump_(step * any.shape[3]),
          low_(length_, -oldest * jump_, (oldest + f.taps - 1) * jump_), high_(low_),
          along_x_(filtered * rows_, length_), ring_(in_ring * f.taps, count_ * length_),
          in_ring_(in_ring), streamed_(streamed) {}

    void analyse_plane(i64 t, const View<const T, 4> &x) {
        for (i64 r = 0; r < rows_; ++r) {
            low_.copy(&x(wrap(t, nz_), wrap(begin_ + oldest_ + r, ny_), 0, 0));
            split([&](i64 q) { return low_.numbers.data() + q * jump_; });
            sum_.pair_into(along_x_[r], along_x_[rows_ + r], length_);
        }
        for (int xb = 0; xb < 2; ++xb)
            for (i64 j = 0; j < count_; ++j) {
                split([&](i64 q) { return along_x_[xb * rows_ + j + q]; });
                sum_.pair_into(slot(t, xb) + j * length_, slot(t, 2 + xb) + j * length_, length_);
            }
    }

    void analyse(i64 z, const Bands<T> &bands) {
        for (int b = 0; b < 4; ++b)
            for_runs([&](i64 j, i64 rows) {
                split([&](i64 q) { return slot(z + oldest_ + q, b) + j * length_; });
                sum_.pair_into(&bands[b](z, begin_ + j, 0, 0), &bands[4 + b](z, begin_ + j, 0, 0),
                               rows * length_, streamed_);
            });
    }

    void synthesise_plane(i64 t, const Bands<const T> &bands) {
        const i64 z = wrap(t, nz_);
        for (int zb = 0; zb < 2; ++zb) {
            for (int yb = 0; yb < 2; ++yb)
                for (i64 r = 0; r < rows_; ++r) {
                    const i64 y = wrap(begin_ + oldest_ + r, ny_);
                    low_.copy(&bands[4 * zb + 2 * yb](z, y, 0, 0));
                    high_.copy(&bands[4 * zb + 2 * yb + 1](z, y, 0, 0));
                    join([&](i64 q, int b) { return line(b) + q * jump_; });
                    sum_.one_into(along_x_[yb * rows_ + r], length_);
                }
            for (i64 j = 0; j < count_; ++j) {
                join([&](i64 q, int b) { return along_x_[b * rows_ + j + q]; });
                sum_.one_into(slot(t, zb) + j * length_, length_);
            }
        }
    }

    void synthesise(i64 z, const View<T, 4> &out) {
        for_runs([&](i64 j, i64 rows) {
            join([&](i64 q, int b) { return slot(z + oldest_ + q, b) + j * length_; });
            sum_.one_into(&out(z, begin_ + j, 0, 0), rows * length_, streamed_);
        });
    }

  private:
    T *slot(i64 plane, int band) { return ring_[in_ring_ * wrap(plane, f_.taps) + band]; }
    const T *line(int band) const { return (band ? high_ : low_).numbers.data(); }

    template <class RowAt> void split(RowAt &&row_at) {
        sum_.set(f_.taps, f_.low_reversed.data(), f_.high_reversed.data(), row_at);
    }
    template <class RowAt> void join(RowAt &&row_at) {
        sum_.set(2 * f_.taps, f_.mixed_reversed.data(), nullptr,
                 [&](i64 t) { return row_at(t / 2, static_cast<int>(t % 2)); });
    }
    // Rows that lie together in memory: all of the block, or one by one.
    template <class Body> void for_runs(Body &&body) {
        if (step_ == 1)
            return body(i64(0), count_);
        for (i64 j = 0; j < count_; ++j)
            body(j, i64(1));
    }

    const FilterPair<T> &f_;
    const i64 step_, oldest_, begin_, count_, rows_, nz_, ny_, length_, jump_;
    PaddedLine<T> low_, high_;
    sweep::Rows<T> along_x_, ring_;
    const i64 in_ring_;
    const bool streamed_;
    RowSum<T> sum_;
};

// body(z, y, begin, end, first plane, last plane) for each tile of each lattice.
template <class Body>
void for_lattices(const std::array<i64, 4> &shape, i64 step, i64 block, Body &&body) {
    const i64 planes = shape[0] / step, rows = shape[1] / step;
    // The lattices of z stand behind each other along the sweep's steps, those of y along its rows.
    const i64 runs = (planes + sweep::steps_per_tile - 1) / sweep::steps_per_tile;
    const i64 blocks = (rows + block - 1) / block;
    parallel_for(step * step * runs * blocks, 1, [&](i64 first, i64 last, int) {
        for (i64 tile = first; tile < last; ++tile) {
            const i64 begin = tile / runs % blocks * block;
            const i64 plane = tile % runs * sweep::steps_per_tile;
            const i64 part = tile / runs / blocks;
            body(part / step, part % step, begin, std::min(begin + block, rows), plane,
                 std::min(plane + sweep::steps_per_tile, planes));
        }
    });
}

} // namespace

template <class T>
void swt_analysis_3d(View<const T, 4> x, const double *filters, i64 taps, i64 step,
                     const Bands<T> &bands) {
    const FilterPair<T> f(filters, taps);
    const i64 oldest = taps / 2 - taps + 1;
    const i64 block = sweep::rows_per_block(4 * taps * x.shape[2] * x.shape[3], taps / 2);
    const bool streamed = 8 * x.size() > sweep::streamed_numbers;
    const auto body = [&](i64 z, i64 y, i64 begin, i64 end, i64 plane, i64 last) {
        const View<const T, 4> from = lattice(x, step, z, y);
        Bands<T> to;
        for (int b = 0; b < 8; ++b)
            to[b] = lattice(bands[b], step, z, y);
        Tile<T> tile(from, f, step, oldest, begin, end, 2, 4, streamed);
        i64 filtered = plane + oldest;
        for (; plane < last; ++plane) {
            for (; filtered < plane + oldest + taps; ++filtered)
                tile.analyse_plane(filtered, from);
            tile.analyse(plane, to);
        }
    };
    for_lattices(x.shape, step, block, body);
}

template <class T>
void swt_synthesis_3d(const Bands<const T> &bands, const double *filters, i64 taps, i64 step,
                      View<T, 4> out) {
    const FilterPair<T> f(filters, taps, 0.5);
    const i64 oldest = -(taps / 2);
    const i64 block = sweep::rows_per_block(2 * taps * out.shape[2] * out.shape[3], taps / 2);
    const bool streamed = out.size() > sweep::streamed_numbers;
    const auto body = [&](i64 z, i64 y, i64 begin, i64 end, i64 plane, i64 last) {
        const View<T, 4> to = lattice(out, step, z, y);
        Bands<const T> from;
        for (int b = 0; b < 8; ++b)
            from[b] = lattice(bands[b], step, z, y);
        Tile<T> tile(from[0], f, step, oldest, begin, end, 2, 2, streamed);
        i64 filtered = plane + oldest;
        for (; plane < last; ++plane) {
            for (; filtered < plane + oldest + taps; ++filtered)
                tile.synthesise_plane(filtered, from);
            tile.synthesise(plane, to);
        }
    };
    for_lattices(out.shape, step, block, body);
}

#define INSTANTIATE(T)                                                                             \
    template void swt_analysis_3d(View<const T, 4>, const double *, i64, i64, const Bands<T> &);   \
    template void swt_synthesis_3d(const Bands<const T> &, const double *, i64, i64, View<T, 4>);
INSTANTIATE(float)
INSTANTIATE(double)

} // namespace pyrad
