// Stages of the lane-parallel FFT convolution. H is real and even, so it acts on the real and the
// imaginary part of a signal separately: two rows travel as one complex row and no real-FFT
// untangling is needed. Batches of such pairs stand side by side in the innermost index, so that
// every butterfly is one plain vector operation. The forward transform decimates in frequency and
// leaves digit-reversed order, the inverse takes it from there, H is stored in that order: nothing
// is ever permuted. As the upper half of the input is zero and that of the output is not wanted,
// the outermost radix-4 stages do half the work (Cooley & Tukey 1965, doi
// 10.1090/S0025-5718-1965-0178586-1).
#include "ct/lane_convolution.hpp"

#include "base/simd.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad::convolution {
namespace {

// The outermost stage (span = size) is radix 4, and so are all others but for one radix-2 stage of
// span 2 where log2(size) is odd. Position -> frequency after the forward transform.
i64 frequency_at(i64 position, i64 size) {
    i64 frequency = 0, stride = 1;
    for (i64 span = size; span > 1;) {
        const i64 radix = span >= 4 ? 4 : 2;
        span /= radix;
        frequency += position / span * stride;
        position %= span;
        stride *= radix;
    }
    return frequency;
}

// Forward radix-4 stage; with HalfZero the two upper quarters of the block are zero.
template <class T, bool HalfZero>
PYRAD_CLONES void forward4(Wide<T> *data, i64 size, i64 span, const Complex<T> *twiddle) {
    const i64 quarter = span / 4, step = size / span;
    for (i64 block = 0; block < size; block += span)
        for (i64 j = 0; j < quarter; ++j) {
            Wide<T> &x0 = data[block + j], &x1 = data[block + j + quarter],
                    &x2 = data[block + j + 2 * quarter], &x3 = data[block + j + 3 * quarter];
            const Complex<T> w1 = twiddle[j * step], w2 = twiddle[2 * j * step],
                             w3 = twiddle[3 * j * step];
            for (i64 l = 0; l < lanes<T>; ++l) {
                const T r2 = HalfZero ? T(0) : x2.re[l], i2 = HalfZero ? T(0) : x2.im[l];
                const T r3 = HalfZero ? T(0) : x3.re[l], i3 = HalfZero ? T(0) : x3.im[l];
                const T sum02r = x0.re[l] + r2, sum02i = x0.im[l] + i2;
                const T dif02r = x0.re[l] - r2, dif02i = x0.im[l] - i2;
                const T sum13r = x1.re[l] + r3, sum13i = x1.im[l] + i3;
                const T dif13r = x1.re[l] - r3, dif13i = x1.im[l] - i3;
                x0.re[l] = sum02r + sum13r;
                x0.im[l] = sum02i + sum13i;
                const T y1r = dif02r + dif13i, y1i = dif02i - dif13r;
                const T y2r = sum02r - sum13r, y2i = sum02i - sum13i;
                const T y3r = dif02r - dif13i, y3i = dif02i + dif13r;
                x1.re[l] = y1r * w1.re - y1i * w1.im;
                x1.im[l] = y1r * w1.im + y1i * w1.re;
                x2.re[l] = y2r * w2.re - y2i * w2.im;
                x2.im[l] = y2r * w2.im + y2i * w2.re;
                x3.re[l] = y3r * w3.re - y3i * w3.im;
                x3.im[l] = y3r * w3.im + y3i * w3.re;
            }
        }
}

// Inverse radix-4 stage; with HalfWanted only the two lower quarters are computed.
template <class T, bool HalfWanted>
PYRAD_CLONES void inverse4(Wide<T> *data, i64 size, i64 span, const Complex<T> *twiddle) {
    const i64 quarter = span / 4, step = size / span;
    for (i64 block = 0; block < size; block += span)
        for (i64 j = 0; j < quarter; ++j) {
            Wide<T> &x0 = data[block + j], &x1 = data[block + j + quarter],
                    &x2 = data[block + j + 2 * quarter], &x3 = data[block + j + 3 * quarter];
            const Complex<T> w1 = twiddle[j * step], w2 = twiddle[2 * j * step],
                             w3 = twiddle[3 * j * step];
            for (i64 l = 0; l < lanes<T>; ++l) { // conjugate twiddles
                const T y1r = x1.re[l] * w1.re + x1.im[l] * w1.im;
                const T y1i = x1.im[l] * w1.re - x1.re[l] * w1.im;
                const T y2r = x2.re[l] * w2.re + x2.im[l] * w2.im;
                const T y2i = x2.im[l] * w2.re - x2.re[l] * w2.im;
                const T y3r = x3.re[l] * w3.re + x3.im[l] * w3.im;
                const T y3i = x3.im[l] * w3.re - x3.re[l] * w3.im;
                const T sum02r = x0.re[l] + y2r, sum02i = x0.im[l] + y2i;
                const T dif02r = x0.re[l] - y2r, dif02i = x0.im[l] - y2i;
                const T sum13r = y1r + y3r, sum13i = y1i + y3i;
                const T dif13r = y1r - y3r, dif13i = y1i - y3i;
                x0.re[l] = sum02r + sum13r;
                x0.im[l] = sum02i + sum13i;
                x1.re[l] = dif02r - dif13i;
                x1.im[l] = dif02i + dif13r;
                if (!HalfWanted) {
                    x2.re[l] = sum02r - sum13r;
                    x2.im[l] = sum02i - sum13i;
                    x3.re[l] = dif02r + dif13i;
                    x3.im[l] = dif02i - dif13r;
                }
            }
        }
}

template <class T> PYRAD_CLONES void butterflies2(Wide<T> *data, i64 size) {
    for (i64 k = 0; k < size; k += 2)
        for (i64 l = 0; l < lanes<T>; ++l) {
            const T re = data[k + 1].re[l], im = data[k + 1].im[l];
            data[k + 1].re[l] = data[k].re[l] - re;
            data[k + 1].im[l] = data[k].im[l] - im;
            data[k].re[l] += re;
            data[k].im[l] += im;
        }
}

template <class T> PYRAD_CLONES void multiply(Wide<T> *data, const T *response, i64 size) {
    for (i64 k = 0; k < size; ++k)
        for (i64 l = 0; l < lanes<T>; ++l) {
            data[k].re[l] *= response[k];
            data[k].im[l] *= response[k];
        }
}

} // namespace

