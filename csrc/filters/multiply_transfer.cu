// CUDA twin of multiply_transfer (transfer.cpp): a thread owns a number of the spectrum.
#include "filters/transfer_math.hpp"

namespace pyrad {
namespace {

// f(k) or -f(-k) of one number of the spectrum, along z, y and x.
template <class R> struct Frequency {
    R z, y, x;
};

template <Band band, class R>
__device__ R value_at(const Frequency<double> &f, int pz, int py, int px, R scale) {
    const R length =
        length_of(static_cast<R>(f.x * f.x), static_cast<R>(f.y * f.y), static_cast<R>(f.z * f.z));
    const R value = static_cast<R>(whole_power(f.z, pz)) * static_cast<R>(whole_power(f.y, py)) *
                    static_cast<R>(whole_power(f.x, px));
    const R inverse = inverse_length(length);
    R radial = band_value<band>(scale * length);
    for (int power = 0; power < pz + py + px; ++power)
        radial *= inverse;
    return value * radial;
}

template <Band band, class R, class T>
__device__ void multiply(Complex<T> *spectrum, i64 outer, i64 nz, i64 ny, i64 nx,
                         const double *frequencies, int pz, int py, int px, double factor,
                         double scale) {
    const i64 half = nx / 2 + 1, total = outer * nz * ny * half, mirrored = nz + ny + nx;
    const R weight = static_cast<R>(factor / (2.0 * nz * ny * nx));
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; at < total; at += step) {
        const i64 row = at / half;
        const double *const f = frequencies, *const fy = f + nz, *const fx = fy + ny;
        const i64 z = row / ny % nz, y = row % ny, x = at - row * half;
        R value = 0;
        for (i64 side = 0; side <= mirrored; side += mirrored)
            value += value_at<band, R>({f[side + z], fy[side + y], fx[side + x]}, pz, py, px,
                                       static_cast<R>(scale));
        spectrum[at] =
            times_power_of_minus_i(spectrum[at], static_cast<T>(weight * value), pz + py + px);
    }
}

template <class T>
__device__ void multiply_by(int band, Complex<T> *spectrum, i64 outer, i64 nz, i64 ny, i64 nx,
                            const double *frequencies, int pz, int py, int px, double factor,
                            double scale) {
    if (band == static_cast<int>(Band::all))
        multiply<Band::all, T>(spectrum, outer, nz, ny, nx, frequencies, pz, py, px, factor, scale);
    else if (band == static_cast<int>(Band::simoncelli))
        multiply<Band::simoncelli, double>(spectrum, outer, nz, ny, nx, frequencies, pz, py, px,
                                           factor, scale);
    else
        multiply<Band::shannon, double>(spectrum, outer, nz, ny, nx, frequencies, pz, py, px,
                                        factor, scale);
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(multiply_transfer_c64)
(pyrad::c64 *spectrum, long long outer, long long nz, long long ny, long long nx,
 const double *frequencies, int pz, int py, int px, double factor, int band, double scale) {
    pyrad::multiply_by(band, spectrum, outer, nz, ny, nx, frequencies, pz, py, px, factor, scale);
}

PYRAD_KERNEL(multiply_transfer_c128)
(pyrad::c128 *spectrum, long long outer, long long nz, long long ny, long long nx,
 const double *frequencies, int pz, int py, int px, double factor, int band, double scale) {
    pyrad::multiply_by(band, spectrum, outer, nz, ny, nx, frequencies, pz, py, px, factor, scale);
}
