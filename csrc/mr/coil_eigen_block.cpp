// Power iteration with squared matrices, a register's width of pixels side by side:
//
//     G = (H / trace H)^(2^s),   v_m <- G v_m - sum_{l<m} <v_l, G v_m> v_l,   v_m <- v_m / |v_m|,
//
// and one last step with H itself, whose Rayleigh quotient is the eigenvalue. A squaring costs as
// much as coils / 2 steps and is worth doubling them; several maps are squared less often, since
// powers lose the digits of small eigenvalues.
//
// Used by ESPIRiT (M. Uecker et al., Magn. Reson. Med. 71 (2014), doi:10.1002/mrm.24751) and
// Walsh's adaptive maps (doi:10.1002/(SICI)1522-2594(200005)43:5<682::AID-MRM10>3.0.CO;2-G).
#include "mr/coil_eigen_block.hpp"

#include "base/simd.hpp"
#include "mr/coil_eigen_math.hpp"
#include "mr/lanes.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad {
namespace {

template <class T> using Vector = typename Lanes<T>::Vector;

// sum += a b, conj(a) b and a conj(b)
template <class T>
PYRAD_INLINE void add_ab(LanePair<T> &sum, const LanePair<T> &a, const LanePair<T> &b) {
    sum.re += a.re * b.re - a.im * b.im;
    sum.im += a.re * b.im + a.im * b.re;
}
template <class T>
PYRAD_INLINE void add_cab(LanePair<T> &sum, const LanePair<T> &a, const LanePair<T> &b) {
    sum.re += a.re * b.re + a.im * b.im;
    sum.im += a.re * b.im - a.im * b.re;
}
template <class T>
PYRAD_INLINE void add_acb(LanePair<T> &sum, const LanePair<T> &a, const LanePair<T> &b) {
    sum.re += a.re * b.re + a.im * b.im;
    sum.im += a.im * b.re - a.re * b.im;
}

// w = H v
template <class T>
PYRAD_CLONES void multiply(const LanePair<T> *h, const LanePair<T> *v, i64 coils, LanePair<T> *w) {
    for (i64 i = 0; i < coils; ++i) {
        LanePair<T> sum{};
        const LanePair<T> *row = h + i * (i + 1) / 2;
        for (i64 j = 0; j <= i; ++j)
            add_ab(sum, row[j], v[j]);
        const LanePair<T> *column = row + i + i + 1; // entry (i + 1, i)
        for (i64 j = i + 1; j < coils; column += ++j)
            add_cab(sum, *column, v[j]);
        w[i] = sum;
    }
}

// g = h h of Hermitian matrices
template <class T> PYRAD_CLONES void square(const LanePair<T> *h, i64 coils, LanePair<T> *g) {
    for (i64 i = 0; i < coils; ++i)
        for (i64 j = 0; j <= i; ++j, ++g) {
            const LanePair<T> *hi = h + i * (i + 1) / 2, *hj = h + j * (j + 1) / 2;
            LanePair<T> sum{};
            for (i64 k = 0; k <= j; ++k)
                add_acb(sum, hi[k], hj[k]);
            const LanePair<T> *kj = hj + j + j + 1; // entry (j + 1, j)
            for (i64 k = j + 1; k <= i; kj += ++k)
                add_ab(sum, hi[k], *kj);
            const LanePair<T> *ki = hi + i + i + 1;
            for (i64 k = i + 1; k < coils; ki += k + 1, kj += k + 1, ++k)
                add_cab(sum, *ki, *kj);
            *g = sum;
        }
}

template <class T>
PYRAD_CLONES void scale_by(const LanePair<T> *h, const Vector<T> &factor, i64 count,
                           LanePair<T> *out) {
    for (i64 i = 0; i < count; ++i) {
        out[i].re = factor * h[i].re;
        out[i].im = factor * h[i].im;
    }
}

// dot = <a, b> = sum conj(a) b
template <class T>
PYRAD_CLONES void inner(const LanePair<T> *a, const LanePair<T> *b, i64 coils, LanePair<T> &dot) {
    LanePair<T> sum{};
    for (i64 c = 0; c < coils; ++c)
        add_cab(sum, a[c], b[c]);
    dot = sum;
}

// b -= dot a
template <class T>
PYRAD_CLONES void deflate(const LanePair<T> *a, const LanePair<T> &dot, i64 coils, LanePair<T> *b) {
    const LanePair<T> minus{-dot.re, -dot.im};
    for (i64 c = 0; c < coils; ++c)
        add_ab(b[c], minus, a[c]);
}

} // namespace

template <class T>
EigenBlock<T>::EigenBlock(i64 coils, i64 maps, i64 iterations)
    : coils_(coils), maps_(maps), squarings_(eigen_squarings(coils, maps)),
      h_(coils * (coils + 1) / 2), power_(h_.size()), spare_(h_.size()), v_(maps * coils),
      w_(coils), value_(maps) {
    const i64 steps = i64(1) << squarings_;
    iterations_ = std::max<i64>(1, (iterations + steps - 1) / steps);
}

