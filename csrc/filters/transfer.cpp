#include "filters/transfer.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <type_traits>

namespace pyrad {
namespace {

constexpr i64 chunk = 64; // numbers of a row that are worked on at a time

// Of one row: what belongs to f(k), or to -f(-k).
template <class R> struct RowSide {
    const R *power, *square; // along x
    R weight, yy, zz;        // product of the other axes' powers, their squares
};

// out[i] = B(scale |f|) / |f|^total
template <Band band, class R>
__attribute__((always_inline)) inline void radial(const RowSide<R> &side, i64 n, int total, R scale,
                                                  R *__restrict out) {
    R inverse[chunk];
    for (i64 i = 0; i < n; ++i) {
        const R length = length_of(side.square[i], side.yy, side.zz);
        inverse[i] = inverse_length(length);
        out[i] = band_value<band>(scale * length);
    }
    for (int power = 0; power < total; ++power)
        for (i64 i = 0; i < n; ++i)
            out[i] *= inverse[i];
}

// n <= chunk
template <Band band, class R>
__attribute__((always_inline)) inline void fill_row(const RowSide<R> *sides, bool one_length, i64 n,
                                                    int total, R scale, R *__restrict out) {
    const RowSide<R> &at = sides[0], &mirrored = sides[1];
    radial<band>(at, n, total, scale, out);
    if (one_length) {
        for (i64 i = 0; i < n; ++i)
            out[i] *= at.weight * at.power[i] + mirrored.weight * mirrored.power[i];
        return;
    }
    R other[chunk];
    radial<band>(mirrored, n, total, scale, other);
    for (i64 i = 0; i < n; ++i)
        out[i] = out[i] * at.weight * at.power[i] + other[i] * mirrored.weight * mirrored.power[i];
}

PYRAD_CLONES void fill(Band, const RowSide<float> *sides, bool one_length, i64 n, int total,
                       float scale, float *out) {
    fill_row<Band::all>(sides, one_length, n, total, scale, out);
}

PYRAD_CLONES void fill(Band band, const RowSide<double> *sides, bool one_length, i64 n, int total,
                       double scale, double *out) {
    if (band == Band::all)
        fill_row<Band::all>(sides, one_length, n, total, scale, out);
    else if (band == Band::simoncelli)
        fill_row<Band::simoncelli>(sides, one_length, n, total, scale, out);
    else
        fill_row<Band::shannon>(sides, one_length, n, total, scale, out);
}

template <class T, class R>
__attribute__((always_inline)) inline void times_loop(const R *__restrict value, i64 n, int total,
                                                      T *__restrict z) {
    if (total & 1)
        for (i64 i = 0; i < n; ++i) {
            const T v = static_cast<T>(value[i]), re = z[2 * i];
            z[2 * i] = v * z[2 * i + 1];
            z[2 * i + 1] = -(v * re);
        }
    else
        for (i64 i = 0; i < n; ++i) {
            z[2 * i] *= static_cast<T>(value[i]);
            z[2 * i + 1] *= static_cast<T>(value[i]);
        }
}
PYRAD_CLONES void times(const float *value, i64 n, int total, float *z) {
    times_loop(value, n, total, z);
}
PYRAD_CLONES void times(const double *value, i64 n, int total, float *z) {
    times_loop(value, n, total, z);
}
PYRAD_CLONES void times(const double *value, i64 n, int total, double *z) {
    times_loop(value, n, total, z);
}

} // namespace

template <class T>
Transfer<T>::Transfer(View<const double, 2> frequencies, const std::array<i64, 3> &samples,
                      const TransferShape &shape)
    : shape_(shape), total_(shape.powers[0] + shape.powers[1] + shape.powers[2]),
      weight_(shape.factor / (2.0 * samples[0] * samples[1] * samples[2])), one_length_(true) {
    if (total_ & 2)
        weight_ = -weight_;
    i64 first = 0;
    const auto append = [&](auto &axis, int side, double f, int power) {
        using R = typename std::decay_t<decltype(axis.power[0])>::value_type;
        axis.power[side].push_back(static_cast<R>(whole_power(f, power)));
        axis.square[side].push_back(static_cast<R>(f * f));
    };
    for (int d = 0; d < 3; first += samples[d++])
        for (i64 k = 0; k < samples[d]; ++k) {
            const double f[2] = {frequencies(0, first + k), frequencies(1, first + k)};
            one_length_ = one_length_ && f[0] * f[0] == f[1] * f[1];
            for (int side = 0; side < 2; ++side)
                if (shape.band == Band::all)
                    append(axes_[d], side, f[side], shape.powers[d]);
                else
                    append(band_axes_[d], side, f[side], shape.powers[d]);
        }
}

template <class T> void Transfer<T>::multiply(i64 z, i64 y, i64 x, i64 count, T *spectrum) const {
    if (shape_.band == Band::all)
        multiply_by(axes_, z, y, x, count, spectrum);
    else
        multiply_by(band_axes_, z, y, x, count, spectrum);
}

template <class T>
template <class R>
void Transfer<T>::multiply_by(const Axes<R> &axes, i64 z, i64 y, i64 x, i64 count,
                              T *spectrum) const {
    for (const i64 end = x + count; x < end; x += chunk, spectrum += 2 * chunk) {
        RowSide<R> sides[2];
        for (int s = 0; s < 2; ++s)
            sides[s] = {axes[2].power[s].data() + x, axes[2].square[s].data() + x,
                        static_cast<R>(weight_ * axes[0].power[s][z] * axes[1].power[s][y]),
                        axes[1].square[s][y], axes[0].square[s][z]};
        R values[chunk];
        const i64 n = std::min(chunk, end - x);
        fill(shape_.band, sides, one_length_, n, total_, static_cast<R>(shape_.scale), values);
        times(values, n, total_, spectrum);
    }
}

template <class T>
void multiply_transfer(T *spectra, const std::array<i64, 4> &numbers, const Transfer<T> &transfer) {
    const i64 nz = numbers[1], ny = numbers[2], half = numbers[3];
    parallel_for(
        numbers[0] * nz * ny, std::max<i64>(1, 16384 / half), [&](i64 begin, i64 end, int) {
            for (i64 row = begin; row < end; ++row)
                transfer.multiply(row / ny % nz, row % ny, 0, half, spectra + 2 * half * row);
        });
}

template class Transfer<float>;
template class Transfer<double>;
template void multiply_transfer(float *, const std::array<i64, 4> &, const Transfer<float> &);
template void multiply_transfer(double *, const std::array<i64, 4> &, const Transfer<double> &);

} // namespace pyrad