template <class T> Plan<T> make_plan(View<const T, 1> response) {
    Plan<T> plan;
    const i64 size = plan.size = 2 * (response.shape[0] - 1);
    plan.twiddle.resize(size);
    plan.response.resize(size);
    for (i64 k = 0; k < size; ++k) {
        const double angle = -2 * M_PI * k / size;
        plan.twiddle[k] = {static_cast<T>(std::cos(angle)), static_cast<T>(std::sin(angle))};
        const i64 frequency = frequency_at(k, size);
        plan.response[k] = response.data[std::min(frequency, size - frequency)] / size;
    }
    return plan;
}

template <class T> void convolve(Wide<T> *data, const Plan<T> &plan) {
    const i64 size = plan.size;
    const Complex<T> *twiddle = plan.twiddle.data();
    i64 span = size;
    forward4<T, true>(data, size, span, twiddle);
    for (span /= 4; span >= 4; span /= 4)
        forward4<T, false>(data, size, span, twiddle);
    const bool odd = span == 2;
    if (odd)
        butterflies2(data, size);
    multiply(data, plan.response.data(), size);
    if (odd)
        butterflies2(data, size);
    for (span = odd ? 8 : 4; span < size; span *= 4)
        inverse4<T, false>(data, size, span, twiddle);
    inverse4<T, true>(data, size, size, twiddle);
}

template Plan<float> make_plan(View<const float, 1>);
template Plan<double> make_plan(View<const double, 1>);
template void convolve(Wide<float> *, const Plan<float> &);
template void convolve(Wide<double> *, const Plan<double> &);

} // namespace pyrad::convolution