template <class T> void EigenBlock<T>::solve(T crop) {
    T trace[side];
    raise_to_power(trace);
    if (crop > 0 && all_below(crop, trace))
        return;
    for (i64 m = 0; m < maps_; ++m)
        for (i64 c = 0; c < coils_; ++c) {
            const Complex<T> start = eigen_start<T>(c, coils_, m);
            v_[m * coils_ + c] = {Vector<T>{} + start.re, Vector<T>{} + start.im};
        }
    for (i64 i = 0; i < iterations_; ++i)
        if (!step(power_.data(), false))
            break;
    step(h_.data(), true);
}

// power = (H / trace)^(2^squarings)
template <class T> void EigenBlock<T>::raise_to_power(T *trace) {
    std::fill_n(trace, side, T(0));
    for (i64 i = 0; i < coils_; ++i)
        for (int p = 0; p < side; ++p)
            trace[p] += h_[i * (i + 3) / 2].re[p];
    Vector<T> scale;
    for (int p = 0; p < side; ++p)
        scale[p] = trace[p] > 0 ? T(1) / trace[p] : T(0);
    scale_by(h_.data(), scale, static_cast<i64>(h_.size()), power_.data());
    for (int s = 0; s < squarings_; ++s) {
        square(power_.data(), coils_, spare_.data());
        power_.swap(spare_);
    }
}

// The largest eigenvalue is at most trace |power|_F^(1 / 2^squarings): where that is below `crop`
// for all pixels, vectors become 0 and the values this bound.
template <class T> bool EigenBlock<T>::all_below(T crop, const T *trace) {
    T bound[side] = {};
    for (i64 i = 0, entry = 0; i < coils_; ++i)
        for (i64 j = 0; j <= i; ++j, ++entry) {
            const LanePair<T> &g = power_[entry];
            const T weight = i == j ? T(1) : T(2);
            const Vector<T> square = weight * (g.re * g.re + g.im * g.im);
            for (int p = 0; p < side; ++p)
                bound[p] += square[p];
        }
    bool below = true;
    for (int p = 0; p < side; ++p) {
        for (int s = 0; s <= squarings_; ++s)
            bound[p] = std::sqrt(bound[p]);
        bound[p] *= trace[p];
        below = below && bound[p] < T(0.999) * crop;
    }
    if (!below)
        return false;
    std::fill(v_.begin(), v_.end(), LanePair<T>{});
    for (i64 m = 0; m < maps_; ++m)
        for (int p = 0; p < side; ++p)
            value_[m].re[p] = bound[p];
    return true;
}

// One step of every vector; whether any pixel still moves.
template <class T> bool EigenBlock<T>::step(const LanePair<T> *matrix, bool take_values) {
    bool moving = false;
    for (i64 m = 0; m < maps_; ++m) {
        LanePair<T> *vm = &v_[m * coils_], dot, length;
        multiply(matrix, vm, coils_, w_.data());
        if (take_values) {
            inner(vm, w_.data(), coils_, dot);
            value_[m].re = dot.re;
        }
        for (i64 l = 0; l < m; ++l) {
            inner(&v_[l * coils_], w_.data(), coils_, dot);
            deflate(&v_[l * coils_], dot, coils_, w_.data());
        }
        inner(vm, w_.data(), coils_, dot);
        inner(w_.data(), w_.data(), coils_, length);
        Vector<T> inverse;
        for (int p = 0; p < side; ++p) {
            const T overlap2 = dot.re[p] * dot.re[p] + dot.im[p] * dot.im[p];
            moving = moving || !eigen_done(overlap2, length.re[p]);
            inverse[p] = length.re[p] > 0 ? T(1) / std::sqrt(length.re[p]) : T(0);
        }
        scale_by(w_.data(), inverse, coils_, vm);
    }
    return moving;
}

template <class T> void EigenBlock<T>::store(const MapTarget<T> &target) const {
    const Complex<T> *reference = reinterpret_cast<const Complex<T> *>(target.reference);
    for (i64 m = 0; m < maps_; ++m) {
        LanePair<T> overlap{};
        for (i64 c = 0; c < coils_; ++c) {
            const LanePair<T> &v = v_[m * coils_ + c];
            overlap.re += reference[c].re * v.re + reference[c].im * v.im;
            overlap.im += reference[c].re * v.im - reference[c].im * v.re;
        }
        T turn[2][side];
        for (int p = 0; p < side; ++p) {
            const Complex<T> by = value_[m].re[p] < target.crop
                                      ? Complex<T>{0, 0}
                                      : turn_to_real(Complex<T>{overlap.re[p], overlap.im[p]});
            turn[0][p] = by.re;
            turn[1][p] = by.im;
        }
        for (i64 c = 0; c < coils_; ++c) {
            const LanePair<T> &v = v_[m * coils_ + c];
            T *to = target.vectors + 2 * ((m * coils_ + c) * target.stride + target.first);
            for (i64 p = 0; p < target.count; ++p) {
                to[2 * p] = turn[0][p] * v.re[p] - turn[1][p] * v.im[p];
                to[2 * p + 1] = turn[0][p] * v.im[p] + turn[1][p] * v.re[p];
            }
        }
        for (i64 p = 0; p < target.count; ++p)
            target.values[m * target.stride + target.first + p] = value_[m].re[p];
    }
}

template class EigenBlock<float>;
template class EigenBlock<double>;

} // namespace pyrad
