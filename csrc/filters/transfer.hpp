// A filter's values in the Fourier domain (transfer_math.hpp), row by row, where they are needed.
#pragma once

#include "base/view.hpp"
#include "filters/transfer_math.hpp"

#include <array>
#include <vector>

namespace pyrad {

struct TransferShape {
    std::array<int, 3> powers; // of z, y, x
    double factor;             // c
    Band band;
    double scale;
};

template <class T> class Transfer {
  public:
    // frequencies (2, nz + ny + nx): f(k) and -f(-k) of the axes z, y, x. Divided by the number of
    // samples, as transforms there and back without scale want it.
    Transfer(View<const double, 2> frequencies, const std::array<i64, 3> &samples,
             const TransferShape &shape);

    // `count` interleaved complex numbers of the spectrum from (z, y, x) on times H.
    void multiply(i64 z, i64 y, i64 x, i64 count, T *spectrum) const;

  private:
    // Powers and squares of frequencies along an axis; f(k), then -f(-k).
    template <class R> struct Axis {
        std::vector<R> power[2], square[2];
    };
    template <class R> using Axes = std::array<Axis<R>, 3>;

    template <class R>
    void multiply_by(const Axes<R> &axes, i64 z, i64 y, i64 x, i64 count, T *spectrum) const;

    TransferShape shape_;
    int total_;
    double weight_;
    bool one_length_; // f(k) and -f(-k) are as long as each other
    Axes<T> axes_;    // of the image's precision where H is smooth but for the origin
    Axes<double> band_axes_;
};

// Spectra (outer, z, y, nx / 2 + 1), complex, of real volumes times H; in place.
template <class T>
void multiply_transfer(T *spectra, const std::array<i64, 4> &numbers, const Transfer<T> &transfer);

} // namespace pyrad
