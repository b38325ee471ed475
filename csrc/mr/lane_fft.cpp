// FFT over the axes of a coil-interleaved grid; lines in lane_line.cpp.
#include "mr/lane_fft.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/gridding_math.hpp"
#include "mr/lane_line.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 column_reals = 64; // reals of a column task: whole cache lines

// Factors of a line: `factor` belongs to the cell of its first real, `step` cells further to the
// next element; `first` is the place of that real in its cell of `cell` reals.
template <class T> struct Factors {
    const T *factor;
    i64 step, first, cell;
};

// column[element] *= factor of the cell, `width` reals per element.
template <class T>
PYRAD_CLONES void times_factors(const Factors<T> &f, i64 length, i64 width, T *column) {
    for (i64 i = 0; i < length; ++i, column += width) {
        const T *factor = f.factor + i * f.step;
        i64 at = 0, end = f.cell - f.first;
        for (; at < width; end += f.cell, ++factor) {
            const T value = *factor;
            for (const i64 stop = std::min(end, width); at < stop; ++at)
                column[at] *= value;
        }
    }
}

template <class T> class LaneTransform {
  public:
    LaneTransform(T *grid, const Shape3 &cells, i64 lanes, const Shape3 &band)
        : grid_(grid), cells_(cells), band_(band), cell_(2 * lanes), scratch_(max_workers()) {}

    // Along x: rows of the band. Along y: planes of the band. Along z: everything. With a factor
    // the transform, the product and the transform back.
    void along(int axis, int sign, const T *factor = nullptr) {
        if (cells_[axis] == 1)
            return;
        const LinePlan<T> &there = line_plan<T>(cells_[axis], sign);
        const LinePlan<T> &back = line_plan<T>(cells_[axis], -sign);
        const auto run = [&](i64 first, i64 step, i64 width, int worker) {
            // A row is transformed in place. A column is copied together first: its elements are
            // far apart, and whole cache lines of every element come in one after another.
            const i64 own = line_scratch<T>(there.length);
            T *buffer = scratch_[worker].get(own + there.length * column_reals);
            T *line = grid_ + first, *column = step == width ? line : buffer + own;
            for (i64 i = 0; column != line && i < there.length; ++i)
                std::memcpy(column + i * width, line + i * step, width * sizeof(T));
            if (!factor)
                return fft_(there, column, width, line, step, width, buffer);
            fft_(there, column, width, column, width, width, buffer);
            times_factors<T>({factor + first / cell_, step / cell_, first % cell_, cell_},
                             there.length, width, column);
            fft_(back, column, width, line, step, width, buffer);
        };
        if (axis == 2)
            return along_rows(run);
        const i64 inner = (axis == 1 ? 1 : cells_[1]) * cells_[2] * cell_;
        const i64 blocks = (inner + column_reals - 1) / column_reals;
        const i64 outer = axis == 1 ? cells_[0] : 1;
        parallel_for(outer * blocks, 2, [&](i64 begin, i64 end, int worker) {
            for (i64 i = begin; i < end; ++i) {
                const i64 at = i % blocks * column_reals;
                if (axis == 0 || in_band(i / blocks, 0))
                    run(i / blocks * cells_[1] * inner + at, inner,
                        std::min(column_reals, inner - at), worker);
            }
        });
    }

  private:
    bool in_band(i64 at, int axis) const { return image_index(at, band_[axis], cells_[axis]) >= 0; }

    template <class Run> void along_rows(const Run &run) {
        parallel_for(cells_[0] * cells_[1], 2, [&](i64 begin, i64 end, int worker) {
            for (i64 row = begin; row < end; ++row)
                if (in_band(row / cells_[1], 0) && in_band(row % cells_[1], 1))
                    run(row * cells_[2] * cell_, cell_, cell_, worker);
        });
    }

    T *grid_;
    Shape3 cells_, band_;
    i64 cell_; // reals
    std::vector<LineScratch<T>> scratch_;
    LineFft<T> fft_ = line_fft<T>();
};

} // namespace

template <class T>
void lane_fft(T *grid, const Shape3 &cells, i64 lanes, int sign, const Shape3 &band) {
    LaneTransform<T> transform(grid, cells, lanes, band);
    if (sign < 0)
        for (int axis : {2, 1, 0})
            transform.along(axis, sign);
    else
        for (int axis : {0, 1, 2})
            transform.along(axis, sign);
}

template <class T>
void lane_fft_filter(T *grid, const Shape3 &cells, i64 lanes, const T *factor, const Shape3 &band) {
    LaneTransform<T> transform(grid, cells, lanes, band);
    if (cells[0] * cells[1] * cells[2] == 1)
        for (i64 i = 0; i < 2 * lanes; ++i)
            grid[i] *= factor[0];
    const int slowest = cells[0] > 1 ? 0 : cells[1] > 1 ? 1 : 2;
    for (int axis = 2; axis > slowest; --axis)
        transform.along(axis, -1);
    transform.along(slowest, -1, factor);
    for (int axis = slowest + 1; axis < 3; ++axis)
        transform.along(axis, 1);
}

template void lane_fft(float *, const Shape3 &, i64, int, const Shape3 &);
template void lane_fft(double *, const Shape3 &, i64, int, const Shape3 &);
template void lane_fft_filter(float *, const Shape3 &, i64, const float *, const Shape3 &);
template void lane_fft_filter(double *, const Shape3 &, i64, const double *, const Shape3 &);

} // namespace pyrad
